#pragma once
// CSV by RFC 4180 (libcsv): tables of reports out, foreign files in.

#include "formats/blocks.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::formats {

// All tables of a report, an empty line between two; events as a table where there is
// no other; without any, its texts.
// Cells that a spreadsheet would take for a formula (=, +, -, @, tab, return in front, unless it is
// a number) get an apostrophe in front.
std::string render_csv(const Report& report);
std::string csv_cell(std::string_view text, bool guard);

struct CsvRow {
    std::uint64_t line = 0;  // 1-based line on which it starts
    std::vector<std::string> cells;
};
// Calls `row` for each row, header included; stops early on false. Copes with a byte-order mark,
// CRLF and LF, quotes and line breaks in quotes; cells are parted by commas, semicolons or tabs,
// whichever the header row has most of. NUL, a quote in the middle of a cell, an unclosed quote and
// a row over 1 MiB are errors that name the line on which the row starts: they go to `bad`, and
// reading goes on with the next line; without `bad` the first one ends it.
Result<void> read_csv(std::string_view text, const std::function<bool(CsvRow)>& row,
                      const std::function<void(Error)>& bad = {});

}  // namespace dutybook::formats
