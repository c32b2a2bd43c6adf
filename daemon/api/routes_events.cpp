// Server-sent events.

#include "api/call.h"

namespace dutybook::api {

namespace {

void subscribe(const CallPtr& call) {
    EventHub::Filter filter;
    filter.space = call->query("space");
    filter.reader = reader_of(*call);
    filter.allowed = [call] { return call->still_allowed(); };
    for (auto& type : call->queries("type")) filter.types.insert(std::move(type));
    call->services.events->subscribe(call->responder, std::move(filter),
                                     call->request.header(Header::LastEventId));
}

}  // namespace

std::vector<Endpoint> event_routes() {
    std::vector<Endpoint> out;
    out.push_back(
        {.method = Method::Get,
         .path = "/v1/events",
         .name = "events",
         .summary = "What changes, as text/event-stream; goes on after Last-Event-ID.",
         .query = {{"space", Type::Text, "of this space only"},
                   {"type", Type::Text, "record, conflict, finding, sync, alarm, plugin", true}},
         .run = subscribe});
    return out;
}

}  // namespace dutybook::api
