#pragma once
// What the rules said of one record, as the index keeps it.

#include "rules/evaluator.h"
#include "store/index.h"

namespace dutybook::core {

store::Verdict verdict_row(const rules::Judgement& judgement);

}  // namespace dutybook::core
