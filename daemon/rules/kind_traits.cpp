#include "rules/kind_traits.h"

#include "domain/operation.h"
#include "rules/near_names.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace dutybook::rules {
namespace {

using domain::FieldTraits;
using domain::KindTraits;
using domain::Merge;

constexpr std::array<std::string_view, 5> privacy_classes{"ordinary", "hr", "education", "health",
                                                          "privileged"};

// A misspelt x- keyword would silently index or merge nothing, so the known ones are listed here.
const std::vector<std::string>& kind_keywords() {
    static const std::vector<std::string> names{"x-kind",    "x-version", "x-label", "x-effective",
                                                "x-privacy", "x-final",   "x-order"};
    return names;
}
const std::vector<std::string>& field_keywords() {
    static const std::vector<std::string> names{"x-merge",  "x-index", "x-search", "x-completed",
                                                "x-refers", "x-about", "x-label",  "x-access"};
    return names;
}

Result<void> refuse_unknown(const Json& schema, const std::string& place,
                            const std::vector<std::string>& known) {
    for (const auto& [keyword, value] : schema.items()) {
        if (!keyword.starts_with("x-")) continue;
        if (std::find(known.begin(), known.end(), keyword) != known.end()) continue;
        Error error =
            malformed("the keyword \"" + keyword + "\" is not known", pointer_to(place, keyword));
        error.fix = did_you_mean(keyword, known);
        return error;
    }
    return {};
}

Result<bool> flag(const Json& schema, const char* keyword, bool fallback,
                  const std::string& place) {
    const auto found = schema.find(keyword);
    if (found == schema.end()) return fallback;
    if (!found->is_boolean()) {
        return malformed("must be true or false", pointer_to(place, keyword));
    }
    return found->get<bool>();
}

Result<std::string> text(const Json& schema, const char* keyword, std::string fallback,
                         const std::string& place) {
    const auto found = schema.find(keyword);
    if (found == schema.end()) return fallback;
    if (!found->is_string()) return malformed("must be a text", pointer_to(place, keyword));
    return found->get<std::string>();
}

Result<void> check_labels(const Json& schema, const std::string& place) {
    const auto labels = schema.find("x-label");
    if (labels == schema.end()) return {};
    const std::string here = pointer_to(place, "x-label");
    if (!labels->is_object()) return malformed("must be an object of texts by language", here);
    for (const auto& [language, label] : labels->items()) {
        if (!label.is_string()) return malformed("must be a text", pointer_to(here, language));
    }
    return {};
}

bool has_type(const Json& property, std::string_view type) {
    const auto found = property.find("type");
    return found != property.end() && found->is_string() && found->get<std::string>() == type;
}

Result<Merge> merge_of(const Json& property, const std::string& place) {
    TRY_ASSIGN(const std::string word, text(property, "x-merge", "register", place));
    const std::string here = pointer_to(place, "x-merge");
    if (word == "register") return Merge::Register;
    if (word == "set") {
        if (has_type(property, "array")) return Merge::Set;
        return malformed("a set must have \"type\": \"array\"", here);
    }
    if (word == "counter") {
        if (has_type(property, "integer")) return Merge::Counter;
        return malformed("a counter must have \"type\": \"integer\"", here);
    }
    return malformed("must be register, set or counter", here);
}

Result<FieldTraits> read_field(const Json& property, const std::string& place) {
    FieldTraits field;
    if (property.is_boolean()) return field;
    TRY(refuse_unknown(property, place, field_keywords()));
    TRY(check_labels(property, place));
    TRY_ASSIGN(field.merge, merge_of(property, place));
    TRY_ASSIGN(field.indexed, flag(property, "x-index", false, place));
    TRY_ASSIGN(field.searched, flag(property, "x-search", true, place));
    TRY_ASSIGN(field.completed, flag(property, "x-completed", false, place));
    TRY_ASSIGN(field.access, flag(property, "x-access", false, place));
    TRY_ASSIGN(field.about, flag(property, "x-about", false, place));
    TRY_ASSIGN(field.refers, text(property, "x-refers", "", place));
    if (!field.refers.empty() && !domain::valid_kind(field.refers)) {
        return malformed("must be the name of a kind", pointer_to(place, "x-refers"));
    }
    return field;
}

Result<void> read_fields(const Json& document, KindTraits& traits) {
    const auto properties = document.find("properties");
    if (properties == document.end()) return {};
    for (const auto& [name, property] : properties->items()) {
        const std::string place = pointer_to("/properties", name);
        if (!domain::valid_field_name(name)) {
            return malformed("\"" + name + "\" cannot be the name of a field", place);
        }
        TRY_ASSIGN(traits.fields[name], read_field(property, place));
    }
    return {};
}

Result<void> check_effective(const KindTraits& traits, const Json& document) {
    if (traits.effective.empty()) return {};
    const auto field = traits.fields.find(traits.effective);
    if (field == traits.fields.end()) {
        return malformed("names a field that the kind does not have", "/x-effective");
    }
    const Json& property = document.at("properties").at(traits.effective);
    const std::string format = property.is_object() ? property.value("format", "") : "";
    if (format == "date" || format == "date-time" || format == "date-or-instant") return {};
    return malformed("names a field that is no date and no instant", "/x-effective");
}

Result<void> check_required(const KindTraits& traits, const Json& document) {
    const auto required = document.find("required");
    if (required == document.end()) return {};
    for (std::size_t i = 0; i < required->size(); ++i) {
        const auto field = traits.fields.find((*required)[i].get<std::string>());
        const std::string place = pointer_to("/required", i);
        if (field == traits.fields.end()) {
            return malformed("names a field that is not described", place);
        }
        if (field->second.completed) {
            return malformed("a field that a plugin fills in cannot be required", place);
        }
    }
    return {};
}

Result<void> check_order(const KindTraits& traits, const Json& document) {
    const auto order = document.find("x-order");
    if (order == document.end()) return {};
    if (!order->is_array()) return malformed("must be a list of fields", "/x-order");
    for (std::size_t i = 0; i < order->size(); ++i) {
        const Json& name = (*order)[i];
        if (name.is_string() && traits.fields.contains(name.get<std::string>())) continue;
        return malformed("names a field that the kind does not have", pointer_to("/x-order", i));
    }
    return {};
}

Result<void> check_version(const Json& document) {
    const auto version = document.find("x-version");
    if (version == document.end()) return {};
    if (version->is_number_integer() && version->get<std::int64_t>() >= 1) return {};
    return malformed("must be a whole number from 1", "/x-version");
}

}  // namespace

