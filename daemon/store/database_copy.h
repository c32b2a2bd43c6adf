#pragma once
// A copy of an SQLite database that others may be writing to: one transaction's view of it.

#include "base/result.h"

#include <string>

namespace dutybook::store {

Result<void> copy_database(const std::string& from, const std::string& to);

}  // namespace dutybook::store
