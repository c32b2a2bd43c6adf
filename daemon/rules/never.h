#pragma once
// A limit that waiting does not help against: one dose that is more than a whole day may have.

#include "base/clock.h"

namespace dutybook::rules {

inline constexpr Millis never_passes = 253'402'300'799'999;  // the last millisecond of 9999

}  // namespace dutybook::rules
