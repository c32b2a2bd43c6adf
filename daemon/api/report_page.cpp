#include "api/report_page.h"

namespace dutybook::api {

formats::ChartMaker charts(const Services& services) {
    return formats::ChartMaker(services.programs + "/dutybook-supervise");
}

Result<formats::Report> report_of(const Services& services, const Json& blocks,
                                  const std::string& title, const std::string& language) {
    formats::Report report;
    report.title = title;
    report.language = language;
    report.site = services.book->site().name;
    report.made_at = format_in_zone(services.clock->now(), services.book->site().zone);
    TRY_ASSIGN(report.blocks, formats::check_blocks(blocks));
    return report;
}

Result<std::string> page_of(const Services& services, const Json& blocks, const std::string& title,
                            const std::string& language) {
    TRY_ASSIGN(const auto report, report_of(services, blocks, title, language));
    return formats::render_html(report, charts(services));
}

}  // namespace dutybook::api
