#pragma once
// One request on its way through a handler, and what handlers work with.

#include "api/accounts.h"
#include "api/endpoint.h"
#include "api/events.h"
#include "api/pool.h"
#include "api/tokens.h"
#include "core/book.h"
#include "core/plugins.h"
#include "sync/service.h"

#include <mutex>

namespace dutybook::api {

// What the handlers reach. Nothing is owned; all of it outlives every call.
struct Services {
    core::Book* book = nullptr;
    sync::SyncService* sync = nullptr;
    rules::Evaluator* evaluator = nullptr;
    core::Plugins* plugins = nullptr;  // null where no plugins run (tests)
    std::filesystem::path schemas;     // folder of the program's schemas
    std::string programs;              // folder of dutybook-worker and dutybook-supervise
    EventHub* events = nullptr;
    Tokens* tokens = nullptr;
    Accounts* accounts = nullptr;
    Pool* pool = nullptr;
    const Clock* clock = nullptr;
    std::string version;                                                // of the program
    std::shared_ptr<std::mutex> care = std::make_shared<std::mutex>();  // held by a care task
};

class Call {
public:
    Call(Services& services_, Request request_, std::shared_ptr<Responder> responder_, Json body_)
        : services(services_),
          request(std::move(request_)),
          responder(std::move(responder_)),
          body(std::move(body_)) {}

    const std::string& argument(std::size_t index) const { return request.arguments.at(index); }
    // The first value of a query parameter, empty if absent.
    const std::string& query(std::string_view name) const;
    std::vector<std::string> queries(std::string_view name) const;
    bool flag(std::string_view name) const;
    // Of a list: `limit` (default 100, at most 1000).
    std::size_t limit() const;
    // An instant as people write it, in the site's zone.
    Result<std::optional<Millis>> instant(std::string_view name) const;
    bool wants_lines() const;
    // Of the reader: ?language=, else Accept-Language ("es-MX,es;q=0.9"), else "en".
    std::string language() const;

    // The space that argument 0 names; "-" is the only one.
    Result<core::SpaceService*> space() const;
    core::Caller caller() const;
    // A write request with caller, reason, If-Match and Idempotency-Key filled in.
    Result<core::WriteRequest> write(core::Action action) const;

    void answer(Result<Response> result) const;

    // Of a request that goes on for long: whether its caller could still make it.
    bool still_allowed() const;

    Services& services;
    const Request request;
    const std::shared_ptr<Responder> responder;
    Json body;  // parsed and checked, its handler's to take; null if there is none
};

// Wraps a function that answers at once.
std::function<void(const CallPtr&)> answering(Result<Response> (*function)(Call&));

Response json_response(std::string text, unsigned status = 200);
Response json_response(const Json& json, unsigned status = 200);

// A long task's answer: a stream of NDJSON lines if the client asks for one, else one object made
// of the results. Any thread.
class TaskAnswer {
public:
    explicit TaskAnswer(CallPtr call) : call_(std::move(call)), lines_(call_->wants_lines()) {}
    void progress(const std::string& step, std::uint64_t done, std::uint64_t all);
    // The results: lines of a stream; else `whole` (or the only line) is the answer.
    void finish(const std::vector<Json>& lines, const Json& whole);
    void fail(const Error& error);

private:
    void begin();
    const CallPtr call_;
    const bool lines_;
    std::mutex mutex_;
    bool begun_ = false;  // by mutex_
};

// Routes, each subject's in its own file.
std::vector<Endpoint> record_routes();
std::vector<Endpoint> record_action_routes();
std::vector<Endpoint> history_routes();
std::vector<Endpoint> conflict_routes();
std::vector<Endpoint> finding_routes();
std::vector<Endpoint> space_routes();
std::vector<Endpoint> member_routes();
std::vector<Endpoint> remote_routes();
std::vector<Endpoint> care_routes();
std::vector<Endpoint> daemon_routes();
std::vector<Endpoint> token_routes();
std::vector<Endpoint> account_routes();
std::vector<Endpoint> event_routes();
std::vector<Endpoint> plugin_routes();
std::vector<Endpoint> report_routes();
std::vector<Endpoint> today_routes();
std::vector<Endpoint> explain_routes();
void add_all_routes(Router& router);

}  // namespace dutybook::api
