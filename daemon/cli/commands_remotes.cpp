// remote add set check list remove
#include "cli/command.h"

#include <ostream>

namespace dutybook::cli {

namespace {

struct RemoteOptions {
    std::string name, url, window;
    std::optional<std::uint64_t> timeout;
    bool create = false;
};

std::string remote_path(Session& session, const std::string& name, const std::string& rest = {}) {
    return session.in_space("remotes/" + percent_encode(name) + rest);
}

void print_remote(Session& session, const Json& remote) {
    if (session.json()) {
        print_json(session.out(), remote);
        return;
    }
    session.out() << text_of(remote, "name") << "  " << text_of(remote, "url");
    if (const auto window = text_of(remote, "window"); !window.empty()) {
        session.out() << "  nightly " << window;
    }
    session.out() << '\n';
}

void schedule_options(CLI::App& app, RemoteOptions& options) {
    app.add_option("--window", options.window, "when to sync by itself, such as 22:00-05:00");
    app.add_option("--timeout", options.timeout, "seconds without progress before it gives up")
        ->check(whole_number());
}

void schedule_into(Json& body, const RemoteOptions& options) {
    if (!options.window.empty()) body["window"] = options.window;
    if (options.timeout) body["timeout"] = *options.timeout;
}

void add_add(Commands& commands, CLI::App& remotes) {
    auto& session = commands.session;
    auto options = std::make_shared<RemoteOptions>();
    auto& app =
        command(commands, remotes, "add",
                "Names a remote; contacts nobody. https, ssh or file URL, host:path, or an "
                "absolute path.",
                "remote add hub git@git.example.org:district/north.git",
                [&session, options]() -> Result<int> {
                    Json body = {{"name", options->name}, {"url", options->url}};
                    if (options->create) body["create"] = true;
                    schedule_into(body, *options);
                    TRY_ASSIGN(const Json remote, session.post(session.in_space("remotes"), body));
                    print_remote(session, remote);
                    return done;
                });
    app.add_option("name", options->name, "a short name")->required();
    app.add_option("url", options->url, "where the repository is")->required();
    app.add_flag("--create", options->create,
                 "make the repository at the first sync if the directory has none");
    schedule_options(app, *options);
}

void add_set(Commands& commands, CLI::App& remotes) {
    auto& session = commands.session;
    auto options = std::make_shared<RemoteOptions>();
    auto& app =
        command(commands, remotes, "set", "Changes a remote.",
                "remote set hub --window 22:00-05:00", [&session, options]() -> Result<int> {
                    Json body = Json::object();
                    if (!options->url.empty()) body["url"] = options->url;
                    schedule_into(body, *options);
                    if (body.empty()) {
                        return usage_error("nothing to change is named",
                                           "give --window, --timeout or --url");
                    }
                    TRY_ASSIGN(const Json remote,
                               session.ask("PATCH", remote_path(session, options->name), body, {}));
                    print_remote(session, remote);
                    return done;
                });
    app.add_option("name", options->name, "the remote")->required();
    app.add_option("--url", options->url, "where the repository is now");
    schedule_options(app, *options);
}

Result<int> check_remote(Session& session, const std::string& name) {
    TRY_ASSIGN(const Json answer, session.post(remote_path(session, name, "/check")));
    const bool ok = answer.value("ok", false);
    if (session.json()) {
        print_json(session.out(), answer);
        return ok ? done : failed;
    }
    for (const auto& line : answer.value("lines", Json::array())) {
        session.out() << one_line(line) << '\n';
    }
    if (const auto key = text_of(answer, "public_key"); !key.empty()) {
        session.out() << "public key to register at the host:\n" << key << '\n';
    }
    return ok ? done : failed;
}

Result<int> list_remotes(Session& session) {
    TRY_ASSIGN(const Json answer, session.get(session.in_space("remotes")));
    Table table({"NAME", "URL", "NIGHTLY", "LAST SUCCESS", "UNDELIVERED", "ERROR"});
    for (const auto& one : answer.value("items", Json::array())) {
        if (session.json()) print_json(session.out(), one);
        table.add({text_of(one, "name"), text_of(one, "url"), text_of(one, "window"),
                   text_of(one, "last_success"), text_of(one, "undelivered"),
                   text_of(one, "error")});
    }
    if (!session.json() && !table.empty()) table.print(session.out());
    return done;
}

}  // namespace

void add_remote_commands(Commands& commands) {
    auto& session = commands.session;
    auto& remotes = group(commands, "remote", "The git remotes with which a space syncs.");
    add_add(commands, remotes);
    add_set(commands, remotes);
    auto name = std::make_shared<std::string>();
    auto& check =
        command(commands, remotes, "check",
                "Tries a remote, says what is wrong, and prints the key to register.",
                "remote check hub", [&session, name] { return check_remote(session, *name); });
    check.add_option("name", *name, "the remote")->required();
    command(commands, remotes, "list", "Lists the remotes.", "remote list",
            [&session] { return list_remotes(session); });
    auto& remove = command(commands, remotes, "remove", "Forgets a remote; contacts nobody.",
                           "remote remove stick", [&session, name]() -> Result<int> {
                               TRY(session.ask("DELETE", remote_path(session, *name), {}, {}));
                               return done;
                           });
    remove.add_option("name", *name, "the remote")->required();
}

}  // namespace dutybook::cli
