// Listing, reading, creating, changing records.

#include "api/batch.h"
#include "api/findings.h"
#include "api/gate.h"
#include "api/problem.h"
#include "api/reader.h"
#include "api/reference.h"
#include "api/shapes.h"
#include "api/writing.h"

namespace dutybook::api {

namespace {

// The value of `where=field:value`: JSON where it is JSON, else the text itself. Of a field that
// the kind's schema calls a string, `12` means "12".
std::string where_value(const std::string& text, const Json& properties, const std::string& field) {
    const bool quoted = !text.empty() && text.front() == '"';
    const auto property = properties.find(field);
    if (!quoted && property != properties.end() && property->value("type", Json()) == "string")
        return canonical(Json(text));
    auto json = parse_json(text);
    return canonical(json ? *json : Json(text));
}

Result<void> add_conditions(const Call& call, store::Query& query) {
    const auto conditions = call.queries("where");
    if (conditions.empty()) return {};
    Json properties = Json::object();
    if (!query.kind.empty()) {
        const Json schema = call.services.book->kinds().schema(query.kind);
        if (schema.is_object()) properties = schema.value("properties", Json::object());
    }
    for (const std::string& condition : conditions) {
        const std::size_t colon = condition.find(':');
        if (colon == std::string::npos || colon == 0) {
            return failure(Code::Malformed, "where=" + condition + " is not field:value", {},
                           "for example where=priority:high");
        }
        std::string field = condition.substr(0, colon);
        std::string value = where_value(condition.substr(colon + 1), properties, field);
        query.where.emplace_back(std::move(field), std::move(value));
    }
    return {};
}

Result<store::Query> query_of(const Call& call, const core::SpaceService& space) {
    store::Query query;
    query.parent = space.facts().parent;
    query.kind = call.query("kind");
    query.text = call.query("q");
    query.deleted = call.flag("deleted");
    query.after = call.query("cursor");
    query.limit = call.limit();
    TRY(add_conditions(call, query));
    TRY_ASSIGN(query.since, call.instant("since"));
    TRY_ASSIGN(query.until, call.instant("until"));
    const std::string& zone = call.services.book->site().zone;
    // Kinds with a calendar date are compared by the day that the instant falls on here.
    if (query.since) query.since_date = local_date(*query.since, zone);
    if (query.until) query.until_date = local_date(*query.until, zone);
    return query;
}

Result<Response> list_by_prefix(Call& call, core::SpaceService& space) {
    TRY_ASSIGN(const auto ids, space.reader().by_prefix(call.query("prefix"), call.limit()));
    Walls walls(call.services, space, reader_of(call));
    ListText list;
    for (const auto& id : ids) {
        TRY_ASSIGN(const auto record, space.reader().get(id));
        if (!record || (record->state.deleted && !call.flag("deleted"))) continue;
        TRY_ASSIGN(const bool hidden, walls.hides(record->state));
        if (hidden) continue;
        TRY_ASSIGN(const std::string text, shown_text(call, space, *record));
        list.add(text);
    }
    return json_response(std::move(list).finish({}));
}

Result<Response> list_records(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    if (!call.query("prefix").empty()) return list_by_prefix(call, *space);
    TRY_ASSIGN(const store::Query query, query_of(call, *space));
    TRY_ASSIGN(const store::Page page, space->reader().list(query));
    if (page.records.empty() && query.after.empty() && !query.kind.empty()) {
        // A mistyped kind is told; one that only came from a site with more plugins is not.
        if (auto unknown = call.services.book->kinds().unknown(query.kind))
            return std::move(*unknown);
    }
    Walls walls(call.services, *space, reader_of(call));
    ListText list;
    for (const auto& record : page.records) {
        TRY_ASSIGN(const bool hidden, walls.hides(record.state));
        if (hidden) continue;
        TRY_ASSIGN(const std::string text, shown_text(call, *space, record));
        list.add(text);
    }
    return json_response(std::move(list).finish(page.next));
}

Result<store::StoredRecord> as_it_was(Found found, Millis at) {
    TRY_ASSIGN(const auto rows, found.space->reader().operations(found.record.state.id));
    store::StoredRecord then;
    then.state = domain::state_at(known_of(rows), at);
    if (!then.state.born) {
        return failure(Code::NotFound,
                       "record " + found.record.state.id + " did not exist at " + format_utc(at),
                       {}, "see when it began: dutybook history " + found.record.state.id);
    }
    then.version = domain::version_of(then.state);
    return then;
}

Result<Response> get_record(Call& call) {
    TRY_ASSIGN(Found found, find_record(call));
    TRY_ASSIGN(const auto at, call.instant("at"));
    const bool past = at.has_value();
    core::SpaceService& space = *found.space;
    store::StoredRecord record;
    if (past) {
        TRY_ASSIGN(record, as_it_was(std::move(found), *at));
    } else {
        record = std::move(found.record);
    }
    if (record.state.deleted && !call.flag("deleted")) {
        return failure(
            Code::NotFound, "record " + record.state.id + " is deleted", {},
            "show it with --deleted, or bring it back: dutybook restore " + record.state.id);
    }
    TRY_ASSIGN(std::string text,
               past ? Result<std::string>(record_text(record, "[]", context_of(call, space)))
                    : shown_text(call, space, record));
    Response response = json_response(std::move(text));
    if (!past) response.headers.emplace_back("ETag", "\"" + record.version + "\"");
    return response;
}

void create_record(const CallPtr& call) {
    auto space = call->space();
    if (!space) return call->answer(space.error());
    if (call->request.streamed) {
        Batch::start(call, **space);
        return;
    }
    auto request = call->write(core::Action::Create);
    if (!request) return call->answer(request.error());
    fill_create(*request, std::move(call->body));
    write_and_answer(call, **space, std::move(*request), 201);
}

Result<void> begin_change(const CallPtr& call, core::Action action) {
    TRY_ASSIGN(const Found found, find_record(*call));
    TRY_ASSIGN(core::WriteRequest request, call->write(action));
    request.id = found.record.state.id;
    if (action == core::Action::Patch) request.fields = std::move(call->body);
    write_and_answer(call, *found.space, std::move(request), 200);
    return {};
}

std::function<void(const CallPtr&)> changing(core::Action action) {
    return [action](const CallPtr& call) {
        auto begun = begin_change(call, action);
        if (!begun) call->answer(begun.error());
    };
}

}  // namespace

std::vector<Endpoint> record_routes() {
    const std::string_view records = "/v1/spaces/{space}/records";
    const std::string_view one = "/v1/spaces/{space}/records/{id}";
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Get,
                   .path = records,
                   .name = "listRecords",
                   .summary = "Records, newest effective first; by words, newest first.",
                   .query = {{"kind", Type::Text, "of this kind only"},
                             {"where", Type::Text, "field:value; a value is JSON, else text", true},
                             {"q", Type::Text, "words that all must occur; a* is a prefix"},
                             {"prefix", Type::Text, "ids that begin so; no other filter"},
                             {"since", Type::Instant, "effective then or later"},
                             {"until", Type::Instant, "effective before then"},
                             {"deleted", Type::Flag, "deleted ones too"}},
                   .answer = "record",
                   .list = true,
                   .runs = Runs::Pool,
                   .run = answering(list_records)});
    out.push_back({.method = Method::Post,
                   .path = records,
                   .name = "createRecords",
                   .summary = "Writes one record, or a batch of any length as NDJSON: one line "
                              "answered for each line, in order, a record or a problem.",
                   .query = reason_query(),
                   .body = Body::Record,
                   .members = {{"kind", Type::Text, true, false, "such as core.duty"},
                               {"fields", Type::Object, true, false, "by the kind's schema"},
                               {"id", Type::Text, false, true, "made here if absent"}},
                   .status = 201,
                   .answer = "record",
                   .access = Access::Writer,
                   .run = create_record});
    out.push_back({.method = Method::Get,
                   .path = one,
                   .name = "getRecord",
                   .summary = "One record, now or as it was.",
                   .query = {{"at", Type::Instant, "as it was then"},
                             {"deleted", Type::Flag, "also if it is deleted"}},
                   .answer = "record",
                   .run = answering(get_record)});
    out.push_back({.method = Method::Patch,
                   .path = one,
                   .name = "changeRecord",
                   .summary = "Merge patch (RFC 7396) of the fields; sets take {\"$add\":[],"
                              "\"$remove\":[]}, counters {\"$increment\":n}.",
                   .query = reason_query(),
                   .body = Body::Patch,
                   .answer = "record",
                   .access = Access::Writer,
                   .run = changing(core::Action::Patch)});
    out.push_back({.method = Method::Delete,
                   .path = one,
                   .name = "deleteRecord",
                   .summary = "Hides a record; it can be restored.",
                   .query = reason_query(),
                   .answer = "record",
                   .access = Access::Writer,
                   .run = changing(core::Action::Delete)});
    return out;
}

std::vector<Endpoint> record_action_routes() {
    struct Row {
        std::string_view path, name, summary;
        core::Action action;
    };
    std::vector<Endpoint> out;
    for (const Row& row : {Row{"/v1/spaces/{space}/records/{id}/restore", "restoreRecord",
                               "Brings it back.", core::Action::Restore},
                           Row{"/v1/spaces/{space}/records/{id}/finalise", "finaliseRecord",
                               "Makes a draft final; from then on it changes only with a reason.",
                               core::Action::Finalise},
                           Row{"/v1/spaces/{space}/records/{id}/retract", "retractRecord",
                               "Marks it as entered in error; it stays readable. Needs a reason.",
                               core::Action::Retract}}) {
        out.push_back({.method = Method::Post,
                       .path = row.path,
                       .name = row.name,
                       .summary = row.summary,
                       .query = reason_query(),
                       .body = Body::Optional,
                       .answer = "record",
                       .access = Access::Writer,
                       .run = changing(row.action)});
    }
    return out;
}

}  // namespace dutybook::api
