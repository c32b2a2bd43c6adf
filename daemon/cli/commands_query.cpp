// list search history diff
#include "cli/command.h"

#include <ostream>

namespace dutybook::cli {

namespace {

struct ListOptions {
    std::string kind, text, since, until;
    std::vector<std::string> where;
    std::uint64_t limit = 100;
    bool deleted = false;
};

Result<std::string> list_target(Session& session, const ListOptions& options) {
    std::string query;
    const auto add = [&query](const std::string& name, const std::string& value) {
        query += (query.empty() ? "?" : "&") + name + "=" + percent_encode(value);
    };
    if (!options.kind.empty()) add("kind", options.kind);
    if (!options.text.empty()) add("q", options.text);
    for (const auto& one : options.where) {
        const auto equals = one.find('=');
        if (equals == std::string::npos || equals == 0) {
            return usage_error("'" + one + "' is not field=value",
                               "for example: --where state=open");
        }
        add("where", one.substr(0, equals) + ":" + one.substr(equals + 1));
    }
    if (!options.since.empty()) add("since", options.since);
    if (!options.until.empty()) add("until", options.until);
    if (options.deleted) add("deleted", "1");
    return session.in_space("records" + query);
}

Result<int> list_records(Session& session, const ListOptions& options) {
    TRY_ASSIGN(const auto target, list_target(session, options));
    Table table({"ID", "KIND", "STATUS", "ABOUT"});
    TRY(session.items(target, options.limit, [&](const Json& record) {
        if (session.json()) {
            print_json(session.out(), record);
            return;
        }
        const bool deleted = record.value("deleted", false);
        const Json envelope = record.value("envelope", Json::object());
        table.add({text_of(record, "id"), text_of(record, "kind"),
                   deleted ? "deleted" : text_of(envelope, "status"),
                   summary_of(record.value("fields", Json::object()))});
    }));
    if (!table.empty()) table.print(session.out());
    return done;
}

void list_options(CLI::App& app, ListOptions& options) {
    repeated(app, "--where", options.where, "field=value; may be repeated, all must hold");
    app.add_option("--since", options.since, "from this instant or date");
    app.add_option("--until", options.until, "before this instant or date");
    app.add_option("--limit", options.limit, "how many; 0 is all")
        ->check(whole_number())
        ->capture_default_str();
    app.add_flag("--deleted", options.deleted, "deleted ones too");
}

void add_list(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<ListOptions>();
    auto& app = command(commands, commands.root, "list", "Lists records of a kind.",
                        "list core.duty --where state=open --since 2026-05-04",
                        [&session, options] { return list_records(session, *options); });
    app.add_option("kind", options->kind, "such as core.duty")->required();
    list_options(app, *options);
}

void add_search(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<ListOptions>();
    auto words = std::make_shared<std::vector<std::string>>();
    auto& app = command(commands, commands.root, "search", "Finds records that hold all the words.",
                        "search bus rain", [&session, options, words] {
                            for (const auto& word : *words) {
                                options->text += (options->text.empty() ? "" : " ") + word;
                            }
                            return list_records(session, *options);
                        });
    app.add_option("text", *words, "words")->required();
    app.add_option("--kind", options->kind, "of this kind only");
    list_options(app, *options);
}

void add_history(Commands& commands) {
    auto& session = commands.session;
    auto id = std::make_shared<std::string>();
    auto& app = command(
        commands, commands.root, "history", "Every change of a record: who, where, when, old, new.",
        "history @bus", [&session, id]() -> Result<int> {
            Table table({"AT", "BY", "SITE", "DID", "FIELD", "OLD", "NEW", "REASON"});
            const auto target = session.in_space("records/" + percent_encode(*id) + "/history");
            SiteNames names(session);
            TRY(session.items(target, 0, [&](const Json& line) {
                if (session.json()) {
                    print_json(session.out(), line);
                    return;
                }
                table.add({text_of(line, "at"), text_of(line, "by"),
                           names.of(text_of(line, "site")), text_of(line, "do"),
                           text_of(line, "field"), text_of(line, "old"), text_of(line, "new"),
                           text_of(line, "reason")});
            }));
            if (!table.empty()) table.print(session.out());
            return done;
        });
    app.add_option("id", *id, "id, unique beginning, or @words")->required();
}

struct DiffOptions {
    std::string id, a, b;
};

void add_diff(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<DiffOptions>();
    auto& app =
        command(commands, commands.root, "diff", "What changed in a record between two times.",
                "diff @bus 08:00 now", [&session, options]() -> Result<int> {
                    const auto target = session.in_space("records/" + percent_encode(options->id) +
                                                         "/diff?a=" + percent_encode(options->a) +
                                                         "&b=" + percent_encode(options->b));
                    TRY_ASSIGN(const Json answer, session.get(target));
                    Table table({"FIELD", text_of(answer, "a"), text_of(answer, "b")});
                    for (const auto& one : answer.value("items", Json::array())) {
                        if (session.json()) print_json(session.out(), one);
                        table.add({text_of(one, "field"), text_of(one, "a"), text_of(one, "b")});
                    }
                    if (!session.json() && !table.empty()) table.print(session.out());
                    return done;
                });
    app.add_option("id", options->id, "id, unique beginning, or @words")->required();
    app.add_option("a", options->a, "an instant, a date, HH:MM or now")->required();
    app.add_option("b", options->b, "another")->required();
}

}  // namespace

void add_query_commands(Commands& commands) {
    add_list(commands);
    add_search(commands);
    add_history(commands);
    add_diff(commands);
}

}  // namespace dutybook::cli
