#include "cli/run_with.h"

namespace dutybook::cli {

int run(const std::vector<std::string>& arguments, const Offline& offline, std::ostream& out,
        std::ostream& err) {
    static constexpr void (*groups[])(Commands&) = {
        add_record_commands, add_query_commands,  add_conflict_commands, add_finding_commands,
        add_kind_commands,   add_space_commands,  add_remote_commands,   add_sync_commands,
        add_member_commands, add_plugin_commands, add_author_commands,   add_report_commands,
        add_import_commands, add_export_commands, add_today_commands,    add_care_commands,
        add_access_commands};
    return *run_with(groups, arguments, offline, Others::Refused, out, err);
}

}  // namespace dutybook::cli
