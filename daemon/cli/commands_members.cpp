// init invite join recover
//
// An invitation is JSON, in a file as invitation.h writes it:
//   {"format":1,"site":NAME,"role":"writer","space":{"id","name","parent","epochs"},
//    "control":{"head","pieces"},"invite":{"sign","box"},
//    "remotes":[{"name","url","window"}],"parent":{...the same, role reader} or null}
// "epochs" are the keys of the space, "control" its control log to its head, "invite" the keys
// that the site introduces itself with.
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
                print_recovery_key(session, made);
            }
            session.err() << "warning: the space has only one administrator; invite a second one "
                             "with --role admin\n";
            return done;
        });
    app.add_option("--site", options->site, "the site's name, for people")->required();
    app.add_option("--tz", options->zone, "its time zone, such as America/New_York");
}

struct InviteOptions {
    std::string site, out, role = "writer";
};

Result<void> can_be_written(const std::string& out) {
    if (out == "-") return {};
    const auto file = std::filesystem::absolute(out);
    if (!std::filesystem::is_directory(file.parent_path())) {
        return failure(Code::NotFound, "there is no folder " + file.parent_path().string(), {},
                       "make it, or name another file with --out");
    }
    if (!std::filesystem::exists(file)) return {};
    return failure(Code::Exists, out + " is there already", "it may be another site's invitation",
                   "name another file, or remove that one");
}

