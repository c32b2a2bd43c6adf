#pragma once
// Inside: the fold of a single operation, as most records have no other. What is more than
// registers and added elements is left to the fold of many, which gives the same.

#include "domain/fold.h"

#include <optional>

namespace dutybook::domain {

std::optional<RecordState> fold_alone(const Operation& operation);

}  // namespace dutybook::domain
