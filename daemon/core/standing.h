#pragma once
// A finding that stood already, at a field that a change leaves alone, never blocks the change: a
// tightened rule must not make old records uneditable.

#include "domain/fold.h"
#include "rules/evaluator.h"

namespace dutybook::core {

// Of the findings about `after` those that reject and stood in `before` are told as of a record
// that is stored. Asks the evaluator about `before` only if one rejects.
Result<void> spare_what_stood(std::vector<rules::Finding>& findings,
                              const domain::RecordState& before, const domain::RecordState& after,
                              const std::string& space, rules::Evaluator& evaluator,
                              rules::RecordSource& source);

}  // namespace dutybook::core