Result<KindTraits> read_kind_traits(const Json& document) {
    if (!document.is_object() || !has_type(document, "object")) {
        return malformed("the schema of a kind must have \"type\": \"object\"",
                         document.is_object() && document.contains("type") ? "/type" : "");
    }
    TRY(refuse_unknown(document, "", kind_keywords()));
    TRY(check_labels(document, ""));
    TRY(check_version(document));
    KindTraits traits;
    TRY_ASSIGN(traits.name, text(document, "x-kind", "", ""));
    if (!domain::valid_kind(traits.name)) {
        return malformed("\"x-kind\" must name the kind, for example core.duty",
                         document.contains("x-kind") ? "/x-kind" : "");
    }
    TRY_ASSIGN(traits.title, text(document, "title", traits.name, ""));
    TRY_ASSIGN(traits.effective, text(document, "x-effective", "", ""));
    TRY_ASSIGN(traits.privacy, text(document, "x-privacy", "ordinary", ""));
    TRY_ASSIGN(traits.final_at_once, flag(document, "x-final", false, ""));
    if (std::find(privacy_classes.begin(), privacy_classes.end(), traits.privacy) ==
        privacy_classes.end()) {
        return malformed("must be one of ordinary, hr, education, health, privileged",
                         "/x-privacy");
    }
    TRY(read_fields(document, traits));
    TRY(check_effective(traits, document));
    TRY(check_required(traits, document));
    TRY(check_order(traits, document));
    return traits;
}

Json flattened(const Json& property, const Json& document) {
    if (!property.is_object()) return Json::object();
    constexpr int most_references = 8;
    Json flat = property;
    for (int i = 0; i < most_references; ++i) {
        Json parts = Json::array();
        if (flat.contains("$ref")) parts.push_back({{"$ref", flat["$ref"]}});
        if (flat.contains("allOf"))
            parts.insert(parts.end(), flat["allOf"].begin(), flat["allOf"].end());
        if (parts.empty()) break;
        flat.erase("$ref");
        flat.erase("allOf");
        for (const Json& part : parts) {
            if (!part.is_object()) continue;
            const std::string target = part.value("$ref", "");
            const Json* source = &part;
            if (target.starts_with("#/")) {
                const Json::json_pointer place(target.substr(1));
                if (!document.contains(place)) continue;
                source = &document.at(place);
            }
            if (!source->is_object()) continue;
            for (const auto& [keyword, value] : source->items()) {
                if (!flat.contains(keyword)) flat[keyword] = value;
            }
        }
    }
    return flat;
}

}  // namespace dutybook::rules
