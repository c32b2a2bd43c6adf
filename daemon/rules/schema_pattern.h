#pragma once
// Patterns of a schema as RE2: linear in time whatever the text. ECMA's \uXXXX and \cX are
// translated; look-around and back references are refused by RE2 and named as such.

#include "base/result.h"

#include <re2/re2.h>

#include <memory>
#include <string>

namespace dutybook::rules {

Result<std::unique_ptr<RE2>> compile_pattern(const std::string& pattern,
                                             const std::string& pointer);

}  // namespace dutybook::rules
