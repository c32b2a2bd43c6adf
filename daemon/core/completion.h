#pragma once
// What plugins fill in before a record is stored or asked about.

#include "rules/evaluator.h"
#include "rules/kinds.h"

namespace dutybook::core {

// A value that its kind does not take, or that is too large for a field, stays out: a plugin's
// mistake must not refuse what a person writes.
void fill_in(Json& fields, const rules::Completion& completion, const std::string& kind,
             const rules::Kinds& kinds);

}  // namespace dutybook::core
