#pragma once
// LEDES 1998B: what law firms bill with. ASCII, "|" between the 24 fields, "[]" at a line's end.

#include "formats/blocks.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::formats {

inline constexpr std::size_t ledes_fields = 24;
extern const std::array<std::string_view, ledes_fields> ledes_names;

// The report's table whose columns are called as the 24 fields. A report that refuses to bill
// (problems instead of a table) is Code::Conflict with its first texts.
Result<std::string> render_ledes(const Report& report);

// A text as LEDES can carry it: ASCII, no pipes, brackets or line breaks, trimmed.
std::string ledes_text(std::string_view text);

struct LedesLine {
    std::uint64_t line = 0;  // of the file
    std::array<std::string, ledes_fields> fields;
    const std::string& at(std::string_view name) const;  // by one of ledes_names
};
struct LedesFile {
    std::vector<LedesLine> lines;
    std::vector<Error> errors;  // lines that are none, by number
};
// Refuses what does not begin with LEDES1998B[] and the 24 names.
Result<LedesFile> read_ledes(std::string_view text, const std::string& file);

}  // namespace dutybook::formats
