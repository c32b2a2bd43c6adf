#pragma once
// What a command makes goes to standard output, or whole into a file.

#include "cli/session.h"

namespace dutybook::cli {

// An empty `out` or "-" is standard output. A file replaces the one that is there, at once.
Result<int> write_output(Session& session, const std::string& text, const std::string& out);

}  // namespace dutybook::cli
