#pragma once
// How a command is declared: one function for each group of commands adds its subcommands to the
// program; the one that was chosen runs after the command line has been read.

#include "cli/print.h"
#include "cli/session.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <functional>
#include <string>

namespace dutybook::cli {

struct Offline;

struct Commands {
    CLI::App& root;
    Session& session;
    const Offline& offline;
    std::function<Result<int>()> chosen;
};

using Run = std::function<Result<int>()>;

// A command with its help and an example of its use.
inline CLI::App& command(Commands& commands, CLI::App& parent, const std::string& name,
                         const std::string& what, const std::string& example, Run run) {
    CLI::App* const app = parent.add_subcommand(name, what);
    app->footer("Example:\n  dutybook " + example);
    app->callback([&commands, run = std::move(run)] { commands.chosen = run; });
    return *app;
}

// A group such as `remote`, whose first word names the command.
inline CLI::App& group(Commands& commands, const std::string& name, const std::string& what) {
    CLI::App* const app = commands.root.add_subcommand(name, what);
    app->require_subcommand(1);
    return *app;
}

// The same group for another file of commands.
inline CLI::App& group_made(Commands& commands, const std::string& name) {
    return *commands.root.get_subcommand(name);
}

// An option that may be repeated, with one value each time.
inline void repeated(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                     const std::string& what) {
    app.add_option(name, values, what)->expected(1)->allow_extra_args(false)->take_all();
}

// Of an option that counts; the words of CLI11 for a wrong one are those of C++.
inline CLI::Validator whole_number() {
    return {[](const std::string& text) {
                const bool whole = !text.empty() && text.size() <= 9 &&
                                   text.find_first_not_of("0123456789") == std::string::npos;
                return whole ? std::string() : "'" + text + "' is no whole number from 0 on";
            },
            ""};
}

// What a write was made from: over a change that nobody saw it is refused.
inline void add_version_option(CLI::App& app, std::string& version) {
    app.add_option("--version", version,
                   "the version that the change was made from; exit 4 if it is no longer the last");
}

void add_record_commands(Commands& commands);  // add check show set finalise retract delete restore
void add_query_commands(Commands& commands);   // list search history diff
void add_conflict_commands(Commands& commands);  // conflicts resolve
void add_finding_commands(Commands& commands);   // findings answer
void add_kind_commands(Commands& commands);      // kind list, kind show
void add_space_commands(Commands& commands);     // space list, space create
void add_remote_commands(Commands& commands);    // remote add set check list remove
void add_sync_commands(Commands& commands);      // sync status
void add_member_commands(Commands& commands);    // init invite join
void add_plugin_commands(Commands& commands);    // plugin list install remove ... doctor
void add_explain_command(Commands& commands, CLI::App& plugins);         // plugin explain
Result<int> show_settings(Session& session, const std::string& plugin);  // plugin config PLUGIN
void add_migrate_command(Commands& commands, CLI::App& plugins);         // plugin migrate
void add_author_commands(Commands& commands);  // plugin new lint test bench
void add_import_commands(Commands& commands);  // import
void add_report_commands(Commands& commands);  // report
void add_access_commands(Commands& commands);  // account ..., token ...
void add_export_commands(Commands& commands);  // export
void add_today_commands(Commands& commands);   // today due
void add_care_commands(Commands& commands);    // verify repair rebuild

}  // namespace dutybook::cli
