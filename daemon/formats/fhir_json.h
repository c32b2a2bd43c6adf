#pragma once
// FHIR's JSON: decimals keep their digits (0.10 stays 0.10), which no JSON library promises.

#include "base/json.h"

#include <string>
#include <string_view>

namespace dutybook::formats {

// A decimal travels through the JSON tree as marked text.
inline constexpr std::string_view decimal_mark = "decimal:";

// "decimal:0.10" in quotes becomes 0.10: what is written.
std::string with_decimals(std::string text);
// The reverse, of what is read: every number outside of quotes becomes marked text.
std::string with_marks(std::string_view text);
bool is_fhir_decimal(std::string_view text);

// Null where there is none.
const Json& member(const Json& object, const char* name);
// Empty where there is none, or where it is no text.
std::string text_in(const Json& object, const char* name);

}  // namespace dutybook::formats
