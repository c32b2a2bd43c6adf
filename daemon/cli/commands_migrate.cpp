// plugin migrate: records of an older shape.
#include "cli/command.h"
#include "cli/run.h"
#include "cli/values.h"

#include <ostream>

namespace dutybook::cli {

namespace {

struct MigrateOptions {
    std::string plugin, kind;
    bool dry_run = false;
};

std::string number(const Json& answer, const char* name) {
    return std::to_string(answer.value(name, std::uint64_t{0}));
}

void print_migration(Session& session, const Json& answer) {
    auto& out = session.out();
    const bool dry_run = answer.value("dry_run", false);
    out << text_of(answer, "id") << ' ' << text_of(answer, "version") << ": "
        << number(answer, "records") << " records looked at, "
        << number(answer, dry_run ? "old" : "changed") << (dry_run ? " would change" : " changed")
        << ", " << number(answer, "failed") << (dry_run ? " cannot be changed" : " could not be")
        << '\n';
    for (const auto& one : answer.value("problems", Json::array())) {
        const std::string record = text_of(one, "record");
        out << "  " << text_of(one, "space") << ' ' << text_of(one, "kind") << ' '
            << (record.empty() ? "(hidden)" : record) << ": " << text_of(one, "what");
        if (const auto at = text_of(one, "pointer"); !at.empty()) out << " (at " << at << ')';
        if (const auto why = text_of(one, "why"); !why.empty()) out << ": " << why;
        if (const auto fix = text_of(one, "fix"); !fix.empty()) out << "; " << fix;
        out << '\n';
    }
}

Result<int> migrate(Session& session, const MigrateOptions& options) {
    Json body = {{"dry_run", options.dry_run}};
    if (!options.kind.empty()) body["kind"] = options.kind;
    if (const std::string& space = session.settings().space; !space.empty()) body["space"] = space;
    int code = done;
    TRY(session.task("/v1/plugins/" + options.plugin + "/migrate", body, [&](const Json& answer) {
        if (answer.value("failed", 0) > 0) code = needs_person;
        if (session.json()) {
            print_json(session.out(), answer);
        } else {
            print_migration(session, answer);
        }
    }));
    return code;
}

}  // namespace

void add_migrate_command(Commands& commands, CLI::App& plugins) {
    auto& session = commands.session;
    auto options = std::make_shared<MigrateOptions>();
    auto& app = command(commands, plugins, "migrate",
                        "Brings records of an older shape to the shape that their kind has now. "
                        "Exit 7 if some could not be changed.",
                        "plugin migrate bus_duty --dry-run",
                        [&session, options] { return migrate(session, *options); });
    app.add_option("plugin", options->plugin, "its id")->required();
    app.add_option("--kind", options->kind, "records of this kind alone");
    app.add_flag("--dry-run", options->dry_run, "say what would change, and write nothing");
}

}  // namespace dutybook::cli
