#pragma once
// Text that may hold what a stranger wrote, for a terminal, a log and JSON.

#include <string>
#include <string_view>

namespace dutybook {

// Control characters, marks that turn the direction of writing and what is no UTF-8 become '?'; at
// most `longest` bytes. `kept`: ASCII characters that stay what they are.
std::string printable(std::string_view text, std::size_t longest = 2000,
                      std::string_view kept = {});

// The beginning of a text, cut between two characters.
std::string beginning(std::string_view text, std::size_t most);

}  // namespace dutybook
