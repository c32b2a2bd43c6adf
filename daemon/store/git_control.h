#pragma once
// The control log's objects in a repository.

#include "store/control_log.h"
#include "store/git_objects.h"

#include <functional>

namespace dutybook::store::git {

// Of a quarantine or of the log itself; see read_control_chain().
Result<ControlOffer> read_offer(const View& view, const CommitId& tip, const std::string& space,
                                const std::function<bool(const CommitId&)>& known);
std::string control_tree(const CommitId& blob);

}  // namespace dutybook::store::git
