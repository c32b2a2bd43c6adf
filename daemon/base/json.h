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

// Beyond it a double no longer holds every integer.
inline constexpr std::int64_t max_safe_integer = (std::int64_t{1} << 53) - 1;

struct JsonLimits {
    std::size_t depth = 32;         // nested arrays and objects
    std::size_t bytes = 64 * 1024;  // of the whole text
};

// Refuses with a JSON Pointer: invalid UTF-8, NUL in a string or key, a key given twice, nesting
// beyond the limit, numbers beyond +-(2^53-1), with more than 17 significant digits or too small
// for a double (all say "write it as a string"), a byte-order mark, anything after the value.
// Whole numbers come back as integers however they were written (1.0 and 1e0 are 1). Never
// recurses: 10 MB of '[' costs nothing. Code::TooLarge for the byte and depth limits.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

// RFC 8785: members sorted by UTF-16 code units, shortest round-trip numbers (1.0 is 1), no space.
// Recurses: for values within the depth limit. NaN and infinities become null.
std::string canonical(const Json& value);

// The parts of canonical writing, for those who do not hold a DOM.
void append_canonical_string(std::string& out, std::string_view utf8);
void append_canonical_number(std::string& out, double value);
bool utf16_less(std::string_view a, std::string_view b);  // of UTF-8 texts

// Append one RFC 6901 reference token ("~" and "/" escaped) to a pointer.
std::string pointer_to(std::string_view pointer, std::string_view token);
std::string pointer_to(std::string_view pointer, std::size_t index);

}  // namespace dutybook
