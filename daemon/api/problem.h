#pragma once
// Errors on the wire: RFC 9457 application/problem+json. See schemas/problem.schema.json.

#include "api/http.h"
#include "base/json.h"
#include "base/result.h"

namespace dutybook::api {

// "malformed", "not_found", ...: what the client maps to its exit code.
std::string_view code_name(Code code);
unsigned http_status(Code code);

// The problem object, members of Error::detail beside its own.
Json problem_json(const Error& error);
Response problem(const Error& error);

// Refusals of the door itself, which no Code stands for.
enum class Refusal : std::uint8_t {
    Unauthorized,      // 401
    MethodNotAllowed,  // 405
    MediaType,         // 415
    Misdirected,       // 421: this host is not served here
    HeadersTooLarge,   // 431
    RequestTimeout,    // 408
};
Response refuse(Refusal refusal, std::string what, std::string why = {}, std::string fix = {});

}  // namespace dutybook::api
