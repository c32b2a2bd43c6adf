#include "api/writing.h"

#include "api/findings.h"
#include "api/problem.h"
#include "core/plugin_records.h"

namespace dutybook::api {

RecordContext context_of(const Call& call, core::SpaceService& space, Walls::Hold hold) {
    const auto for_reader = [&call, &space, hold](std::string_view text) -> std::string {
        Json findings = Json::parse(text, nullptr, false);
        if (!findings.is_array()) return "[]";
        const std::string language = call.language();
        translate(call.services, findings, language);
        Walls walls(call.services, space, reader_of(call), hold);
        return walls.mask(findings, language) ? canonical(findings) : "[]";
    };
    return {space.facts(), call.services.book->kinds(), for_reader};
}

std::string answer_text(const Call& call, core::SpaceService& space, const core::Written& written) {
    constexpr auto acting = Walls::Hold::WallsAlone;
    Walls walls(call.services, space, reader_of(call), acting);
    const auto hidden = walls.hides(written.record.state);
    const RecordContext context = context_of(call, space, acting);
    if (hidden && !*hidden) return written_text(written, context);
    core::Written bare = written;
    bare.record.state.fields.clear();
    bare.record.state.conflicts.clear();
    return written_text(bare, context);
}

Result<std::string> shown_text(const Call& call, core::SpaceService& space,
                               const store::StoredRecord& record) {
    std::string findings = "[]";
    if (!call.services.evaluator->plugins(space.facts().name).empty()) {
        TRY_ASSIGN(findings, findings_of(space.reader(), record));
    }
    return record_text(record, findings, context_of(call, space));
}

void fill_create(core::WriteRequest& request, Json&& body) {
    request.kind = std::move(body.at("kind").get_ref<std::string&>());
    request.fields = std::move(body.at("fields"));
    if (const auto id = body.find("id"); id != body.end() && id->is_string())
        request.id = std::move(id->get_ref<std::string&>());
}

Result<void> check_choice_of_plugin(const Call& call, core::SpaceService& space,
                                    const core::WriteRequest& request) {
    const Peer& peer = call.request.peer;
    if (peer.door == Door::Socket && peer.role == Role::Admin) return {};
    std::string kind = request.kind;
    if (kind.empty()) {
        TRY_ASSIGN(const auto stored, space.reader().get(request.id));
        if (stored) kind = stored->state.kind;
    }
    if (kind == core::settings_kind && peer.role != Role::Admin) {
        return failure(Code::Forbidden, "the settings of plugins are chosen by an administrator",
                       "they say who reads what, and how every site judges",
                       "ask an administrator for `dutybook plugin config`");
    }
    if (kind != core::package_kind && kind != core::part_kind) return {};
    return failure(Code::Forbidden, "the plugins of a space are chosen by an administrator",
                   "records of kind " + kind + " bring code to every site",
                   "use `dutybook plugin` as the account that runs the daemon");
}

namespace {

Response written_response(const Call& call, core::SpaceService& space, const core::Written& written,
                          unsigned status) {
    Response response =
        json_response(answer_text(call, space, written), written.wrote ? status : 200);
    response.headers.emplace_back("ETag", "\"" + written.record.version + "\"");
    if (response.status == 201) {
        response.headers.emplace_back("Location", "/v1/spaces/" + space.facts().name + "/records/" +
                                                      percent_encode(written.id));
    }
    return response;
}

}  // namespace

void write_and_answer(const CallPtr& call, core::SpaceService& space, core::WriteRequest request,
                      unsigned status) {
    if (auto allowed = check_choice_of_plugin(*call, space, request); !allowed)
        return call->answer(allowed.error());
    std::vector<core::WriteRequest> requests;
    requests.push_back(std::move(request));
    space.write(
        std::move(requests), [call, &space, status](std::vector<Result<core::Written>> results) {
            // On the space's thread: hand over, format elsewhere.
            call->responder->post([call, &space, status, result = std::move(results.front())] {
                call->responder->send(result ? written_response(*call, space, *result, status)
                                             : problem(result.error()));
            });
        });
}

std::vector<domain::Known> known_of(const std::vector<store::IndexReader::OperationRow>& rows) {
    std::vector<domain::Known> known;
    known.reserve(rows.size());
    for (const auto& row : rows) known.push_back({&row.operation, &row.frontier});
    return known;
}

}  // namespace dutybook::api
