#pragma once
// A whole daemon in this process: store, sync and server, without programs and without git.

#include "api/api.h"
#include "api/server.h"
#include "rules/evaluator.h"
#include "unit/api/raw_client.h"

namespace dutybook::test {

class RunningDaemon {
public:
    RunningDaemon();
    ~RunningDaemon();
    RunningDaemon(const RunningDaemon&) = delete;
    RunningDaemon& operator=(const RunningDaemon&) = delete;

    using Headers = std::vector<std::pair<std::string, std::string>>;
    // One request over the socket; a JSON body gets its Content-Type.
    Answer ask(const std::string& method, const std::string& target, const std::string& body = {},
               const Headers& headers = {});
    // The same over TCP.
    Answer ask_tcp(const std::string& method, const std::string& target,
                   const std::string& body = {}, const Headers& headers = {});
    Answer get(const std::string& target) { return ask("GET", target); }
    // Writes a duty and gives its id.
    std::string add_duty(const std::string& title, const std::string& id = {});

    RawClient connect() const { return RawClient::unix_socket(socket_); }
    const std::string& http_address() const { return server_->http_address(); }

private:
    TemporaryFolder folder_;
    std::filesystem::path socket_;
    SystemClock clock_;
    rules::NoRules no_rules_;
    api::EventHub events_;
    std::unique_ptr<api::Server> server_;
    std::unique_ptr<api::Tokens> tokens_;
    std::unique_ptr<api::Accounts> accounts_;
    std::unique_ptr<core::Book> book_;
    std::unique_ptr<sync::SyncService> sync_;
    std::unique_ptr<api::Pool> pool_;
    std::unique_ptr<api::Api> api_;
};

std::string request_text(const std::string& method, const std::string& target,
                         const std::string& host, const std::string& body,
                         const RunningDaemon::Headers& headers);
// {"kind":"core.duty","fields":{...},"id"?} that is valid.
std::string duty_body(const std::string& title, const std::string& id = {});
Json json_of(const Answer& answer);
// The lines of an NDJSON answer.
std::vector<Json> lines_of(const Answer& answer);

}  // namespace dutybook::test
