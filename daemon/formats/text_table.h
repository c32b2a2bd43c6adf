#pragma once
// Aligned columns for a terminal: cells are wrapped at words so that no line is wider than asked.

#include <cstddef>
#include <string>
#include <vector>

namespace dutybook::formats {

// Letters of UTF-8, the width in a terminal that our texts need.
std::size_t characters(const std::string& text);
// Words on lines of at most `width`; a longer word is cut.
std::vector<std::string> wrapped(const std::string& text, std::size_t width);

// The first row is the head. Columns without any cell but the head are left out.
std::string text_table(std::vector<std::vector<std::string>> rows, std::size_t width);

}  // namespace dutybook::formats
