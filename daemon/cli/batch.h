#pragma once
// `add --file`: NDJSON of any size, sent as it is.

#include "cli/session.h"

namespace dutybook::cli {

// Sends the file (`-`: standard input) without looking into it, so that the daemon judges every
// byte, and prints one line of answer for each line. Exit 3 if any line failed.
Result<int> add_file(Session& session, const std::string& file, const std::string& key);

}  // namespace dutybook::cli
