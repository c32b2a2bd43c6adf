#pragma once
// "Did you mean": names near a misspelt one. Pure.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::rules {

// Insertions, deletions, replacements and swaps of neighbours; bytes, not characters.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Up to `most` names, nearest first: those whose last word (after '.') is the whole of `name`,
// then those within a third of its length.
std::vector<std::string> near_names(std::string_view name, std::span<const std::string> names,
                                    std::size_t most = 3);

// "did you mean a, b or c?", empty if there are none.
std::string did_you_mean(std::string_view name, std::span<const std::string> names);

}  // namespace dutybook::rules
