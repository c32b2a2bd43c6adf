#pragma once
// A program made of some groups of commands. Which groups a program names decides which libraries
// it links: that is why each list stands in a file of its own.

#include "cli/command.h"
#include "cli/run.h"

#include <span>

namespace dutybook::cli {

using Groups = std::span<void (*const)(Commands&)>;

enum class Others : unsigned char { Refused, LeftAlone };  // commands that no group has

// The exit code; nothing if the command was left alone.
std::optional<int> run_with(Groups groups, const std::vector<std::string>& arguments,
                            const Offline& offline, Others others, std::ostream& out,
                            std::ostream& err);

}  // namespace dutybook::cli
