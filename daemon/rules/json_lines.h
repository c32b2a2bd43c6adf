#pragma once
// Where a JSON Pointer stands in a text: people look for lines. Pure; never fails on bad JSON.

#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <string_view>

namespace dutybook::rules {

// The 1-based line of the member or element; of the nearest one above it if it is not there.
std::uint64_t line_of(std::string_view text, std::string_view pointer);

// Reads a file that a person wrote (schema, manifest). Errors name the file and carry line and
// pointer.
Result<Json> parse_document(std::string_view text, const std::string& file,
                            std::size_t most_bytes = 1u << 20);

// "file: what", with the line of the pointer in `text`.
Error in_file(Error error, const std::string& file, std::string_view text);

}  // namespace dutybook::rules
