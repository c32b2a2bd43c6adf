// init invite join
//
// An invitation is JSON, in a file as invitation.h writes it:
//   {"format":1,"site":NAME,"role":"writer","space":{"id","name","parent","epochs"},
//    "remotes":[{"name","url","window"}],"parent":{"space":{...},"remotes":[...]} or null}
// "epochs" are the keys of the space; an unencrypted one has none.
#include "base/file.h"
#include "cli/command.h"
#include "cli/invitation.h"
#include "cli/members.h"
#include "cli/run.h"

#include <filesystem>
#include <iostream>
#include <iterator>

namespace dutybook::cli {

namespace {

struct InitOptions {
    std::string site, zone;
};

void add_init(Commands& commands) {
    auto& session = commands.session;
    const auto& offline = commands.offline;
    auto options = std::make_shared<InitOptions>();
    auto& app = command(
        commands, commands.root, "init", "Makes a store in --store, with a site and a first space.",
        "init --store /var/lib/dutybook --site North --space north --tz America/New_York",
        [&session, &offline, options]() -> Result<int> {
            const auto& space = session.settings().space;
            if (space.empty()) {
                return usage_error("no space is named", "give --space NAME");
            }
            TRY_ASSIGN(const auto store, session.store());
            TRY_ASSIGN(const Json made, offline.init({store, options->site, space, options->zone}));
            if (session.json()) {
                print_json(session.out(), made);
            } else {
                session.out() << "made the site " << options->site << " with the space " << space
                              << " in " << store.string() << "\nstart it: dutybookd --store "
                              << store.string() << '\n';
            }
            return done;
        });
    app.add_option("--site", options->site, "the site's name, for people")->required();
    app.add_option("--tz", options->zone, "its time zone, such as America/New_York");
}

struct InviteOptions {
    std::string site, out, role = "writer";
};

Result<int> invite(Session& session, const InviteOptions& options) {
    TRY_ASSIGN(Json invitation, session.get(session.in_space("invite")));
    invitation["format"] = 1;
    invitation["site"] = options.site;
    invitation["role"] = options.role;
    TRY_ASSIGN(const auto words, passphrase(session.err(), true));
    const Json plain = invitation;
    if (words) {
        TRY_ASSIGN(invitation, seal_invitation(plain, *words));
    } else {
        session.err() << "warning: the invitation is not protected by a passphrase: whoever gets "
                         "hold of it reads the space (set DUTYBOOK_PASSPHRASE)\n";
    }
    const auto text = invitation.dump(1) + "\n";
    if (options.out == "-") {
        session.out() << text;
        return done;
    }
    TRY(write_file_atomically(std::filesystem::absolute(options.out), text));
    if (session.json()) {
        print_json(
            session.out(),
            Json{{"file", options.out}, {"passphrase", words.has_value()}, {"site", options.site}});
    } else {
        session.out() << "wrote " << options.out << "; at the new site: dutybook join "
                      << options.out << " --store DIR\n";
        if (plain.value("remotes", Json::array()).empty()) {
            session.err() << "the space has no remote yet, so the invitation names none\n";
        }
    }
    return done;
}

void add_invite(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<InviteOptions>();
    auto& app = command(commands, commands.root, "invite",
                        "Writes the file with which another site joins the space.",
                        "invite South --out south.invite",
                        [&session, options] { return invite(session, *options); });
    app.add_option("site", options->site, "the new site's name")->required();
    app.add_option("--out", options->out, "where to write it; - is standard output")->required();
    app.add_option("--role", options->role, "writer, reader or admin")
        ->check(CLI::IsMember({"writer", "reader", "admin"}))
        ->capture_default_str();
}

Result<std::string> read_input(const std::string& file) {
    constexpr std::size_t limit = 4 * 1024 * 1024;
    if (file != "-") return read_file(file, limit);
    return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

Result<void> join_space(Session& session, const Json& space, const Json& remotes) {
    const auto name = text_of(space, "name");
    Json body = {{"name", name}, {"id", space.value("id", "")}};
    if (const auto parent = text_of(space, "parent"); !parent.empty()) body["parent"] = parent;
    if (space.contains("epochs")) body["epochs"] = space["epochs"];
    auto made = session.post("/v1/spaces", body);
    // Joined before, or by an invitation of a sibling that brought the same parent.
    if (!made && made.error().code != Code::Exists) return made.error();
    for (const auto& remote : remotes) {
        const auto target = "/v1/spaces/" + percent_encode(name) + "/remotes";
        auto added = session.post(target, remote);
        if (!added && added.error().code != Code::Exists) return added.error();
    }
    return {};
}

Result<void> join_running(Session& session, const Json& invitation) {
    if (const auto parent = invitation.find("parent");
        parent != invitation.end() && parent->is_object()) {
        TRY(join_space(session, parent->value("space", Json::object()),
                       parent->value("remotes", Json::array())));
    }
    return join_space(session, invitation.value("space", Json::object()),
                      invitation.value("remotes", Json::array()));
}

Result<int> join(Session& session, const Offline& offline, const std::string& file) {
    TRY_ASSIGN(const auto store, session.store());
    TRY_ASSIGN(const auto text, read_input(file));
    TRY_ASSIGN(Json invitation, parse_json(text, {32, 4 * 1024 * 1024}));
    if (is_sealed(invitation)) {
        TRY_ASSIGN(const auto words, passphrase(session.err(), false));
        if (!words) {
            return usage_error("the invitation is protected by a passphrase",
                               "set DUTYBOOK_PASSPHRASE to it");
        }
        TRY_ASSIGN(invitation, open_invitation(invitation, *words));
    }
    if (!invitation.is_object() || !invitation.contains("space") ||
        !invitation.contains("format")) {
        return malformed(file + " is not an invitation");
    }
    if (invitation["format"] != 1) {
        return failure(Code::NewerFormat, file + " was written by a newer Dutybook", "",
                       "update this one");
    }
    const auto space = text_of(invitation["space"], "name");
    std::error_code ignored;
    Json answer = {{"space", space}, {"store", store.string()}};
    if (std::filesystem::exists(store / "run" / "dutybook.sock", ignored)) {
        auto joined = join_running(session, invitation);
        // A socket that nobody listens at was left by a daemon that was killed.
        if (!joined && exit_code(joined.error()) != no_daemon) return joined.error();
        if (!joined) {
            TRY_ASSIGN(answer, offline.join(store, invitation));
        }
    } else {
        TRY_ASSIGN(answer, offline.join(store, invitation));
    }
    if (session.json()) {
        print_json(session.out(), answer);
    } else {
        session.out() << "joined the space " << space << "; `dutybook sync` fetches it\n";
    }
    return done;
}

}  // namespace

void add_member_commands(Commands& commands) {
    add_init(commands);
    add_invite(commands);
    auto& session = commands.session;
    const auto& offline = commands.offline;
    auto file = std::make_shared<std::string>();
    auto& app = command(commands, commands.root, "join",
                        "Joins a space by an invitation. In an empty --store it makes the store; "
                        "no network is used.",
                        "join south.invite --store /var/lib/dutybook",
                        [&session, &offline, file] { return join(session, offline, *file); });
    app.add_option("file", *file, "the invitation; - is standard input")->required();
    add_members(commands);
}

}  // namespace dutybook::cli
