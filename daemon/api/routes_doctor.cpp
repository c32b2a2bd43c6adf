// What doctor finds, looked at by the daemon itself: with its account, its keys, its view of peers.

#include "api/routes_doctor.h"

#include "api/call.h"
#include "care/doctor_json.h"

namespace dutybook::api {

namespace {

Result<Response> get_doctor(Call& call) {
    care::FromDaemon known;
    for (auto* space : call.services.book->spaces()) {
        const auto told = space->run(
            [](core::SpaceEngine& engine) { return std::pair(engine.peers(), engine.alarms()); });
        for (const auto& peer : told.first) known.peers.push_back({peer.site, peer.last_heard});
        for (const auto& alarm : told.second) known.alarms.push_back(alarm.message);
    }
    care::DoctorOptions options;
    options.store = call.services.book->directory();
    options.supervise = call.services.programs + "/dutybook-supervise";
    options.clock = call.services.clock;
    options.daemon = &known;
    return json_response(care::to_json(care::doctor(options)));
}

}  // namespace

Endpoint doctor_route() {
    return {.method = Method::Get,
            .path = "/v1/doctor",
            .name = "doctor",
            .summary = "Looks at everything around the store; changes nothing.",
            .answer = "doctor",
            .list = true,
            .runs = Runs::Pool,
            .run = answering(get_doctor)};
}

}  // namespace dutybook::api
