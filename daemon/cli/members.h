#pragma once
// members, members export: the sites of a space. Through the daemon, or from the store's files
// where none runs.

#include "cli/command.h"

namespace dutybook::cli {

void add_members(Commands& commands);

}  // namespace dutybook::cli
