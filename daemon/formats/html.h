#pragma once
// A report as one HTML 5 page that prints: no script, no outside resource, charts as inline SVG.

#include "formats/blocks.h"
#include "formats/chart.h"

namespace dutybook::formats {

Result<std::string> render_html(const Report& report, const ChartMaker& charts);
std::string escape_html(std::string_view text);

}  // namespace dutybook::formats
