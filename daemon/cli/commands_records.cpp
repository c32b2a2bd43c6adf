// add check show set finalise retract delete restore
#include "cli/batch.h"
#include "cli/command.h"
#include "cli/values.h"

#include <ostream>

namespace dutybook::cli {

namespace {

std::string record_path(Session& session, const std::string& id, const std::string& rest = {}) {
    return session.in_space("records/" + percent_encode(id) + rest);
}

std::string reason_query(const std::string& reason) {
    return reason.empty() ? "" : "?reason=" + percent_encode(reason);
}

void print_written(Session& session, const Json& record) {
    if (session.json()) {
        print_json(session.out(), record);
        return;
    }
    print_record(session, record);
    if (!record.value("wrote", true)) session.err() << "nothing was to be changed\n";
    if (!record.value("checked", true)) {
        session.err() << "stored, but not checked by the rules yet\n";
    }
    if (const auto same = text_of(record, "same_as"); !same.empty()) {
        session.err() << "the same was added a minute ago as " << same
                      << "; delete one of them if that was not meant\n";
    }
}

struct AddOptions {
    std::string kind, id, file, key;
    std::vector<std::string> fields;
    bool imported = false;
};

Result<int> add_one(Session& session, const AddOptions& options) {
    TRY_ASSIGN(const auto arguments, read_arguments(options.fields));
    TRY_ASSIGN(const auto kind, KindShape::fetch(session, options.kind));
    TRY_ASSIGN(Json fields, fields_of(session, kind, arguments));
    Json body = {{"kind", options.kind}, {"fields", std::move(fields)}};
    if (!options.id.empty()) body["id"] = options.id;
    Session::Extras extras;
    extras.idempotency_key = options.key;
    TRY_ASSIGN(const Json record, session.ask("POST", session.in_space("records"), body, extras));
    print_written(session, record);
    return done;
}

void add_add(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<AddOptions>();
    auto& app =
        command(commands, commands.root, "add",
                "Writes a record, or with --file one for each line of NDJSON.\n"
                "field=value is text, or what the kind's schema says; field:=json is JSON.\n"
                "With --file each line is {\"kind\",\"fields\",\"id\"?}; one line of answer for "
                "each line,\n"
                "in order: the record, or the problem with its line number.",
                "add core.duty title='Bus duty' category=supervision priority=high state=open",
                [&session, options]() -> Result<int> {
                    if (!options->file.empty()) {
                        if (!options->kind.empty()) {
                            return usage_error("--file takes the kind from each line",
                                               "leave the kind out");
                        }
                        return add_file(session, options->file, options->key);
                    }
                    if (options->kind.empty()) {
                        return usage_error("no kind is named", "see `dutybook kind list`");
                    }
                    return add_one(session, *options);
                });
    app.add_option("kind", options->kind, "such as core.duty");
    app.add_option("fields", options->fields, "field=value, field:=json");
    app.add_option("--id", options->id, "an id of your own (letters, digits, ._-:)");
    app.add_option("--file", options->file, "NDJSON, - is standard input");
    app.add_option("--key", options->key,
                   "idempotency key: asked again with the same key, nothing is written twice");
}

struct CheckOptions {
    std::string kind, id;
    std::vector<std::string> fields;
};

void add_check(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<CheckOptions>();
    auto& app =
        command(commands, commands.root, "check",
                "Asks what the rules say of a record; stores nothing. Exit 3 on deny and reject.",
                "check core.shift person=@maria from=08:00 to=12:00 kind=duty site=north",
                [&session, options]() -> Result<int> {
                    TRY_ASSIGN(const auto arguments, read_arguments(options->fields));
                    TRY_ASSIGN(const auto kind, KindShape::fetch(session, options->kind));
                    TRY_ASSIGN(Json fields, fields_of(session, kind, arguments));
                    Json body = {{"kind", options->kind}, {"fields", std::move(fields)}};
                    if (!options->id.empty()) body["id"] = options->id;
                    TRY_ASSIGN(const Json answer, session.post(session.in_space("check"), body));
                    const auto verdict = text_of(answer, "verdict");
                    if (session.json()) {
                        print_json(session.out(), answer);
                    } else {
                        session.out() << verdict << '\n';
                        print_findings(session.out(), answer.value("findings", Json::array()));
                        const auto next = text_of(answer, "earliest_next");
                        if (!next.empty()) session.out() << "allowed from " << next << '\n';
                    }
                    return verdict == "allow" || verdict == "warn" ? done : refused;
                });
    app.add_option("kind", options->kind, "such as core.shift")->required();
    app.add_option("fields", options->fields, "field=value, field:=json");
    app.add_option("--id", options->id, "the record that it would change");
}

struct ShowOptions {
    std::string id, at;
    bool deleted = false;
};

void add_show(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<ShowOptions>();
    auto& app = command(commands, commands.root, "show", "Shows a record, now or as it was.",
                        "show @bus --at 2026-05-04T08:00", [&session, options]() -> Result<int> {
                            std::string query;
                            if (!options->at.empty()) query += "&at=" + percent_encode(options->at);
                            if (options->deleted) query += "&deleted=1";
                            if (!query.empty()) query[0] = '?';
                            TRY_ASSIGN(const Json record,
                                       session.get(record_path(session, options->id) + query));
                            if (session.json()) {
                                print_json(session.out(), record);
                            } else {
                                print_record(session, record);
                            }
                            return done;
                        });
    app.add_option("id", options->id, "id, unique beginning, or @words")->required();
    app.add_option("--at", options->at, "as it was then: an instant, a date, or HH:MM");
    app.add_flag("--deleted", options->deleted, "show it even if it was deleted");
}

struct SetOptions {
    std::string id, reason, version;
    std::vector<std::string> fields;
};

Result<int> set_fields(Session& session, const SetOptions& options) {
    TRY_ASSIGN(const auto arguments, read_arguments(options.fields));
    TRY_ASSIGN(const Json now, session.get(record_path(session, options.id) + "?deleted=1"));
    TRY_ASSIGN(const auto kind, KindShape::fetch(session, text_of(now, "kind")));
    TRY_ASSIGN(const Json patch, patch_of(session, kind, arguments));
    Session::Extras extras;
    extras.if_version = options.version;
    extras.merge_patch = true;
    std::string id = text_of(now, "id");
    if (options.id.find('/') != std::string::npos || options.id.starts_with('@')) id = options.id;
    TRY_ASSIGN(const Json record,
               session.ask("PATCH", record_path(session, id) + reason_query(options.reason), patch,
                           extras));
    print_written(session, record);
    return done;
}

void add_set(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<SetOptions>();
    auto& app = command(commands, commands.root, "set",
                        "Changes fields of a record. += and -= add to and remove from a set, or "
                        "count.\nSetting a counter counts the difference: two sites that set it "
                        "while apart add up.",
                        "set @bus priority=urgent tags+=rain --reason 'storm warning'",
                        [&session, options] { return set_fields(session, *options); });
    app.add_option("id", options->id, "id, unique beginning, or @words")->required();
    app.add_option("fields", options->fields,
                   "field=value, field:=json, field+=value, field-=value")
        ->required();
    app.add_option("--reason", options->reason, "why; a final record needs one");
    add_version_option(app, options->version);
}

struct ActOptions {
    std::string id, reason, version;
};

// finalise, retract, delete, restore: one record, no fields.
void add_act(Commands& commands, const std::string& name, const std::string& what,
             const std::string& example, bool reason_required) {
    auto& session = commands.session;
    auto options = std::make_shared<ActOptions>();
    auto& app = command(
        commands, commands.root, name, what, example, [&session, options, name]() -> Result<int> {
            const auto reason = reason_query(options->reason);
            const bool remove = name == "delete";
            const auto target = record_path(session, options->id, remove ? "" : "/" + name);
            Session::Extras extras;
            extras.if_version = options->version;
            TRY_ASSIGN(const Json record,
                       session.ask(remove ? "DELETE" : "POST", target + reason, {}, extras));
            print_written(session, record);
            return done;
        });
    app.add_option("id", options->id, "id, unique beginning, or @words")->required();
    auto* reason = app.add_option("--reason", options->reason, "why");
    if (reason_required) reason->required();
    add_version_option(app, options->version);
}

}  // namespace

void add_record_commands(Commands& commands) {
    add_add(commands);
    add_check(commands);
    add_show(commands);
    add_set(commands);
    add_act(commands, "finalise", "Makes a draft final; it then changes only with a reason.",
            "finalise @bus", false);
    add_act(commands, "retract", "Marks a record as entered in error; it stays readable.",
            "retract @bus --reason 'wrong child'", true);
    add_act(commands, "delete", "Deletes a record; `restore` brings it back.",
            "delete 01j8zq4v --reason 'entered twice'", false);
    add_act(commands, "restore", "Brings a deleted record back.", "restore 01j8zq4v", false);
}

}  // namespace dutybook::cli
