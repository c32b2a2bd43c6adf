#pragma once
// What a request must show before anything is done for it. Pure.
//
// A page of another origin can make a browser send a request to loopback, and a rebound name can
// make it come with that page's origin. So over TCP the Host must be one of ours to the letter, an
// Origin must be ours, Sec-Fetch-Site must not say "another site", and nothing is authorised by
// what a browser adds by itself: there are no cookies, only bearer tokens.

#include "api/accounts.h"
#include "api/endpoint.h"
#include "api/tokens.h"

#include <optional>

namespace dutybook::api {

class Gate {
public:
    // `address` as the server listens on it ("127.0.0.1:7316"); empty = no TCP.
    void listen_on(const std::string& address);
    // Host, Origin and Sec-Fetch-Site of a TCP request.
    std::optional<Response> check_origin(const Request& request) const;

private:
    std::vector<std::string> hosts_;
};

// Whether the caller may use the endpoint, by the tokens and accounts of this moment; fills in
// Request::person from the token. `accounts` null: only the service's own account comes to the
// socket.
std::optional<Response> check_access(const Endpoint& endpoint, Request& request,
                                     const Tokens& tokens, const Accounts* accounts);
// Whether the body is there and of the media type that the endpoint reads. A JSON type is what a
// page of another origin cannot send without asking first.
std::optional<Response> check_body(const Endpoint& endpoint, const Request& request);

// "application/json; charset=utf-8" -> "application/json"
std::string media_type(std::string_view header);

inline constexpr const char* lines_type = "application/x-ndjson";

}  // namespace dutybook::api
