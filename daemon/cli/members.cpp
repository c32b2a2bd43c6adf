#include "cli/members.h"

#include "base/file.h"
#include "cli/run.h"

#include <filesystem>

namespace dutybook::cli {

namespace {

struct Act {
    std::string site;
    std::optional<int> minimum;
};

struct ExportOptions {
    std::string format = "allowed_signers", out = "-";
    const CLI::App* command = nullptr;
    std::vector<std::pair<const CLI::App*, std::shared_ptr<Act>>> acts;
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

std::string state_of(const Json& member) {
    std::string state = text_of(member, "state");
    if (state == "active") state.clear();
    const auto add = [&state](const std::string& word) {
        state += (state.empty() ? "" : ", ") + word;
    };
    if (member.value("own", false)) add("this site");
    if (member.value("pen", false)) add("holds the pen");
    if (member.value("invite_used_twice", false)) add("INVITE USED TWICE");
    if (member.value("new_keys", false)) add("new keys, not recorded yet");
    std::uint64_t aside = 0;
    for (const Json& one : member.value("quarantined", Json::array())) {
        aside += one.value("operations", std::uint64_t{0});
    }
    if (aside > 0) add(std::to_string(aside) + " later operations set aside");
    return state;
}

Result<int> show(Session& session, const Json& all) {
    if (session.json()) {
        for (const Json& site : all) print_json(session.out(), site);
        return done;
    }
    Table table({"SITE", "NAME", "ROLE", "LAST HEARD", "STATE"});
    for (const Json& site : all) {
        const auto heard = text_of(site, "last_heard");
        table.add({text_of(site, "site"), text_of(site, "name"), text_of(site, "role"),
                   heard.empty() ? "never" : heard, state_of(site)});
    }
    table.print(session.out());
    return done;
}

Result<int> list(Session& session, const Offline& offline) {
    TRY_ASSIGN(const Json all, sites(session, offline));
    return show(session, all);
}

Result<int> change(Session& session, const std::string& word, const Act& act) {
    Json body = {{"do", word}};
    if (!act.site.empty()) body["site"] = act.site;
    if (act.minimum) body["minimum"] = *act.minimum;
    TRY_ASSIGN(const Json answer, session.post(session.in_space("members"), body));
    TRY(show(session, answer.value("items", Json::array())));
    if (!session.json()) session.out() << "done here; the others follow with their next sync\n";
    return done;
}

// Stock git accepts with it every commit of every log:
//   git -c gpg.format=ssh -c gpg.ssh.allowedSignersFile=FILE verify-commit COMMIT
Result<int> export_signers(Session& session, const Offline& offline, const ExportOptions& options) {
    TRY_ASSIGN(const Json all, sites(session, offline));
    std::string text;
    std::size_t count = 0;
    const auto add = [&](const Json& site, const Json& key) {
        text += text_of(site, "site") + "@dutybook.invalid namespaces=\"git\" " +
                key.get<std::string>() + "\n";
        ++count;
    };
    for (const Json& site : all) {
        for (const Json& key : site["keys"]) add(site, key);
    }
    if (options.out == "-") {
        session.out() << text;
        return done;
    }
    TRY(write_file_atomically(std::filesystem::absolute(options.out), text, 0644));
    if (session.json()) {
        print_json(session.out(), Json{{"file", options.out}, {"keys", count}});
    } else {
        session.out() << "wrote " << options.out << " with " << count << " keys\n";
    }
    return done;
}

}  // namespace

void add_members(Commands& commands) {
    auto& session = commands.session;
    const auto& offline = commands.offline;
    auto options = std::make_shared<ExportOptions>();
    auto& members = command(
        commands, commands.root, "members",
        "Lists who belongs to the space: role, when last heard, and what was set aside of removed "
        "sites. Needs no daemon. Changes are made where the pen is; SITE is a name or the "
        "beginning of an id.",
        "members", [&session, &offline, options]() -> Result<int> {
            for (const auto& [app, act] : options->acts) {
                if (app->parsed()) return change(session, app->get_name(), *act);
            }
            return options->command->parsed() ? export_signers(session, offline, *options)
                                              : list(session, offline);
        });
    const auto add_act = [&](const char* name, const char* what, bool of_site,
                             const char* example) {
        auto act = std::make_shared<Act>();
        auto* const app = members.add_subcommand(name, what);
        app->footer(std::string("Example:\n  dutybook members ") + example);
        if (of_site) app->add_option("site", act->site, "name or id")->required();
        options->acts.emplace_back(app, act);
        return std::pair(app, act);
    };
    add_act("remove",
            "Removes a site, or an invitation that was not used: what it wrote up to now counts, "
            "what comes later is set aside, and a new key begins that it does not get.",
            true, "remove South");
    add_act("retire", "This site says its last word: all that it wrote counts, and it ends.", false,
            "retire");
    add_act("rotate",
            "This site gets new keys, in all its spaces, and a new epoch begins: whoever has the "
            "old ones can then write nothing in its name.",
            false, "rotate");
    add_act("epoch", "Begins a new epoch: what is written from now on has another key.", false,
            "epoch");
    const auto [format, demanded] = add_act(
        "format",
        "From now on a site must know format N to take part: one that is older says \"update "
        "needed\" and keeps what is written there until it is updated.",
        false, "format 1");
    format->add_option("N", demanded->minimum, "the least format")->required();
    add_act("pen", "Hands the pen to another administrator's site.", true, "pen District");
    add_act("confirm", "Settles an invitation that two sites used: this one is right.", true,
            "confirm South");
    add_act("adopt", "Takes in all the same what a removed site wrote later.", true, "adopt South");
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
