#pragma once
// The answer to a write that names a version which is no longer shown.

#include "core/working.h"

namespace dutybook::core {

// Code::Stale; `detail` is {"changes":[{"field","then","now"}],"version":current}, a value that
// was or is absent being null. Where the named version is not among the latest states of the
// record there are no changes to name, and `why` says so.
Error stale(const Working& record, const std::string& named);

}  // namespace dutybook::core
