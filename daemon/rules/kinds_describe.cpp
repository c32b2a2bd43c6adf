// What `kind list` and `kind show` tell: the schema in the words of people who fill in forms.

#include "rules/kind_traits.h"
#include "rules/kinds.h"

#include <algorithm>
#include <string_view>

namespace dutybook::rules {
namespace {

using domain::FieldTraits;
using domain::Merge;

std::string_view name_of(Merge merge) {
    switch (merge) {
        case Merge::Set:
            return "set";
        case Merge::Counter:
            return "counter";
        case Merge::Register:
            break;
    }
    return "register";
}

// One word: the format where there is one, else the type ("text", "date", "list").
Json type_word(const Json& schema) {
    const auto word = [](const Json& type) -> std::string {
        const auto name = type.is_string() ? type.get<std::string>() : std::string();
        if (name == "string") return "text";
        if (name == "array") return "list";
        return name.empty() ? "any" : name;
    };
    if (schema.contains("format")) return schema["format"];
    const auto type = schema.find("type");
    if (type == schema.end()) return schema.contains("enum") ? "text" : "any";
    if (!type->is_array()) return word(*type);
    std::string joined;
    for (const Json& one : *type) joined += (joined.empty() ? "" : " or ") + word(one);
    return joined;
}

Json describe_field(const std::string& name, const FieldTraits& traits, const Json& property,
                    const Json& document, bool required) {
    const Json schema = flattened(property, document);
    Json field{{"name", name},
               {"type", type_word(schema)},
               {"required", required},
               {"merge", name_of(traits.merge)},
               {"indexed", traits.indexed}};
    if (traits.completed) field["completed"] = true;
    if (!traits.refers.empty()) field["refers"] = traits.refers;
    for (const auto& [keyword, member] :
         {std::pair{"enum", "values"}, std::pair{"format", "format"},
          std::pair{"x-label", "labels"}, std::pair{"description", "description"},
          std::pair{"items", "items"}, std::pair{"minimum", "minimum"},
          std::pair{"maximum", "maximum"}, std::pair{"default", "default"}}) {
        if (schema.contains(keyword)) field[member] = schema[keyword];
    }
    return field;
}

// The order that the schema names, then the rest by name; not what only rules look for.
std::vector<std::string> field_order(const Json& document, const domain::KindTraits& traits) {
    std::vector<std::string> order;
    if (document.contains("x-order")) order = document["x-order"].get<std::vector<std::string>>();
    const Json properties = document.value("properties", Json::object());
    for (const auto& [name, field] : traits.fields) {
        if (!properties.contains(name)) continue;
        if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
    }
    return order;
}

}  // namespace

Json KindRegistry::summary(std::string_view kind) const {
    const Kind* found = kind_named(kind);
    if (found == nullptr) return nullptr;
    return Json{{"kind", found->traits.name},
                {"title", found->traits.title},
                {"description", found->document.value("description", "")},
                {"owner", found->owner}};
}

Json KindRegistry::describe(std::string_view kind) const {
    const Kind* found = kind_named(kind);
    if (found == nullptr) return nullptr;
    const Json& document = found->document;
    const domain::KindTraits& traits = found->traits;
    const auto required = document.value("required", std::vector<std::string>{});
    Json description = summary(kind);
    description["status"] = traits.final_at_once ? "final" : "draft";
    description["privacy"] = traits.privacy;
    description["effective"] = traits.effective.empty() ? Json(nullptr) : Json(traits.effective);
    description["labels"] = document.value("x-label", Json::object());
    description["fields"] = Json::array();
    for (const std::string& name : field_order(document, traits)) {
        const bool needed = std::find(required.begin(), required.end(), name) != required.end();
        description["fields"].push_back(describe_field(
            name, traits.fields.at(name), document.at("properties").at(name), document, needed));
    }
    const auto examples = document.find("examples");
    const bool has_example = examples != document.end() && !examples->empty();
    description["example"] = has_example ? examples->front() : Json(nullptr);
    return description;
}

Json KindRegistry::schema(std::string_view kind) const {
    const Kind* found = kind_named(kind);
    return found == nullptr ? Json(nullptr) : found->document;
}

}  // namespace dutybook::rules