Result<int> invite(Session& session, const InviteOptions& options) {
    // Before the space is told of the invitation: what is not given or not free changes nothing.
    TRY(can_be_written(options.out));
    TRY_ASSIGN(const auto words, passphrase(session.err(), true));
    TRY_ASSIGN(Json invitation, session.post(session.in_space("invite"),
                                             {{"site", options.site}, {"role", options.role}}));
    const Json warnings = invitation.value("warnings", Json::array());
    invitation.erase("warnings");
    invitation["format"] = 1;
    const Json plain = invitation;
    if (words) {
        TRY_ASSIGN(invitation, seal_invitation(plain, *words));
    } else {
        session.err() << "warning: the invitation is not protected by a passphrase: whoever gets "
                         "hold of it reads the space (set DUTYBOOK_PASSPHRASE)\n";
    }
    for (const Json& warning : warnings)
        session.err() << "warning: " << warning.get<std::string>() << '\n';
    const auto text = invitation.dump(1) + "\n";
    if (options.out == "-") {
        session.out() << text;
        return done;
    }
    TRY(write_file_atomically(std::filesystem::absolute(options.out), text));
    if (session.json()) {
        print_json(session.out(), Json{{"file", options.out},
                                       {"passphrase", words.has_value()},
                                       {"site", options.site},
                                       {"warnings", warnings}});
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

Error no_invitation(const std::string& file, const std::string& why) {
    return failure(Code::Malformed,
                   (file == "-" ? "standard input" : file) + " is no invitation file", why,
                   "name the file that `dutybook invite SITE --out FILE` wrote");
}

Result<Json> read_invitation_file(const std::string& file) {
    TRY_ASSIGN(const auto text, read_input(file));
    auto json = parse_json(text, {32, 4 * 1024 * 1024});
    if (!json) return no_invitation(file, json.error().text());
    const bool shaped =
        json->is_object() && json->contains("format") &&
        (is_sealed(*json) || (json->contains("space") && (*json)["space"].is_object()));
    if (!shaped) return no_invitation(file, "it is JSON, and not what an invitation consists of");
    return json;
}

// A join that was cut off goes on. Nothing to go on with is an error, but of a parent: a sibling's
// invitation brings the same one.
Result<void> join_space(Session& session, const Json& part, bool parent) {
    const auto name = text_of(part.value("space", Json::object()), "name");
    Json invitation = Json::object();
    for (const char* member : {"control", "invite", "space"}) {
        if (part.contains(member)) invitation[member] = part[member];
    }
    const auto made = session.post("/v1/spaces", {{"invitation", invitation}, {"name", name}});
    // Conflict: here by another invitation. That no other space has its name was seen before.
    const bool here = !made && (made.error().code == Code::Exists ||
                                (parent && made.error().code == Code::Conflict));
    if (!made && !here) return made.error();
    bool missing = !here;
    for (const auto& remote : part.value("remotes", Json::array())) {
        const auto target = "/v1/spaces/" + percent_encode(name) + "/remotes";
        const auto added = session.post(target, remote);
        if (!added && added.error().code != Code::Exists) return added.error();
        missing = missing || added;
    }
    return missing || parent ? Result<void>{} : made.error();
}

Result<void> join_running(Session& session, const Json& invitation) {
    if (const auto parent = invitation.find("parent");
        parent != invitation.end() && parent->is_object()) {
        TRY(join_space(session, *parent, true));
    }
    return join_space(session, invitation, false);
}

Result<int> join(Session& session, const Offline& offline, const std::string& file) {
    TRY_ASSIGN(const auto store, session.store());
    TRY_ASSIGN(Json invitation, read_invitation_file(file));
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
        return no_invitation(file, "what it holds is not what an invitation consists of");
    }
    if (invitation["format"] != 1) {
        return failure(Code::NewerFormat, file + " was written by a newer Dutybook", "",
                       "update this one");
    }
    TRY(offline.check_invitation(store, invitation));
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

struct RecoverOptions {
    Offline::Recover offline;
    std::string key;
};

Result<int> recover(Session& session, const Offline& offline, const RecoverOptions& options) {
    TRY_ASSIGN(const auto store, session.store());
    std::error_code ignored;
    const bool here = std::filesystem::exists(store / "site.json", ignored);
    if (!here && options.offline.remote.empty()) {
        return usage_error("no remote is named", "give --remote URL, where the space is synced");
    }
    TRY_ASSIGN(const std::string key, recovery_key(session.err(), options.key));
    if (options.offline.remote.empty()) {
        TRY_ASSIGN(const Json answer,
                   session.post(session.in_space("members"), {{"do", "recover"}, {"key", key}}));
        for (const Json& remote : answer.value("unmet", Json::array())) {
            session.err() << "warning: the remote " << remote.get<std::string>()
                          << " did not answer: what other administrators did there meanwhile may "
                             "give way to this, and is listed then to be done again\n";
        }
        session.out() << "this site is an administrator and holds the pen; sync tells the others\n";
        return done;
    }
    Offline::Recover wanted = options.offline;
    wanted.store = store;
    wanted.key = key;
    wanted.space = session.settings().space;
    TRY_ASSIGN(const Json made, offline.recover(wanted));
    if (session.json()) {
        print_json(session.out(), made);
    } else {
        session.out() << "recovered the space " << text_of(made, "space")
                      << "; this site is an administrator and holds the pen.\nstart it: dutybookd "
                         "--store "
                      << store.string()
                      << "\nthen: dutybook sync; dutybook members remove SITE, if the old one is "
                         "lost\n";
    }
    return done;
}

void add_recover(Commands& commands) {
    auto& session = commands.session;
    const auto& offline = commands.offline;
    auto options = std::make_shared<RecoverOptions>();
    auto& app = command(
        commands, commands.root, "recover",
        "With the recovery key of a space, makes this site its administrator, in a new epoch. In "
        "an empty --store from a remote; in a store that has the space through its daemon.",
        "recover --key KEY --remote git@example.org:school.git --site Office --store DIR",
        [&session, &offline, options] { return recover(session, offline, *options); });
    app.add_option(
           "--key", options->key,
           "the recovery key, as it was printed; without it that of DUTYBOOK_RECOVERY_KEY, or "
           "it is asked for: others on this machine can read what is given here")
        ->expected(0, 1);
    app.add_option("--remote", options->offline.remote, "where the space is synced");
    app.add_option("--site", options->offline.site, "the new site's name")
        ->default_str("recovered");
    app.add_option("--tz", options->offline.zone, "its time zone");
}

}  // namespace

void print_recovery_key(Session& session, const Json& answer) {
    const auto key = text_of(answer, "recovery_key");
    if (key.empty()) return;
    session.out() << "\nRECOVERY KEY, printed this once and kept nowhere. Put it into the safe: "
                     "whoever has it can\ntake over the space, and nothing else can if the "
                     "administrators' sites are lost.\n\n    "
                  << key << "\n\n";
}

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
    add_recover(commands);
    add_members(commands);
}

}  // namespace dutybook::cli
