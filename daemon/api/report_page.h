#pragma once
// Blocks of a report as a page of this site.

#include "api/call.h"
#include "formats/html.h"

namespace dutybook::api {

formats::ChartMaker charts(const Services& services);
// Checked blocks under a title, with the site's name and the time of now.
Result<formats::Report> report_of(const Services& services, const Json& blocks,
                                  const std::string& title, const std::string& language);
Result<std::string> page_of(const Services& services, const Json& blocks, const std::string& title,
                            const std::string& language);

}  // namespace dutybook::api
