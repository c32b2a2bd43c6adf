// The findings inbox, and asking beforehand.

#include "api/findings.h"
#include "api/reader.h"
#include "api/shapes.h"
#include "api/writing.h"
#include "core/plugins.h"

namespace dutybook::api {

namespace {

Result<Response> list_findings(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    const std::string& after = call.query("cursor");
    const std::string language = call.language();
    FindingQuery query;
    query.from = after.empty() ? after : behind(after);
    query.rule = call.query("rule");
    query.open = call.flag("open");
    query.limit = call.limit();
    TRY_ASSIGN(const FindingPage page, find_findings(*space, query));
    Walls walls(call.services, *space, reader_of(call));
    ListText list;
    for (const auto& finding : page.findings) {
        TRY_ASSIGN(const bool hidden, walls.hides_all(finding));
        if (hidden) continue;
        Json json = Json::array({finding_json(call.services, finding, language)});
        TRY(walls.mask(json, language));
        list.add(canonical(json[0]));
    }
    return json_response(
        std::move(list).finish(page.more ? page.findings.back().id : std::string()));
}

Result<Response> list_unchecked(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(const auto records, unchecked_records(*space, call.services));
    Walls walls(call.services, *space, reader_of(call));
    ListText list;
    for (const Json& one : records) {
        TRY_ASSIGN(const bool hidden, walls.hides(one.at("record").get<std::string>()));
        if (!hidden) list.add(canonical(one));
    }
    return json_response(std::move(list).finish({}));
}

Result<rules::Finding> finding_named(core::SpaceService& space, const std::string& name,
                                     Walls& walls) {
    FindingQuery query;
    query.from = name;
    query.limit = 2;
    TRY_ASSIGN(const FindingPage page, find_findings(space, query));
    std::vector<rules::Finding> found = page.findings;
    std::erase_if(found, [&](const rules::Finding& one) { return !one.id.starts_with(name); });
    for (auto one = found.begin(); one != found.end();) {
        TRY_ASSIGN(const bool hidden, walls.hides_all(*one));
        one = hidden ? found.erase(one) : std::next(one);
    }
    if (found.empty())
        return failure(Code::NotFound, "there is no finding " + name, {},
                       "see: dutybook findings --open");
    if (found.size() == 1) {
        TRY_ASSIGN(const bool hidden, walls.hides_some(found.front()));
        if (!hidden) return found.front();
        return failure(Code::Forbidden, "the finding is not yours to answer",
                       "it concerns a record that you may not see", "ask somebody who may");
    }
    Error error = failure(Code::Ambiguous, "several findings begin with " + name, {},
                          "name one of them in full");
    Json candidates = Json::array();
    for (const rules::Finding& one : found)
        candidates.push_back({{"id", one.id}, {"kind", one.rule}, {"title", one.message}});
    error.detail = Json({{"candidates", std::move(candidates)}}).dump();
    return error;
}

Result<void> begin_answer(const CallPtr& call) {
    TRY_ASSIGN(core::SpaceService * space, call->space());
    Walls walls(call->services, *space, reader_of(*call));
    TRY_ASSIGN(const rules::Finding finding, finding_named(*space, call->argument(1), walls));
    TRY_ASSIGN(core::WriteRequest request, call->write(core::Action::Create));
    request.kind = "core.finding_answer";
    request.fields = {{"finding", finding.id},
                      {"answer", call->body.at("state")},
                      {"reason", call->body.at("reason")},
                      {"rule", finding.rule},
                      {"records", finding.records},
                      {"at", format_utc(call->services.clock->now())}};
    write_and_answer(call, *space, std::move(request), 201);
    return {};
}

Result<Response> check_record(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    core::CheckRequest request;
    request.kind = call.body.at("kind").get<std::string>();
    request.fields = call.body.at("fields");
    if (const auto id = call.body.find("id"); id != call.body.end() && id->is_string())
        request.id = id->get<std::string>();
    request.caller = call.caller();
    TRY_ASSIGN(const core::Checked checked,
               space->run([&](core::SpaceEngine& engine) { return engine.check(request); }));
    Json findings = checked.findings;
    translate(call.services, findings, call.language());
    Walls walls(call.services, *space, reader_of(call), Walls::Hold::WallsAlone);
    TRY(walls.mask(findings, call.language()));
    // What would be behind a wall is told no more than it said itself.
    Fields fields;
    for (const auto& [name, value] : checked.fields.items()) fields[name] = canonical(value);
    TRY_ASSIGN(const bool hidden,
               walls.hides({request.id, request.kind, fields, request.caller.by}));
    return json_response(Json{
        {"verdict", checked.verdict},
        {"fields", hidden ? request.fields : checked.fields},
        {"findings", std::move(findings)},
        {"earliest_next", checked.earliest_next.empty() ? Json() : Json(checked.earliest_next)}});
}

}  // namespace

std::vector<Endpoint> finding_routes() {
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Get,
                   .path = "/v1/spaces/{space}/findings",
                   .name = "listFindings",
                   .summary = "What the rules found.",
                   .query = {{"rule", Type::Text, "of this rule only"},
                             {"open", Type::Flag, "only those that nobody answered"},
                             {"language", Type::Text, "of the reader: en, es"}},
                   .answer = "finding",
                   .list = true,
                   .runs = Runs::Pool,
                   .run = answering(list_findings)});
    out.push_back({.path = "/v1/spaces/{space}/unchecked",
                   .name = "listUnchecked",
                   .summary = "Records without a verdict, and why.",
                   .list = true,
                   .runs = Runs::Pool,
                   .run = answering(list_unchecked)});
    out.push_back(
        {.method = Method::Post,
         .path = "/v1/spaces/{space}/findings/{finding}/answer",
         .name = "answerFinding",
         .summary = "Answers a finding; the answer is a record core.finding_answer.",
         .body = Body::Members,
         .members = {{"state", Type::Text, true, false, "accepted, corrected or dismissed"},
                     {"reason", Type::Text, true, false, "why"}},
         .status = 201,
         .answer = "record",
         .access = Access::Writer,
         .runs = Runs::Pool,
         .run = [](const CallPtr& call) {
             if (auto begun = begin_answer(call); !begun) call->answer(begun.error());
         }});
    out.push_back({.method = Method::Post,
                   .path = "/v1/spaces/{space}/check",
                   .name = "checkRecord",
                   .summary = "Asks what the rules would say; stores nothing.",
                   .body = Body::Members,
                   .members = {{"kind", Type::Text, true, false, "such as core.duty"},
                               {"fields", Type::Object, true, false, "of the record in question"},
                               {"id", Type::Text, false, true, "of the record, if it has one"}},
                   .answer = "check",
                   .runs = Runs::Pool,
                   .run = answering(check_record)});
    return out;
}

}  // namespace dutybook::api
