#include "api/problem.h"

namespace dutybook::api {

namespace {

struct CodeRow {
    std::string_view name;
    unsigned status;
};

CodeRow row_of(Code code) {
    switch (code) {
        case Code::Malformed:
            return {"malformed", 400};
        case Code::Rejected:
            return {"rejected", 422};
        case Code::Denied:
            return {"denied", 403};
        case Code::Forbidden:
            return {"forbidden", 403};
        case Code::NotFound:
            return {"not_found", 404};
        case Code::Ambiguous:
            return {"ambiguous", 409};
        case Code::Exists:
            return {"exists", 409};
        case Code::Conflict:
            return {"conflict", 409};
        case Code::Stale:
            return {"stale", 412};
        case Code::TooLarge:
            return {"too_large", 413};
        case Code::Unavailable:
            return {"unavailable", 503};
        case Code::Timeout:
            return {"timeout", 504};
        case Code::Full:
            return {"full", 507};
        case Code::Io:
            return {"io", 500};
        case Code::Corrupt:
            return {"corrupt", 500};
        case Code::NewerFormat:
            return {"newer_format", 501};
        case Code::Internal:
            break;
    }
    return {"internal", 500};
}

CodeRow row_of(Refusal refusal) {
    switch (refusal) {
        case Refusal::Unauthorized:
            return {"unauthorized", 401};
        case Refusal::MethodNotAllowed:
            return {"method_not_allowed", 405};
        case Refusal::MediaType:
            return {"media_type", 415};
        case Refusal::Misdirected:
            return {"misdirected", 421};
        case Refusal::HeadersTooLarge:
            return {"headers_too_large", 431};
        case Refusal::RequestTimeout:
            break;
    }
    return {"request_timeout", 408};
}

Json problem_object(const CodeRow& row, const Error& error) {
    // Members of the error's detail come first, so that they can never hide the problem's own.
    Json object = error.detail.empty() ? Json::object() : Json::parse(error.detail, nullptr, false);
    if (!object.is_object()) object = Json::object();
    object["type"] = "about:blank#" + std::string(row.name);
    object["title"] = error.what;
    object["status"] = row.status;
    object["detail"] = error.text();
    object["code"] = row.name;
    if (!error.why.empty()) object["why"] = error.why;
    if (!error.fix.empty()) object["fix"] = error.fix;
    // Of a line it is always told: "" is the whole of it.
    if (!error.pointer.empty() || error.line) object["pointer"] = error.pointer;
    if (error.line) object["line"] = *error.line;
    return object;
}

Response problem_response(const CodeRow& row, const Error& error) {
    return {row.status,
            "application/problem+json",
            problem_object(row, error).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
            {}};
}

}  // namespace

std::string_view code_name(Code code) {
    return row_of(code).name;
}
unsigned http_status(Code code) {
    return row_of(code).status;
}

Json problem_json(const Error& error) {
    return problem_object(row_of(error.code), error);
}
Response problem(const Error& error) {
    return problem_response(row_of(error.code), error);
}

Response refuse(Refusal refusal, std::string what, std::string why, std::string fix) {
    Error error;
    error.what = std::move(what);
    error.why = std::move(why);
    error.fix = std::move(fix);
    Response response = problem_response(row_of(refusal), error);
    if (refusal == Refusal::Unauthorized)
        response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

}  // namespace dutybook::api
