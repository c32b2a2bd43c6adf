#pragma once
// What a cell of a foreign table says, by what the mapping says of it. Pure.

#include "base/json.h"
#include "base/result.h"

#include <functional>
#include <string>
#include <string_view>

namespace dutybook::formats {

std::string trimmed(std::string_view text);
std::string lower_case(std::string_view text);  // ASCII letters
// "{name}" replaced by what `value` gives for the name.
std::string fill(const std::string& shape,
                 const std::function<std::string(const std::string&)>& value);
bool in_map(const Json& map, const std::string& text);  // upper and lower case alike
// The value of a text that is not empty, by "map", "type" and "refer" of the source.
Result<Json> read_value(const Json& source, const std::string& text, const std::string& zone);

}  // namespace dutybook::formats
