#include "rules/schema_keywords.h"

#include "rules/schema_numbers.h"
#include "rules/schema_pattern.h"

#include <algorithm>
#include <functional>
#include <map>

namespace dutybook::rules {
namespace {

using Handler = Result<void> (*)(Node&, const Json&, const std::string&, NodeMaker& maker);

// --- shapes of keyword values

Result<NodeId> child(const Json& value, const std::string& pointer, NodeMaker& maker) {
    return maker.node_for(pointer, value);
}
Result<std::vector<NodeId>> children(const Json& value, const std::string& pointer,
                                     bool may_be_empty, NodeMaker& maker) {
    if (!value.is_array() || (value.empty() && !may_be_empty)) {
        return malformed("must be a list of schemas that is not empty", pointer);
    }
    std::vector<NodeId> ids;
    for (std::size_t i = 0; i < value.size(); ++i) {
        TRY_ASSIGN(const NodeId id, child(value[i], pointer_to(pointer, i), maker));
        ids.push_back(id);
    }
    return ids;
}
Result<std::uint64_t> count(const Json& value, const std::string& pointer) {
    constexpr double most = 9e15;
    const bool whole = is_integral(value) && value >= 0 && value <= most;
    if (!whole) return malformed("must be a whole number that is not negative", pointer);
    return value.get<std::uint64_t>();
}
Result<std::vector<std::string>> strings(const Json& value, const std::string& pointer) {
    const bool good =
        value.is_array() && std::all_of(value.begin(), value.end(), std::mem_fn(&Json::is_string));
    if (!good) return malformed("must be a list of names", pointer);
    return value.get<std::vector<std::string>>();
}
template <class Rules>
Rules& made(std::unique_ptr<Rules>& rules) {
    if (!rules) rules = std::make_unique<Rules>();
    return *rules;
}

// --- annotations

Result<void> ignore(Node&, const Json&, const std::string&, NodeMaker&) {
    return {};
}
Result<void> text(Node&, const Json& value, const std::string& pointer, NodeMaker&) {
    if (!value.is_string()) return malformed("must be a text", pointer);
    return {};
}
Result<void> flag(Node&, const Json& value, const std::string& pointer, NodeMaker&) {
    if (!value.is_boolean()) return malformed("must be true or false", pointer);
    return {};
}
Result<void> list(Node&, const Json& value, const std::string& pointer, NodeMaker&) {
    if (!value.is_array()) return malformed("must be a list", pointer);
    return {};
}
// Only drafts whose keywords mean the same may be named; a wrong one would check otherwise.
Result<void> draft(Node&, const Json& value, const std::string& pointer, NodeMaker&) {
    const bool seven =
        value.is_string() && value.get<std::string>().find("draft-07/schema") != std::string::npos;
    if (!seven) {
        return malformed("only draft 7 is supported: http://json-schema.org/draft-07/schema#",
                         pointer);
    }
    return {};
}

// --- any value

Result<void> type(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    const Json names = value.is_array() ? value : Json::array({value});
    if (names.empty()) return malformed("must name at least one type", pointer);
    for (const Json& name : names) {
        static const std::map<std::string, TypeBit, std::less<>> bits{
            {"null", TypeNull},      {"boolean", TypeBoolean}, {"object", TypeObject},
            {"array", TypeArray},    {"string", TypeString},   {"number", TypeNumber},
            {"integer", TypeInteger}};
        const auto found = name.is_string() ? bits.find(name.get<std::string>()) : bits.end();
        if (found == bits.end()) {
            return malformed("must be null, boolean, object, array, string, number or integer",
                             pointer);
        }
        node.types = static_cast<std::uint8_t>(node.types | found->second);
    }
    return {};
}
Result<void> enumeration(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    if (!value.is_array() || value.empty()) {
        return malformed("must be a list of values that is not empty", pointer);
    }
    node.has_enum = true;
    node.values.assign(value.begin(), value.end());
    return {};
}
Result<void> constant(Node& node, const Json& value, const std::string&, NodeMaker&) {
    node.constant = value;
    return {};
}

// --- numbers

template <std::optional<Json> NumberRules::*bound>
Result<void> number(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    if (!value.is_number()) return malformed("must be a number", pointer);
    made(node.number).*bound = value;
    return {};
}
Result<void> multiple(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    if (!value.is_number() || value.get<double>() <= 0) {
        return malformed("must be a number above 0", pointer);
    }
    made(node.number).multiple_of = value;
    return {};
}

// --- strings

template <std::optional<std::uint64_t> StringRules::*bound>
Result<void> length(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    TRY_ASSIGN(made(node.string).*bound, count(value, pointer));
    return {};
}
Result<void> pattern(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    if (!value.is_string()) return malformed("must be a pattern in quotes", pointer);
    StringRules& rules = made(node.string);
    rules.pattern_text = value.get<std::string>();
    TRY_ASSIGN(rules.pattern, compile_pattern(rules.pattern_text, pointer));
    return {};
}
Result<void> format(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    if (!value.is_string()) return malformed("must be the name of a format", pointer);
    const auto name = value.get<std::string>();
    made(node.string).format = find_format(name);
    if (node.string->format == nullptr) {
        return malformed("the format \"" + name + "\" is not supported", pointer);
    }
    return {};
}

// --- arrays

Result<void> items(Node& node, const Json& value, const std::string& pointer, NodeMaker& maker) {
    ArrayRules& rules = made(node.array);
    if (!value.is_array()) {
        TRY_ASSIGN(rules.items, child(value, pointer, maker));
        return {};
    }
    TRY_ASSIGN(rules.tuple, children(value, pointer, true, maker));
    return {};
}
Result<void> additional_items(Node& node, const Json& value, const std::string& pointer,
                              NodeMaker& maker) {
    TRY_ASSIGN(made(node.array).rest, child(value, pointer, maker));
    return {};
}
template <std::optional<std::uint64_t> ArrayRules::*bound>
Result<void> array_size(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    TRY_ASSIGN(made(node.array).*bound, count(value, pointer));
    return {};
}
Result<void> unique(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    if (!value.is_boolean()) return malformed("must be true or false", pointer);
    made(node.array).unique = value.get<bool>();
    return {};
}
Result<void> contains(Node& node, const Json& value, const std::string& pointer, NodeMaker& maker) {
    TRY_ASSIGN(made(node.array).contains, child(value, pointer, maker));
    return {};
}

// --- objects

Result<void> properties(Node& node, const Json& value, const std::string& pointer,
                        NodeMaker& maker) {
    if (!value.is_object()) return malformed("must be an object of schemas", pointer);
    for (const auto& [name, schema] : value.items()) {
        TRY_ASSIGN(made(node.object).properties[name],
                   child(schema, pointer_to(pointer, name), maker));
    }
    return {};
}
Result<void> pattern_properties(Node& node, const Json& value, const std::string& pointer,
                                NodeMaker& maker) {
    if (!value.is_object()) return malformed("must be an object of schemas", pointer);
    for (const auto& [name, schema] : value.items()) {
        const std::string place = pointer_to(pointer, name);
        TRY_ASSIGN(auto compiled, compile_pattern(name, place));
        TRY_ASSIGN(const NodeId id, child(schema, place, maker));
        made(node.object).patterns.emplace_back(std::move(compiled), id);
    }
    return {};
}
Result<void> additional(Node& node, const Json& value, const std::string& pointer,
                        NodeMaker& maker) {
    TRY_ASSIGN(made(node.object).additional, child(value, pointer, maker));
    return {};
}
Result<void> required(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    TRY_ASSIGN(made(node.object).required, strings(value, pointer));
    return {};
}
template <std::optional<std::uint64_t> ObjectRules::*bound>
Result<void> object_size(Node& node, const Json& value, const std::string& pointer, NodeMaker&) {
    TRY_ASSIGN(made(node.object).*bound, count(value, pointer));
    return {};
}
Result<void> names(Node& node, const Json& value, const std::string& pointer, NodeMaker& maker) {
    TRY_ASSIGN(made(node.object).names, child(value, pointer, maker));
    return {};
}
Result<void> dependencies(Node& node, const Json& value, const std::string& pointer,
                          NodeMaker& maker) {
    if (!value.is_object()) return malformed("must be an object", pointer);
    for (const auto& [name, needed] : value.items()) {
        Dependency dependency;
        dependency.member = name;
        const std::string place = pointer_to(pointer, name);
        if (needed.is_array()) {
            TRY_ASSIGN(dependency.required, strings(needed, place));
        } else {
            TRY_ASSIGN(dependency.schema, child(needed, place, maker));
        }
        made(node.object).dependencies.push_back(std::move(dependency));
    }
    return {};
}
Result<void> members_are_schemas(Node&, const Json& value, const std::string& pointer,
                                 NodeMaker& maker) {
    if (!value.is_object()) return malformed("must be an object of schemas", pointer);
    for (const auto& [name, schema] : value.items()) {
        TRY(child(schema, pointer_to(pointer, name), maker));
    }
    return {};
}

// --- combinations

template <std::vector<NodeId> Combination::*list>
Result<void> several(Node& node, const Json& value, const std::string& pointer, NodeMaker& maker) {
    TRY_ASSIGN(made(node.combination).*list, children(value, pointer, false, maker));
    return {};
}
template <std::optional<NodeId> Combination::*one>
Result<void> single(Node& node, const Json& value, const std::string& pointer, NodeMaker& maker) {
    TRY_ASSIGN(made(node.combination).*one, child(value, pointer, maker));
    return {};
}
const std::map<std::string, Handler, std::less<>>& handlers() {
    static const std::map<std::string, Handler, std::less<>> table{
        {"$schema", draft},
        {"$id", text},
        {"$comment", text},
        {"title", text},
        {"description", text},
        {"default", ignore},
        {"examples", list},
        {"readOnly", flag},
        {"writeOnly", flag},
        {"type", type},
        {"enum", enumeration},
        {"const", constant},
        {"minimum", number<&NumberRules::minimum>},
        {"maximum", number<&NumberRules::maximum>},
        {"exclusiveMinimum", number<&NumberRules::exclusive_minimum>},
        {"exclusiveMaximum", number<&NumberRules::exclusive_maximum>},
        {"multipleOf", multiple},
        {"minLength", length<&StringRules::min_length>},
        {"maxLength", length<&StringRules::max_length>},
        {"pattern", pattern},
        {"format", format},
        {"items", items},
        {"additionalItems", additional_items},
        {"minItems", array_size<&ArrayRules::min_items>},
        {"maxItems", array_size<&ArrayRules::max_items>},
        {"uniqueItems", unique},
        {"contains", contains},
        {"properties", properties},
        {"patternProperties", pattern_properties},
        {"additionalProperties", additional},
        {"required", required},
        {"minProperties", object_size<&ObjectRules::min_members>},
        {"maxProperties", object_size<&ObjectRules::max_members>},
        {"propertyNames", names},
        {"dependencies", dependencies},
        {"definitions", members_are_schemas},
        {"allOf", several<&Combination::all_of>},
        {"anyOf", several<&Combination::any_of>},
        {"oneOf", several<&Combination::one_of>},
        {"not", single<&Combination::no>},
        {"if", single<&Combination::condition>},
        {"then", single<&Combination::then>},
        {"else", single<&Combination::otherwise>},
    };
    return table;
}

}  // namespace

Result<void> compile_keyword(Node& node, const std::string& keyword, const Json& value,
                             const std::string& parent, NodeMaker& maker) {
    const std::string pointer = pointer_to(parent, keyword);
    if (keyword.starts_with("x-")) return {};
    const auto found = handlers().find(keyword);
    if (found == handlers().end()) {
        return malformed("the keyword \"" + keyword + "\" is not supported", pointer);
    }
    if (keyword == "$id" && !parent.empty()) {
        return malformed("the keyword \"$id\" is supported at the root of a schema only", pointer);
    }
    return found->second(node, value, pointer, maker);
}

}  // namespace dutybook::rules
