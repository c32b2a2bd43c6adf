#include "cli/run_with.h"

namespace dutybook::cli {

std::optional<int> run_everyday(const std::vector<std::string>& arguments, std::ostream& out,
                                std::ostream& err) {
    static constexpr void (*groups[])(Commands&) = {
        add_record_commands, add_query_commands, add_conflict_commands, add_finding_commands,
        add_kind_commands,   add_space_commands, add_remote_commands,   add_sync_commands,
        add_report_commands, add_today_commands, add_access_commands};
    static const Offline nothing;
    return run_with(groups, arguments, nothing, Others::LeftAlone, out, err);
}

}  // namespace dutybook::cli
