// The daemon itself: health, status, kinds.

#include "api/call.h"
#include "api/findings.h"
#include "api/shapes.h"
#include "core/circle.h"

namespace dutybook::api {

namespace {

Result<Response> get_health(Call&) {
    return json_response(Json{{"status", "ok"}});
}

// What only the space's thread knows.
struct EngineStatus {
    std::uint64_t unsealed = 0;
    std::uint64_t doubtful = 0;
    std::vector<core::Alarm> alarms;
    std::vector<core::SpaceEngine::Peer> peers;
};

Json alarms_json(const std::vector<core::Alarm>& alarms) {
    Json list = Json::array();
    for (const auto& alarm : alarms) {
        list.push_back({{"id", alarm.id},
                        {"kind", alarm.kind},
                        {"subject", alarm.subject},
                        {"message", alarm.message},
                        {"since", instant_or_null(alarm.since)}});
    }
    return list;
}

// Names come from the control log; null for a site that it does not know.
Json peers_json(const std::vector<core::SpaceEngine::Peer>& peers, const core::Circle* circle) {
    const auto members = circle != nullptr ? circle->membership() : nullptr;
    Json list = Json::array();
    for (const auto& peer : peers) {
        const auto* member = members ? members->find(peer.site) : nullptr;
        list.push_back(
            {{"site", peer.site},
             {"name", member != nullptr ? Json(member->name) : Json()},
             {"holds_of_ours", peer.holds_of_ours},
             {"last_heard", instant_or_null(peer.last_heard)},
             {"next_heard", peer.next_heard ? Json(format_utc(*peer.next_heard)) : Json()}});
    }
    return list;
}

// What is no alarm yet, but should be changed.
Json warnings_of(const core::Circle* circle) {
    Json list = Json::array();
    const auto members = circle != nullptr ? circle->membership() : nullptr;
    if (members && members->administrators() == 1) {
        list.push_back(
            "the space has only one administrator: if that site is lost, only the "
            "recovery key helps; invite another with --role admin");
    }
    return list;
}

Result<Json> space_status(Call& call, core::SpaceService& space) {
    const auto engine = space.run([](core::SpaceEngine& it) {
        return EngineStatus{it.unsealed(), it.doubtful(), it.alarms(), it.peers()};
    });
    store::IndexReader& reader = space.reader();
    TRY_ASSIGN(const auto counts, reader.counts());
    TRY_ASSIGN(const auto digest, reader.digest());
    TRY_ASSIGN(const auto operations, reader.operations_digest());
    TRY_ASSIGN(const auto frontier, reader.frontier());
    TRY_ASSIGN(const auto findings,
               findings_summary(space, *call.services.evaluator, engine.doubtful));
    TRY_ASSIGN(const auto remotes, call.services.sync->remotes(space.facts().name));
    Json seqs = Json::object(), remote_list = Json::array();
    for (const auto& [writer, entry] : frontier.entries()) seqs[writer] = entry.seq;
    for (const auto& remote : remotes) remote_list.push_back(remote_json(remote));
    const core::Circle* circle = call.services.book->circle(space.facts().name);
    return Result<Json>(boost::system::in_place_value,
                        Json{{"name", space.facts().name},
                             {"id", space.facts().id},
                             {"parent", space.facts().parent},
                             {"digest", digest},
                             {"operations_digest", operations},
                             {"findings_digest", findings.digest ? Json(*findings.digest) : Json()},
                             {"records", counts.records},
                             {"operations", counts.operations},
                             {"conflicts", counts.conflicts},
                             {"unsealed", engine.unsealed},
                             {"unchecked", findings.unchecked},
                             {"frontier", std::move(seqs)},
                             {"remotes", std::move(remote_list)},
                             {"peers", peers_json(engine.peers, circle)},
                             {"alarms", alarms_json(engine.alarms)},
                             {"warnings", warnings_of(circle)}});
}

Json plugins_json(const Call& call) {
    Json all = Json::array();
    if (call.services.plugins == nullptr) return all;
    for (const auto& one : call.services.plugins->list()) {
        const auto& status = one.status;
        all.push_back({{"id", status.id},
                       {"version", status.version},
                       {"digest", status.digest},
                       {"state", rules::name_of(status.slot.state)},
                       {"restarts", status.slot.restarts},
                       {"why", status.slot.last_fault},
                       {"sandbox", status.slot.sandbox}});
    }
    for (const auto& one : call.services.plugins->waiting()) {
        all.push_back({{"id", one.plugin},
                       {"version", one.version},
                       {"digest", one.digest},
                       {"state", "waiting"},
                       {"restarts", 0},
                       {"why", one.why}});
    }
    return all;
}

Result<Response> get_status(Call& call) {
    const core::Site& site = call.services.book->site();
    Json spaces = Json::array();
    for (auto* space : call.services.book->spaces()) {
        TRY_ASSIGN(Json status, space_status(call, *space));
        spaces.push_back(std::move(status));
    }
    return json_response(Json{{"site",
                               {{"id", site.id},
                                {"name", site.name},
                                {"zone", site.zone},
                                {"public_key", site.public_key},
                                {"version", call.services.version}}},
                              {"spaces", std::move(spaces)},
                              {"plugins", plugins_json(call)}});
}

Result<Response> list_kinds(Call& call) {
    const rules::Kinds& kinds = call.services.book->kinds();
    Json items = Json::array();
    for (const auto& name : kinds.names()) items.push_back(kinds.summary(name));
    return json_response(Json{{"items", std::move(items)}, {"next", nullptr}});
}

Result<Response> get_kind(Call& call) {
    const rules::Kinds& kinds = call.services.book->kinds();
    if (auto unknown = kinds.unknown(call.argument(0))) {
        unknown->code = Code::NotFound;
        return std::move(*unknown);
    }
    Json kind = kinds.describe(call.argument(0));
    kind["schema"] = kinds.schema(call.argument(0));
    return json_response(kind);
}

}  // namespace

std::vector<Endpoint> daemon_routes() {
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Get,
                   .path = "/v1/health",
                   .name = "health",
                   .summary = "Whether the daemon answers; needs no token.",
                   .access = Access::Anyone,
                   .run = answering(get_health)});
    out.push_back({.method = Method::Get,
                   .path = "/v1/status",
                   .name = "status",
                   .summary = "The whole picture.",
                   .answer = "status",
                   .runs = Runs::Pool,
                   .run = answering(get_status)});
    out.push_back({.method = Method::Get,
                   .path = "/v1/kinds",
                   .name = "listKinds",
                   .summary = "The kinds that this daemon knows.",
                   .list = true,
                   .run = answering(list_kinds)});
    out.push_back({.method = Method::Get,
                   .path = "/v1/kinds/{kind}",
                   .name = "getKind",
                   .summary = "One kind: its fields, an example and its JSON Schema.",
                   .run = answering(get_kind)});
    return out;
}

}  // namespace dutybook::api
