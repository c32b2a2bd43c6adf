#pragma once
// When something that is only asked about would first be within every limit that passes with time.

#include "domain/kind.h"
#include "rules/evaluator.h"

namespace dutybook::rules {

// `findings` are those of `subject`, asked with Purpose::Check. The latest of their limits may lie
// where another one stands in the way (a later dose, a third shift), so the subject is asked about
// again as of then, all its instants from the effective one on moved alike, until none is left.
// Nothing if no limit passes with time, if one never does, or if it is not found in a few steps.
Result<std::optional<Millis>> first_time(Evaluator& evaluator, const RuleRecord& subject,
                                         const domain::KindTraits& kind,
                                         std::span<const Finding> findings, RecordSource& source);

}  // namespace dutybook::rules
