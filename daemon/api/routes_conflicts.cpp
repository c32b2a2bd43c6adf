// The conflict inbox.

#include "api/reader.h"
#include "api/reference.h"
#include "api/shapes.h"
#include "api/writing.h"
#include "core/circle.h"

namespace dutybook::api {

namespace {

Result<Response> list_conflicts(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    const std::size_t limit = call.limit();
    TRY_ASSIGN(const auto records, space->reader().conflicts(call.query("cursor"), limit));
    const std::string& kind = call.query("kind");
    Walls walls(call.services, *space, reader_of(call));
    ListText list;
    for (const auto& record : records) {
        if (!kind.empty() && record.state.kind != kind) continue;
        TRY_ASSIGN(const bool hidden, walls.hides(record.state));
        if (hidden) continue;
        std::vector<std::string> lines;
        append_conflict_lines(lines, record);
        for (const auto& line : lines) list.add(line);
    }
    // The cursor goes by records: those of one record are never split between pages.
    return json_response(
        std::move(list).finish(records.size() < limit ? "" : records.back().state.id));
}

Error several_values(const std::string& named, bool of_one_site, const std::string& candidates) {
    Error error = failure(Code::Ambiguous,
                          of_one_site ? "site " + named + " gave several values"
                                      : "several sites begin with " + named,
                          candidates);
    // A store that was restored or copied goes on under a writer of its own.
    error.fix = of_one_site ? "name one of its writers, or give the value" : "name one in full";
    return error;
}

// The value that a site gave, of a field in conflict. A site may have several writers: one of them
// is named by its id, which begins with that of the site.
Result<Json> value_of_site(const store::StoredRecord& record, const std::string& field,
                           const std::string& site, const core::Circle* circle) {
    const domain::Conflict* conflict = nullptr;
    for (const auto& one : record.state.conflicts) {
        if (one.field == field) conflict = &one;
    }
    if (!conflict) {
        return failure(Code::Conflict, "nothing to settle",
                       "the field " + field + " of " + record.state.id + " has no conflict",
                       "see: dutybook conflicts");
    }
    std::vector<const domain::ConflictValue*> given;
    std::string sites, candidates;
    bool of_one_site = true;
    for (const auto& value : conflict->values) {
        const auto& writer = value.operation.writer;
        const auto id = domain::site_of(writer);
        sites.append(sites.empty() ? "" : ", ").append(circle ? circle->name_of(id) : id);
        if (!writer.starts_with(site)) continue;
        candidates.append(candidates.empty() ? "" : ", ").append(value.value + " by " + writer);
        of_one_site = given.empty() ||
                      (of_one_site &&
                       domain::site_of(writer) == domain::site_of(given.front()->operation.writer));
        given.push_back(&value);
    }
    if (given.empty() || site.empty()) {
        return failure(Code::NotFound, "site '" + site + "' gave no value of " + field,
                       "values are by: " + sites, "take one of these, or give the value");
    }
    if (given.size() > 1) return several_values(site, of_one_site, candidates);
    return Result<Json>(boost::system::in_place_value,
                        Json::parse(given.front()->value, nullptr, false));
}

Result<void> begin_resolve(const CallPtr& call) {
    TRY_ASSIGN(const Found found, find_record(*call));
    TRY_ASSIGN(core::WriteRequest request, call->write(core::Action::Resolve));
    request.id = found.record.state.id;
    request.field = call->body.at("field").get<std::string>();
    const bool value = call->body.contains("value"), take = call->body.contains("take");
    if (value == take) return malformed("give either value or take");
    if (value) {
        request.value = call->body.at("value");
    } else {
        TRY_ASSIGN(
            request.value,
            value_of_site(found.record, request.field, call->body.at("take").get<std::string>(),
                          call->services.book->circle(found.space->facts().name)));
    }
    write_and_answer(call, *found.space, std::move(request), 200);
    return {};
}

}  // namespace

std::vector<Endpoint> conflict_routes() {
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Get,
                   .path = "/v1/spaces/{space}/conflicts",
                   .name = "listConflicts",
                   .summary = "Fields that sites set differently while apart.",
                   .query = {{"kind", Type::Text, "of records of this kind only"}},
                   .answer = "conflict",
                   .list = true,
                   .runs = Runs::Pool,
                   .run = answering(list_conflicts)});
    out.push_back({.method = Method::Post,
                   .path = "/v1/spaces/{space}/records/{id}/resolve",
                   .name = "resolveConflict",
                   .summary = "Settles one field: with a value, or with what a site gave. Of "
                              "@record the values are keep and delete.",
                   .query = reason_query(),
                   .body = Body::Members,
                   .members = {{"field", Type::Text, true, false, "the field, or @record"},
                               {"value", Type::Any, false, true, "the value that holds"},
                               {"take", Type::Text, false, false,
                                "a site's or writer's id, or its beginning"}},
                   .answer = "record",
                   .access = Access::Writer,
                   .run = [](const CallPtr& call) {
                       if (auto begun = begin_resolve(call); !begun) call->answer(begun.error());
                   }});
    return out;
}

}  // namespace dutybook::api
