#include "api/call.h"

#include "api/gate.h"
#include "api/problem.h"

namespace dutybook::api {

const std::string& Call::query(std::string_view name) const {
    static const std::string none;
    for (const auto& [key, value] : request.query) {
        if (key == name) return value;
    }
    return none;
}

std::vector<std::string> Call::queries(std::string_view name) const {
    std::vector<std::string> out;
    for (const auto& [key, value] : request.query) {
        if (key == name) out.push_back(value);
    }
    return out;
}

bool Call::flag(std::string_view name) const {
    for (const auto& [key, value] : request.query) {
        if (key == name) return value != "0" && value != "false";
    }
    return false;
}

std::size_t Call::limit() const {
    const std::string& text = query("limit");
    if (text.empty()) return 100;
    return std::clamp<std::size_t>(std::stoul(text), 1, 1000);
}

Result<std::optional<Millis>> Call::instant(std::string_view name) const {
    const std::string& text = query(name);
    if (text.empty()) return std::optional<Millis>{};
    auto parsed = parse_instant_of_person(text, services.book->site().zone, services.clock->now());
    if (!parsed) {
        Error error = std::move(parsed).error();
        error.what = "the parameter " + std::string(name) + ": " + error.what;
        error.detail = Json({{"parameter", name}}).dump();
        return error;
    }
    return std::optional<Millis>(*parsed);
}

std::string Call::language() const {
    const std::string& asked = query("language");
    const std::string& wanted = asked.empty() ? request.header(Header::AcceptLanguage) : asked;
    const std::string first = wanted.substr(0, wanted.find_first_of(",; "));
    const bool plain =
        !first.empty() && first.size() <= 20 && std::all_of(first.begin(), first.end(), [](char c) {
            return c == '-' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        });
    return plain ? first : "en";
}

bool Call::wants_lines() const {
    return request.header(Header::Accept).find(lines_type) != std::string::npos;
}

Result<core::SpaceService*> Call::space() const {
    const std::string& name = argument(0);
    core::SpaceService* found = nullptr;
    if (name == "-") {
        const auto all = services.book->spaces();
        if (all.size() == 1) return all.front();
        Error error = failure(
            all.empty() ? Code::NotFound : Code::Ambiguous,
            all.empty() ? "this store has no space" : "which space?",
            all.empty() ? "" : "this store has several",
            all.empty() ? "make one with: dutybook space create NAME" : "name one with --space");
        Json names = Json::array();
        for (const auto* space : all) names.push_back(space->facts().name);
        if (!all.empty()) error.detail = Json({{"spaces", std::move(names)}}).dump();
        return error;
    }
    found = services.book->space(name);
    if (found) return found;
    return failure(Code::NotFound, "there is no space '" + name + "' here", {},
                   "see: dutybook space list");
}

core::Caller Call::caller() const {
    const auto decoded = [&](Header header) {
        return percent_decode(request.header(header)).value_or(std::string());
    };
    core::Caller caller;
    if (request.peer.door == Door::Socket) {
        caller.auth = "socket";
        caller.by = decoded(Header::By);
        if (!request.peer.person.empty()) caller.by = request.peer.person;
        if (caller.by.empty()) caller.by = request.peer.account;
    } else {
        caller.auth = "token";
        caller.by = request.person;
    }
    caller.on_behalf = decoded(Header::OnBehalf);
    caller.device = decoded(Header::Device);
    if (const std::string source = decoded(Header::Source); !source.empty()) caller.source = source;
    return caller;
}

namespace {

// "\"abc\"" and "abc" are the same version; "*" names none.
std::string version_in(std::string_view header) {
    if (header.size() >= 2 && header.front() == '"' && header.back() == '"')
        header = header.substr(1, header.size() - 2);
    return header == "*" ? std::string() : std::string(header);
}

}  // namespace

Result<core::WriteRequest> Call::write(core::Action action) const {
    core::WriteRequest out;
    out.action = action;
    out.caller = caller();
    if (out.caller.source != "entered" && out.caller.source != "imported" &&
        out.caller.source != "device")
        return malformed("X-Dutybook-Source must be entered, imported or device");
    out.reason = query("reason");
    out.if_version = version_in(request.header(Header::IfMatch));
    out.idempotency_key = request.header(Header::IdempotencyKey);
    if (out.idempotency_key.size() > 200)
        return failure(Code::Malformed, "Idempotency-Key is longer than 200 characters", {},
                       "use a shorter one");
    return out;
}

bool Call::still_allowed() const {
    Request again;
    again.headers = request.headers;
    again.peer = request.peer;
    return !check_access(*request.endpoint, again, *services.tokens, services.accounts) &&
           again.person == request.person && again.peer.person == request.peer.person;
}

void Call::answer(Result<Response> result) const {
    responder->send(result ? std::move(*result) : problem(result.error()));
}

std::function<void(const CallPtr&)> answering(Result<Response> (*function)(Call&)) {
    return [function](const CallPtr& call) { call->answer(function(*call)); };
}

Response json_response(std::string text, unsigned status) {
    text += '\n';
    return {status, "application/json", std::move(text), {}};
}

Response json_response(const Json& json, unsigned status) {
    return json_response(json.dump(-1, ' ', false, Json::error_handler_t::replace), status);
}

void TaskAnswer::begin() {
    if (std::exchange(begun_, true)) return;
    call_->responder->start({200, lines_type, {}, {}});
}

void TaskAnswer::progress(const std::string& step, std::uint64_t done, std::uint64_t all) {
    if (!lines_) return;
    const std::lock_guard lock(mutex_);
    begin();
    const Json line = {{"progress", {{"step", step}, {"done", done}, {"all", all}}}};
    // One who does not read misses progress, not results.
    if (call_->responder->queued() < 65536) call_->responder->write(line.dump() + "\n");
}

void TaskAnswer::finish(const std::vector<Json>& lines, const Json& whole) {
    if (!lines_) {
        call_->answer(json_response(whole));
        return;
    }
    const std::lock_guard lock(mutex_);
    begin();
    for (const Json& line : lines)
        call_->responder->write(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    call_->responder->finish();
}

void TaskAnswer::fail(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!begun_) {
        call_->answer(error);
        return;
    }
    call_->responder->write(problem(error).body);
    call_->responder->finish();
}

void add_all_routes(Router& router) {
    for (auto* routes :
         {daemon_routes, token_routes, account_routes, space_routes, member_routes, record_routes,
          record_action_routes, history_routes, conflict_routes, finding_routes, remote_routes,
          care_routes, event_routes, plugin_routes, report_routes, today_routes, explain_routes}) {
        router.add(routes());
    }
}

}  // namespace dutybook::api
