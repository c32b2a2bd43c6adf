// conflicts resolve
#include "cli/command.h"
#include "cli/values.h"

#include <ostream>

namespace dutybook::cli {

namespace {

void print_conflict(Session& session, SiteNames& names, const Json& conflict) {
    auto& out = session.out();
    out << text_of(conflict, "kind") << "  " << text_of(conflict, "id") << "  "
        << text_of(conflict, "field") << " shows " << value_text(conflict, "shown") << '\n';
    print_conflict_values(out, names, conflict.value("values", Json::array()));
}

void add_conflicts(Commands& commands) {
    auto& session = commands.session;
    auto kind = std::make_shared<std::string>();
    auto& app = command(
        commands, commands.root, "conflicts",
        "Fields that sites set differently while apart, with every value.", "conflicts",
        [&session, kind]() -> Result<int> {
            const auto query = kind->empty() ? "" : "?kind=" + percent_encode(*kind);
            SiteNames names(session);
            TRY(session.items(session.in_space("conflicts" + query), 0, [&](const Json& one) {
                if (session.json()) {
                    print_json(session.out(), one);
                } else {
                    print_conflict(session, names, one);
                }
            }));
            return done;
        });
    app.add_option("--kind", *kind, "of this kind only");
}

struct ResolveOptions {
    std::string id, field, take, reason, version;
    std::optional<std::string> value;
};

// A site is named by its id, a beginning of it, or its name; the daemon knows ids.
Result<std::string> site_id(Session& session, const std::string& named) {
    TRY_ASSIGN(const Json status, session.get("/v1/status"));
    const Json own = status.value("site", Json::object());
    if (text_of(own, "name") == named) return text_of(own, "id");
    for (const auto& space : status.value("spaces", Json::array())) {
        for (const auto& peer : space.value("peers", Json::array())) {
            if (text_of(peer, "name") == named) return text_of(peer, "site");
        }
    }
    return named;
}

Result<int> resolve(Session& session, const ResolveOptions& options) {
    if (options.take.empty() != options.value.has_value()) {
        return usage_error("one of --take SITE and --value V is needed",
                           "`dutybook conflicts` shows sites and values");
    }
    Json body = {{"field", options.field}};
    if (!options.take.empty()) {
        TRY_ASSIGN(body["take"], site_id(session, options.take));
    } else if (options.field.starts_with('@')) {
        body["value"] = *options.value;
    } else {
        const auto path = session.in_space("records/" + percent_encode(options.id) + "?deleted=1");
        TRY_ASSIGN(const Json record, session.get(path));
        TRY_ASSIGN(const auto kind, KindShape::fetch(session, text_of(record, "kind")));
        TRY_ASSIGN(body["value"], value_of(session, kind, options.field, *options.value));
    }
    const auto reason = options.reason.empty() ? "" : "?reason=" + percent_encode(options.reason);
    Session::Extras extras;
    extras.if_version = options.version;
    const auto target = "records/" + percent_encode(options.id) + "/resolve" + reason;
    TRY_ASSIGN(const Json record, session.ask("POST", session.in_space(target), body, extras));
    if (session.json()) {
        print_json(session.out(), record);
    } else {
        print_record(session, record);
    }
    return done;
}

void add_resolve(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<ResolveOptions>();
    auto& app = command(commands, commands.root, "resolve",
                        "Settles a conflict, with one site's value or another one.\n"
                        "A delete against an edit is the field @record with keep or delete.",
                        "resolve 01j8zq4v priority --take South",
                        [&session, options] { return resolve(session, *options); });
    app.add_option("id", options->id, "id, unique beginning, or @words")->required();
    app.add_option("field", options->field, "the field, or @record")->required();
    app.add_option("--take", options->take,
                   "the site whose value it shall be, or the writer where it gave several");
    app.add_option("--value", options->value, "the value that it shall be");
    add_version_option(app, options->version);
    app.add_option("--reason", options->reason, "why");
}

}  // namespace

void add_conflict_commands(Commands& commands) {
    add_conflicts(commands);
    add_resolve(commands);
}

}  // namespace dutybook::cli
