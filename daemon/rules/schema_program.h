#pragma once
// A compiled schema: nodes in one array that name each other by position. Private to
// schema_compiler.cpp (which makes it) and schema_validator.cpp (which runs it).

#include "base/json.h"
#include "base/result.h"
#include "rules/schema_formats.h"

#include <re2/re2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dutybook::rules {

using NodeId = std::uint32_t;

// Bits of "type". A number without fraction is both Integer and Number.
enum TypeBit : std::uint8_t {
    TypeNull = 1,
    TypeBoolean = 2,
    TypeObject = 4,
    TypeArray = 8,
    TypeString = 16,
    TypeNumber = 32,
    TypeInteger = 64,
};

struct NumberRules {
    std::optional<Json> minimum, maximum, exclusive_minimum, exclusive_maximum;
    std::optional<Json> multiple_of;
};

struct StringRules {
    std::optional<std::uint64_t> min_length, max_length;  // code points
    std::unique_ptr<RE2> pattern;
    std::string pattern_text;
    const Format* format = nullptr;
};

struct ArrayRules {
    std::optional<NodeId> items;               // for all
    std::optional<std::vector<NodeId>> tuple;  // or one for each of the first ones
    std::optional<NodeId> rest;                // "additionalItems": after the tuple
    std::optional<std::uint64_t> min_items, max_items;
    bool unique = false;
    std::optional<NodeId> contains;
};

struct Dependency {
    std::string member;
    std::vector<std::string> required;
    std::optional<NodeId> schema;
};

struct ObjectRules {
    std::map<std::string, NodeId, std::less<>> properties;
    std::vector<std::pair<std::unique_ptr<RE2>, NodeId>> patterns;
    std::optional<NodeId> additional;
    std::vector<std::string> required;
    std::optional<std::uint64_t> min_members, max_members;
    std::vector<Dependency> dependencies;
    std::optional<NodeId> names;
};

struct Combination {
    std::optional<NodeId> ref;
    std::vector<NodeId> all_of, any_of, one_of;
    std::optional<NodeId> no, condition, then, otherwise;
};

struct Node {
    bool never = false;        // the schema `false`
    std::uint8_t types = 0;    // 0 = any
    std::vector<Json> values;  // of "enum"
    bool has_enum = false;
    std::optional<Json> constant;
    std::unique_ptr<NumberRules> number;
    std::unique_ptr<StringRules> string;
    std::unique_ptr<ArrayRules> array;
    std::unique_ptr<ObjectRules> object;
    std::unique_ptr<Combination> combination;
};

struct SchemaProgram {
    std::vector<Node> nodes;  // [0] is the root
};

Result<std::shared_ptr<const SchemaProgram>> compile_schema(const Json& document);

}  // namespace dutybook::rules
