#pragma once
// Reports as trees of blocks. The shape is described for authors in plugins/REFERENCE.md
// ("Blocks") and checked here, so that the renderers can rely on it.

#include "base/json.h"
#include "base/result.h"

#include <string>
#include <string_view>

namespace dutybook::formats {

struct Report {
    std::string title;
    std::string language = "en";  // BCP 47
    std::string site;             // name, for the page's foot
    std::string made_at;          // instant, for the page's foot
    bool landscape = false;       // printed across
    Json blocks = Json::array();  // checked
};

// When it was made, for its foot: "2026-05-04 08:00 (-04:00)".
std::string made_text(const Report& report);

// Refuses unknown block types and members of a wrong type, with a pointer ("/2/rows/0/1").
Result<Json> check_blocks(Json blocks);

// Events stand for themselves in a calendar. On a page and in a table they are shown only where the
// report has no table that says the same.
bool shows_events(const Report& report);

// "12", "-0.50", "+3": what a spreadsheet takes for a number, and what stands to the right.
bool is_number(std::string_view text);

// The text of a table cell or any other scalar: numbers as JSON writes them, null as "".
std::string cell_text(const Json& cell);

}  // namespace dutybook::formats
