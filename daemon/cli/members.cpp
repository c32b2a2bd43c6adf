#include "cli/members.h"

#include "base/file.h"
#include "cli/run.h"

#include <filesystem>

namespace dutybook::cli {

namespace {

struct ExportOptions {
    std::string format = "allowed_signers", out = "-";
    const CLI::App* command = nullptr;
};

Result<Json> sites(Session& session, const Offline& offline) {
    std::error_code ignored;
    const auto store = session.store();
    if (store && std::filesystem::exists(*store / "run" / "dutybook.sock", ignored)) {
        Json all = Json::array();
        const auto asked = session.items(session.in_space("members"), 0,
                                         [&](const Json& site) { all.push_back(site); });
        if (asked) return json_result(std::move(all));
        // A socket that nobody listens at was left by a daemon that was killed.
        if (exit_code(asked.error()) != no_daemon) return asked.error();
    }
    if (!store) return store.error();
    return offline.members(*store, session.settings().space);
}

Result<int> list(Session& session, const Offline& offline) {
    TRY_ASSIGN(const Json all, sites(session, offline));
    if (session.json()) {
        for (const Json& site : all) print_json(session.out(), site);
        return done;
    }
    Table table({"SITE", "NAME", "LAST HEARD", "LOGS"});
    for (const Json& site : all) {
        const auto heard = text_of(site, "last_heard");
        table.add({text_of(site, "site"),
                   text_of(site, "name") + (site.value("own", false) ? " (this site)" : ""),
                   heard.empty() ? "never" : heard, one_line(site["logs"])});
    }
    table.print(session.out());
    return done;
}

// Stock git accepts with it every commit of every log:
//   git -c gpg.format=ssh -c gpg.ssh.allowedSignersFile=FILE verify-commit COMMIT
Result<int> export_signers(Session& session, const Offline& offline, const ExportOptions& options) {
    TRY_ASSIGN(const Json all, sites(session, offline));
    std::string text;
    for (const Json& site : all) {
        text += text_of(site, "site") + "@dutybook.invalid namespaces=\"git\" " +
                text_of(site, "key") + "\n";
    }
    if (options.out == "-") {
        session.out() << text;
        return done;
    }
    TRY(write_file_atomically(std::filesystem::absolute(options.out), text, 0644));
    if (session.json()) {
        print_json(session.out(), Json{{"file", options.out}, {"keys", all.size()}});
    } else {
        session.out() << "wrote " << options.out << " with " << all.size() << " keys\n";
    }
    return done;
}

}  // namespace

void add_members(Commands& commands) {
    auto& session = commands.session;
    const auto& offline = commands.offline;
    auto options = std::make_shared<ExportOptions>();
    auto& members =
        command(commands, commands.root, "members",
                "Lists the sites of the space: those whose logs are held here, and when each was "
                "last heard. Needs no daemon.",
                "members", [&session, &offline, options] {
                    return options->command->parsed() ? export_signers(session, offline, *options)
                                                      : list(session, offline);
                });
    members.require_subcommand(0, 1);
    auto* const exporting = members.add_subcommand(
        "export", "Writes the sites' public keys, so that other tools can check signatures.");
    exporting->footer("Example:\n  dutybook members export --format allowed_signers --out signers");
    exporting->add_option("--format", options->format, "allowed_signers: for git and ssh-keygen")
        ->check(CLI::IsMember({"allowed_signers"}))
        ->capture_default_str();
    exporting->add_option("--out", options->out, "where to write it; - is standard output")
        ->capture_default_str();
    options->command = exporting;
}

}  // namespace dutybook::cli
