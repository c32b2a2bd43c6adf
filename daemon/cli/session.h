#pragma once
// What every command works with: the options that all share, the connection to the daemon (opened
// at the first question), and the two streams. One thread.

#include "base/json.h"
#include "base/result.h"
#include "cli/http.h"

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace dutybook::cli {

// What ends a command well; an Error ends it with exit_code(error).
enum Exit : int {
    done = 0,
    failed = 1,
    usage = 2,
    refused = 3,
    stale = 4,
    no_daemon = 5,
    repaired = 6,
    needs_person = 7,
    loss = 8
};

struct Settings {
    std::string store;   // directory; empty = none named
    std::string socket;  // of a daemon of another account; empty = the store's own
    std::string space;   // empty = the only one
    std::string by, on_behalf, device, source;
    std::string language;  // of messages; empty = the daemon's own (English)
    bool json = false;
};

// Anything converts to Json, an Error too, so that `return json;` is ambiguous.
inline Result<Json> json_result(Json value) {
    return Result<Json>(boost::system::in_place_value, std::move(value));
}

class Session {
public:
    Session(Settings& settings, std::ostream& out, std::ostream& err)
        : settings_(settings), out_(out), err_(err) {}

    const Settings& settings() const { return settings_; }
    bool json() const { return settings_.json; }
    std::ostream& out() const { return out_; }
    std::ostream& err() const { return err_; }
    // How what is written from now on came to be: entered, imported, device.
    void set_source(std::string source) { settings_.source = std::move(source); }
    // Code::Malformed (usage) if neither --store nor DUTYBOOK_STORE names one.
    Result<std::filesystem::path> store() const;

    // "/v1/spaces/<space>/<rest>"; `rest` is appended as it is.
    std::string in_space(const std::string& rest) const;

    struct Extras {
        std::string if_version;       // If-Match
        std::string idempotency_key;  // Idempotency-Key
        bool merge_patch = false;     // media type of the body
    };
    // One question; a problem is returned as Error, an answer as JSON (null if it has no body).
    Result<Json> ask(const std::string& method, const std::string& target, const Json& body,
                     const Extras& extras);
    // An answer that is no JSON: a page, a table, a calendar.
    Result<std::string> text(const std::string& target);
    Result<Json> get(const std::string& target) { return ask("GET", target, Json(), {}); }
    Result<Json> post(const std::string& target, const Json& body = Json()) {
        return ask("POST", target, body, {});
    }
    // A long task: lines {"progress":…} go to stderr for people, result lines to `on_result`.
    Result<void> task(const std::string& target, const Json& body,
                      const std::function<void(const Json&)>& on_result);
    // A batch: `source` is sent as it is, each answered line goes to `on_line`.
    Result<void> batch(const std::string& target, const std::string& key,
                       const HttpConnection::Source& source, const HttpConnection::OnLine& on_line);
    // All items of a list, page by page, until `limit` (0 = all).
    Result<void> items(std::string target, std::uint64_t limit,
                       const std::function<void(const Json&)>& on_item);

    // The site's time zone: from the store's site.json, else this machine's.
    const std::string& zone();

    // People at a terminal see one line that is written over; a log sees each step's begin and end.
    void show_progress(const Json& progress);  // {"step","done","all"}
    void end_progress();

private:
    Result<HttpConnection*> connection();
    HttpRequest request(const std::string& method, const std::string& target) const;

    Settings& settings_;
    std::ostream& out_;
    std::ostream& err_;
    std::optional<HttpConnection> connection_;
    std::string zone_;
    bool progress_open_ = false;
};

// The daemon's problem (RFC 9457) as an Error, and an Error as a problem.
Error error_of(const Json& problem, unsigned status);
Json problem_of(const Error& error);
int exit_code(const Error& error);

// "recovery_key" of an answer, with what to do with it, for people.
void print_recovery_key(Session& session, const Json& answer);

// Wrong use of a command: exit 2.
Error usage_error(std::string what, std::string fix = {});

}  // namespace dutybook::cli
