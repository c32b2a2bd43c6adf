// account add/list/remove, token add/list/revoke: who may come in by which door
#include "cli/command.h"

#include <ostream>

namespace dutybook::cli {

namespace {

struct AccessOptions {
    std::string name, role = "writer", person;
};

Json body_of(const AccessOptions& options, const char* name) {
    Json body = {{name, options.name}, {"role", options.role}};
    if (!options.person.empty()) body["by"] = options.person;
    return body;
}

Result<int> list(Session& session, const std::string& target, const std::vector<std::string>& head,
                 const std::vector<const char*>& members) {
    TRY_ASSIGN(const Json answer, session.get(target));
    Table table(head);
    for (const auto& one : answer.value("items", Json::array())) {
        if (session.json()) print_json(session.out(), one);
        std::vector<std::string> row;
        row.reserve(members.size());
        for (const char* member : members) row.push_back(text_of(one, member));
        table.add(std::move(row));
    }
    if (!session.json() && !table.empty()) table.print(session.out());
    return done;
}

Result<int> add_account(Session& session, const AccessOptions& options) {
    TRY_ASSIGN(const Json account, session.post("/v1/accounts", body_of(options, "account")));
    if (session.json()) {
        print_json(session.out(), account);
        return done;
    }
    session.out() << text_of(account, "account") << " may use this daemon's socket as "
                  << text_of(account, "role") << '\n';
    return done;
}

Result<int> add_token(Session& session, const AccessOptions& options) {
    TRY_ASSIGN(const Json token, session.post("/v1/tokens", body_of(options, "name")));
    if (session.json()) {
        print_json(session.out(), token);
        return done;
    }
    session.err() << "token " << text_of(token, "id") << ", shown this once:\n";
    session.out() << text_of(token, "token") << '\n';
    return done;
}

void describe(CLI::App& app, AccessOptions& options, const char* what, bool admin) {
    app.add_option("name", options.name, what)->required();
    app.add_option("--role", options.role, "what it may do")
        ->check(CLI::IsMember(admin ? std::vector<std::string>{"reader", "writer", "admin"}
                                    : std::vector<std::string>{"reader", "writer"}))
        ->capture_default_str();
    app.add_option("--person", options.person, "the person's id that it stands for");
}

Run remover(Session& session, std::string path, std::shared_ptr<std::string> name) {
    return [&session, path = std::move(path), name]() -> Result<int> {
        TRY(session.ask("DELETE", path + percent_encode(*name), {}, {}));
        return done;
    };
}

}  // namespace

void add_access_commands(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<AccessOptions>();
    auto name = std::make_shared<std::string>();

    auto& accounts =
        group(commands, "account", "Accounts of this machine that may use the daemon's socket.");
    describe(command(commands, accounts, "add",
                     "Lets an account in (@GROUP: all of a group), or changes its role. The daemon "
                     "needs --socket: its store lets nobody else in.",
                     "account add rosa --role writer --person p1",
                     [&session, options] { return add_account(session, *options); }),
             *options, "an account's name, or @ and a group's", true);
    command(commands, accounts, "list", "Lists them.", "account list", [&session] {
        return list(session, "/v1/accounts", {"ACCOUNT", "ROLE", "PERSON"},
                    {"account", "role", "by"});
    });
    command(commands, accounts, "remove", "Lets an account in no longer.", "account remove rosa",
            remover(session, "/v1/accounts/", name))
        .add_option("name", *name, "as it was added")
        ->required();

    auto& tokens = group(commands, "token", "Bearer tokens for HTTP (pages, scripts, devices).");
    describe(command(commands, tokens, "add", "Makes a token; it is shown this once.",
                     "token add 'front desk' --role writer --person p1",
                     [&session, options] { return add_token(session, *options); }),
             *options, "what it is for", false);
    command(commands, tokens, "list", "Lists the tokens, without their secrets.", "token list",
            [&session] {
                return list(session, "/v1/tokens", {"TOKEN", "NAME", "ROLE", "PERSON", "CREATED"},
                            {"id", "name", "role", "by", "created"});
            });
    command(commands, tokens, "revoke", "Ends a token at once.", "token revoke k3jq2x7a",
            remover(session, "/v1/tokens/", name))
        .add_option("token", *name, "its id")
        ->required();
}

}  // namespace dutybook::cli
