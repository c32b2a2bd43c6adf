#pragma once
// CORE-R06: a final record changes only with a reason, and so does a retracted one. The program
// keeps this rule itself, for every kind, whether or not a plugin is on. Pure.

#include "domain/fold.h"
#include "rules/finding.h"

#include <optional>
#include <string>
#include <string_view>

namespace dutybook::rules {

// Whether it says anything.
bool is_reason(std::string_view text);
// CORE-R06 as a finding, of severity `reject`. `message` is for people.
Finding without_reason(const std::string& record, std::string message);
// The finding for a change of a record of that status; nothing where it may be made.
std::optional<Finding> refused_change(const std::string& record, domain::Status status,
                                      std::string_view reason);

}  // namespace dutybook::rules
