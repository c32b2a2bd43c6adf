// Problems (RFC 9457) <-> Error <-> exit codes.
#include "cli/session.h"

#include <array>
#include <utility>

namespace dutybook::cli {

namespace {

struct Known {
    std::string_view name;
    Code code;
    unsigned status;
};
constexpr std::array<Known, 17> known = {{
    {"malformed", Code::Malformed, 400},
    {"rejected", Code::Rejected, 422},
    {"denied", Code::Denied, 403},
    {"forbidden", Code::Forbidden, 403},
    {"not_found", Code::NotFound, 404},
    {"ambiguous", Code::Ambiguous, 409},
    {"exists", Code::Exists, 409},
    {"conflict", Code::Conflict, 409},
    {"stale", Code::Stale, 412},
    {"too_large", Code::TooLarge, 413},
    {"unavailable", Code::Unavailable, 503},
    {"timeout", Code::Timeout, 504},
    {"full", Code::Full, 507},
    {"io", Code::Io, 500},
    {"corrupt", Code::Corrupt, 500},
    {"newer_format", Code::NewerFormat, 501},
    {"internal", Code::Internal, 500},
}};

// Marks in Error::detail that tell the client's own errors apart from the daemon's.
constexpr std::string_view usage_mark = R"({"usage":true})";
constexpr std::string_view no_daemon_mark = R"({"no_daemon":true})";

std::string text_member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Code code_of(const std::string& name, unsigned status) {
    for (const auto& one : known) {
        if (one.name == name) return one.code;
    }
    for (const auto& one : known) {
        if (one.status == status) return one.code;
    }
    return status < 500 ? Code::Malformed : Code::Internal;
}

}  // namespace

Error error_of(const Json& problem, unsigned status) {
    Error error;
    if (!problem.is_object()) {
        error = failure(
            Code::Internal,
            "the daemon answered with status " + std::to_string(status) + " and no explanation", {},
            "its log says more; are dutybook and dutybookd of the same version?");
        return error;
    }
    error.code = code_of(text_member(problem, "code"), status);
    error.what = text_member(problem, "title");
    error.why = text_member(problem, "why");
    error.fix = text_member(problem, "fix");
    error.pointer = text_member(problem, "pointer");
    if (error.what.empty()) error.what = text_member(problem, "detail");
    if (const auto line = problem.find("line"); line != problem.end() && line->is_number()) {
        error.line = line->get<std::uint64_t>();
    }
    Json rest = problem;
    for (const auto* name :
         {"type", "title", "status", "detail", "code", "why", "fix", "pointer", "line"}) {
        rest.erase(name);
    }
    if (!rest.empty()) error.detail = rest.dump();
    // What was asked is at fault, not what was to be written.
    if (error.code == Code::Malformed && rest.contains("parameter")) error.detail = usage_mark;
    return error;
}

Json problem_of(const Error& error) {
    Json problem = Json::object();
    if (!error.detail.empty() && error.detail != usage_mark && error.detail != no_daemon_mark) {
        problem = Json::parse(error.detail, nullptr, false);
        if (!problem.is_object()) problem = Json::object();
    }
    for (const auto& one : known) {
        if (one.code != error.code) continue;
        problem["code"] = one.name;
        problem["status"] = one.status;
    }
    problem["type"] = "about:blank";
    problem["title"] = error.what;
    problem["detail"] = error.text();
    if (!error.why.empty()) problem["why"] = error.why;
    if (!error.fix.empty()) problem["fix"] = error.fix;
    if (!error.pointer.empty()) problem["pointer"] = error.pointer;
    if (error.line) problem["line"] = *error.line;
    return problem;
}

int exit_code(const Error& error) {
    if (error.detail == usage_mark) return usage;
    if (error.detail == no_daemon_mark) return no_daemon;
    switch (error.code) {
        case Code::Malformed:
        case Code::Rejected:
        case Code::Denied:
        case Code::TooLarge:
            return refused;
        case Code::Ambiguous:
            return usage;
        case Code::Stale:
            return stale;
        default:
            return failed;
    }
}

Error usage_error(std::string what, std::string fix) {
    Error error = malformed(std::move(what));
    error.fix = std::move(fix);
    error.detail = usage_mark;
    return error;
}

}  // namespace dutybook::cli
