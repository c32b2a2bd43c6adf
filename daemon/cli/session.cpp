#include "cli/session.h"

#include "base/clock.h"
#include "base/file.h"
#include "cli/terminal.h"

#include <unistd.h>
#include <iostream>
#include <map>

namespace dutybook::cli {

Result<std::filesystem::path> Session::store() const {
    if (settings_.store.empty()) {
        return usage_error("no store is named", "give --store DIR or set DUTYBOOK_STORE");
    }
    return std::filesystem::path(settings_.store);
}

std::string Session::in_space(const std::string& rest) const {
    const std::string& space = settings_.space;
    return "/v1/spaces/" + (space.empty() ? "-" : percent_encode(space)) + "/" + rest;
}

Result<HttpConnection*> Session::connection() {
    if (!connection_) {
        std::string socket = settings_.socket;
        if (socket.empty()) {
            TRY_ASSIGN(const auto directory, store());
            socket = (directory / "run" / "dutybook.sock").string();
        }
        auto opened = HttpConnection::open(socket);
        if (!opened) {
            Error error = opened.error();
            error.detail = R"({"no_daemon":true})";
            return error;
        }
        connection_.emplace(std::move(*opened));
    }
    return &*connection_;
}

HttpRequest Session::request(const std::string& method, const std::string& target) const {
    HttpRequest request{method, target, {}, {}};
    const std::pair<const char*, const std::string*> who[] = {
        {"X-Dutybook-By", &settings_.by},
        {"X-Dutybook-On-Behalf", &settings_.on_behalf},
        {"X-Dutybook-Device", &settings_.device},
        {"X-Dutybook-Source", &settings_.source}};
    for (const auto& [name, value] : who) {
        if (!value->empty()) request.headers[name] = percent_encode(*value);
    }
    if (!settings_.language.empty()) request.headers["Accept-Language"] = settings_.language;
    return request;
}

namespace {

Result<Json> answer_of(const HttpResponse& response) {
    Json body;
    if (!response.body.empty()) body = Json::parse(response.body, nullptr, false);
    if (response.status >= 400) return error_of(body, response.status);
    if (body.is_discarded()) {
        return failure(Code::Internal, "the daemon's answer is not JSON", "",
                       "are dutybook and dutybookd of the same version?");
    }
    return json_result(std::move(body));
}

}  // namespace

Result<Json> Session::ask(const std::string& method, const std::string& target, const Json& body,
                          const Extras& extras) {
    TRY_ASSIGN(HttpConnection* const http, connection());
    HttpRequest question = request(method, target);
    if (!extras.if_version.empty()) question.headers["If-Match"] = '"' + extras.if_version + '"';
    if (!extras.idempotency_key.empty()) {
        question.headers["Idempotency-Key"] = extras.idempotency_key;
    }
    if (!body.is_null()) {
        question.headers["Content-Type"] =
            extras.merge_patch ? "application/merge-patch+json" : "application/json";
        question.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    TRY_ASSIGN(const auto response, http->call(question));
    return answer_of(response);
}

Result<std::string> Session::text(const std::string& target) {
    TRY_ASSIGN(HttpConnection* const http, connection());
    TRY_ASSIGN(auto response, http->call(request("GET", target)));
    if (response.status >= 400) {
        auto problem = answer_of(response);
        return problem ? failure(Code::Internal, "an answer that cannot be read", "",
                                 "are dutybook and dutybookd of the same version?")
                       : std::move(problem).error();
    }
    return std::move(response.body);
}

Result<void> Session::task(const std::string& target, const Json& body,
                           const std::function<void(const Json&)>& on_result) {
    TRY_ASSIGN(HttpConnection* const http, connection());
    HttpRequest question = request("POST", target);
    question.headers["Accept"] = "application/x-ndjson";
    if (!body.is_null()) {
        question.headers["Content-Type"] = "application/json";
        question.body = body.dump();
    }
    std::optional<Error> failed_late;
    auto response = http->stream(question, nullptr, [&](std::string_view text) {
        const Json line = Json::parse(text, nullptr, false);
        if (line.is_object() && line.contains("progress")) {
            show_progress(line["progress"]);
        } else if (line.is_object() && line.contains("status") && line.contains("title")) {
            failed_late = error_of(line, line.value("status", 500U));
        } else {
            end_progress();
            on_result(line);
        }
    });
    end_progress();
    if (!response) return response.error();
    if (failed_late) return *failed_late;
    if (!response->content_type.starts_with("application/x-ndjson")) {
        TRY_ASSIGN(const Json whole, answer_of(*response));
        if (const auto items = whole.find("items"); items != whole.end()) {
            for (const auto& item : *items) on_result(item);
        } else if (!whole.is_null()) {
            on_result(whole);
        }
    }
    return {};
}

Result<void> Session::batch(const std::string& target, const std::string& key,
                            const HttpConnection::Source& source,
                            const HttpConnection::OnLine& on_line) {
    TRY_ASSIGN(HttpConnection* const http, connection());
    HttpRequest question = request("POST", target);
    question.headers["Content-Type"] = "application/x-ndjson";
    question.headers["Accept"] = "application/x-ndjson";
    if (!key.empty()) question.headers["Idempotency-Key"] = key;
    TRY_ASSIGN(const auto response, http->stream(question, source, on_line));
    if (!response.content_type.starts_with("application/x-ndjson")) TRY(answer_of(response));
    return {};
}

Result<void> Session::items(std::string target, std::uint64_t limit,
                            const std::function<void(const Json&)>& on_item) {
    constexpr std::uint64_t page_limit = 1000;  // the daemon's greatest page
    const char joint = target.find('?') == std::string::npos ? '?' : '&';
    std::uint64_t left = limit == 0 ? UINT64_MAX : limit;
    std::string cursor;
    do {
        std::string page = target + joint + "limit=" + std::to_string(std::min(left, page_limit));
        if (!cursor.empty()) page += "&cursor=" + percent_encode(cursor);
        TRY_ASSIGN(const Json answer, get(page));
        const auto found = answer.find("items");
        if (found == answer.end() || !found->is_array()) {
            return failure(Code::Internal, "the daemon's list has no items", "",
                           "are dutybook and dutybookd of the same version?");
        }
        for (const auto& item : *found) {
            if (left == 0) break;
            on_item(item);
            --left;
        }
        const auto next = answer.find("next");
        cursor = next != answer.end() && next->is_string() ? next->get<std::string>() : "";
    } while (!cursor.empty() && left > 0);
    return {};
}

const std::string& Session::zone() {
    if (zone_.empty() && !settings_.store.empty()) {
        if (auto text = read_file(std::filesystem::path(settings_.store) / "site.json")) {
            const Json site = Json::parse(*text, nullptr, false);
            if (site.is_object()) zone_ = site.value("zone", "");
        }
    }
    if (zone_.empty()) zone_ = system_zone();
    return zone_;
}

namespace {

// The steps of a contact in words; those of care name what they read.
std::string in_words(const std::string& step) {
    static const std::map<std::string, std::string, std::less<>> words = {
        {"list", "asking what the remote holds"},
        {"fetch", "fetching"},
        {"check", "checking what came"},
        {"fold", "taking it in"},
        {"seal", "sealing what was written"},
        {"push", "sending"},
        {"verify", "reading back"},
    };
    const auto found = words.find(step);
    return found == words.end() ? step : found->second;
}

}  // namespace

// People at a terminal see one line that is written over; a log sees each step once.
void Session::show_progress(const Json& progress) {
    if (!progress.is_object()) return;
    const std::string step = in_words(progress.value("step", ""));
    if (step == "done") return;
    const auto done = progress.value("done", std::uint64_t{0});
    const auto all = progress.value("all", std::uint64_t{0});
    if (::isatty(STDERR_FILENO) == 1) {
        std::string line = step;
        if (all > 0) line += ' ' + std::to_string(done) + " of " + std::to_string(all);
        err_ << over_line(std::move(line)) << std::flush;
        progress_open_ = true;
    } else if (done == 0 || done == all) {
        err_ << step;
        if (all > 0) err_ << ' ' << done << " of " << all;
        err_ << '\n';
    }
}

void Session::end_progress() {
    if (progress_open_) err_ << over_line({}) << '\r' << std::flush;
    progress_open_ = false;
}

}  // namespace dutybook::cli
