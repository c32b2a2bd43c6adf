#pragma once
// The validator's words for people. Each completes "<field> ...". Pure.

#include "base/json.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::rules {

std::string sentence_of_types(std::uint8_t types);                // "must be a text or a number"
std::string sentence_of_choice(const std::vector<Json>& values);  // "must be one of urgent, high"
std::string counted(std::size_t count, std::string_view noun);    // "1 element", "3 elements"
// Strings bare, the rest as JSON, cut after 60 characters.
std::string short_text(const Json& value);

}  // namespace dutybook::rules
