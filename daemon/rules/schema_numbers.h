#pragma once
// Exact arithmetic on JSON numbers for the validator. Pure.

#include "base/json.h"

namespace dutybook::rules {

// value / step is a whole number, computed on the shortest decimal text of both, so that 0.3 is a
// multiple of 0.1. `step` is above 0.
bool is_multiple(const Json& value, const Json& step);

// Is a number without a fraction part (1.0 is one).
bool is_integral(const Json& value);

}  // namespace dutybook::rules
