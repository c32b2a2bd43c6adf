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
    Json blocks = Json::array();  // checked
};

// Refuses unknown block types and members of a wrong type, with a pointer ("/2/rows/0/1").
Result<Json> check_blocks(Json blocks);

// The text of a table cell or any other scalar: numbers as JSON writes them, null as "".
std::string cell_text(const Json& cell);

}  // namespace dutybook::formats
