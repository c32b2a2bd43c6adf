#pragma once
// The handler behind the server: checks a request against its endpoint's declaration and runs it.

#include "api/call.h"
#include "api/gate.h"

namespace dutybook::api {

class Api final : public Handler {
public:
    explicit Api(Services services);

    // Before the first request: the address that TCP listens on, empty = none.
    void listen_on(const std::string& address) { gate_.listen_on(address); }

    Admission admit(Request& head) override;
    void handle(Request request, std::shared_ptr<Responder> responder) override;
    void tick() override;

private:
    Services services_;
    Router router_;
    Gate gate_;
};

}  // namespace dutybook::api
