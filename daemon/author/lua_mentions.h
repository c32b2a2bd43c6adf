#pragma once
// What the text of a plugin's Lua mentions by name: enough to find what is misspelt, without
// running it. Comments count for nothing. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::author {

struct Mention {
    std::string name;
    std::uint64_t line = 0;
    bool begins = false;  // more is appended to it: code = "lacks_" .. field
};

// `code = "too_early"`, as a finding says it.
std::vector<Mention> mentioned_codes(std::string_view lua);
// `needs.order`, `needs["order"]`.
std::vector<Mention> mentioned_needs(std::string_view lua);

}  // namespace dutybook::author
