#pragma once
// JSON at the door: strict reading with the limits of format 1, and canonical writing (RFC 8785).
// Bulk reading of operations uses simdjson directly (domain/operation.cpp); this is for requests,
// configuration and schemas.

#include "base/result.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace dutybook {

using Json = nlohmann::json;

struct JsonLimits {
    std::size_t depth = 32;           // nested arrays and objects
    std::size_t bytes = 64 * 1024;    // of the whole text
};

// Refuses with a JSON Pointer: invalid UTF-8, NUL in a string or key, a key given twice, nesting
// beyond the limit, integers beyond +-(2^53-1) and numbers that a double cannot hold (both say
// "write it as a string"), a byte-order mark, anything after the value. Never recurses: 10 MB of
// '[' costs nothing.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

// RFC 8785: members sorted by UTF-16 code units, shortest round-trip numbers (1.0 is 1), no space.
std::string canonical(const Json& value);

// Append one RFC 6901 reference token ("~" and "/" escaped) to a pointer.
std::string pointer_to(std::string_view pointer, std::string_view token);
std::string pointer_to(std::string_view pointer, std::size_t index);

}  // namespace dutybook
