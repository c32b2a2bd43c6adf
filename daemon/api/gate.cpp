#include "api/gate.h"

#include "api/problem.h"

#include <algorithm>

namespace dutybook::api {

namespace {

bool contains(const std::vector<std::string>& all, std::string_view one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

void Gate::listen_on(const std::string& address) {
    hosts_.clear();
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) return;
    const std::string port = address.substr(colon);
    hosts_ = {"127.0.0.1" + port, "localhost" + port, "[::1]" + port};
}

std::optional<Response> Gate::check_origin(const Request& request) const {
    const std::string& host = request.header(Header::Host);
    if (request.peer.door == Door::Socket) {
        // RFC 9112, 3.2: a request without it is wrong, whoever sends it.
        if (!host.empty()) return std::nullopt;
        return problem(malformed("the request has no Host"));
    }
    if (!contains(hosts_, host)) {
        return refuse(Refusal::Misdirected, "this daemon does not answer for host '" + host + "'",
                      "only its own loopback names are served",
                      hosts_.empty() ? "" : "use http://" + hosts_.front());
    }
    const std::string& origin = request.header(Header::Origin);
    const bool ours =
        origin.empty() || (origin.rfind("http://", 0) == 0 && contains(hosts_, origin.substr(7)));
    const std::string& site = request.header(Header::SecFetchSite);
    const bool same_site = site.empty() || site == "same-origin" || site == "none";
    if (ours && same_site) return std::nullopt;
    return problem(failure(Code::Forbidden, "a page of another origin may not use this daemon",
                           origin.empty() ? "Sec-Fetch-Site: " + site : "Origin: " + origin,
                           "ask from a program, or from a page of http://" +
                               (hosts_.empty() ? std::string("localhost") : hosts_.front())));
}

namespace {

// Names of schemes and of media types know no case (RFC 9110, 8.3.1 and 11.1).
std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

bool enough(Access access, Role role) {
    switch (access) {
        case Access::Anyone:
        case Access::Reader:
            return true;
        case Access::Writer:
            return role != Role::Reader;
        case Access::SocketOnly:
            break;
    }
    return role == Role::Admin;
}

std::optional<Response> check_account(const Endpoint& endpoint, const Request& request) {
    const Peer& peer = request.peer;
    if (!enough(endpoint.access, peer.role)) {
        return problem(failure(Code::Forbidden,
                               "account " + peer.account + " may not do this: it is a " +
                                   std::string(name_of(peer.role)),
                               {}, "ask the account that runs the daemon"));
    }
    // An account that stands for a person acts as nobody else.
    const std::string& by = request.header(Header::By);
    if (by.empty() || peer.person.empty() || percent_decode(by) == peer.person) return std::nullopt;
    return problem(failure(
        Code::Forbidden,
        "account " + peer.account + " acts as " + peer.person + " and not as another person", {},
        "leave --by out, or say --on-behalf"));
}

}  // namespace

std::optional<Response> check_access(const Endpoint& endpoint, Request& request,
                                     const Tokens& tokens, const Accounts* accounts) {
    if (endpoint.access == Access::Anyone) return std::nullopt;
    if (request.peer.door == Door::Socket) {
        if (accounts == nullptr || accounts->judge_again(request.peer))
            return check_account(endpoint, request);
        return problem(failure(Code::Forbidden,
                               "account " + request.peer.account + " may no longer use this daemon",
                               {}, "ask the account that runs the daemon"));
    }
    if (endpoint.access == Access::SocketOnly) {
        return problem(failure(Code::Forbidden, "this is done over the Unix socket only", {},
                               "use the dutybook command on the daemon's machine"));
    }
    const std::string& header = request.header(Header::Authorization);
    const std::size_t space = std::min(header.find(' '), header.size());
    std::optional<Token> token;
    if (lower(header.substr(0, space)) == "bearer") {
        const std::size_t begin = std::min(header.find_first_not_of(' ', space), header.size());
        token = tokens.find(header.substr(begin));
    }
    if (!token) {
        return refuse(Refusal::Unauthorized,
                      header.empty() ? "a token is needed" : "the token is not valid",
                      "HTTP is open to every account of this machine",
                      "an administrator makes one with: dutybook token add");
    }
    if (!enough(endpoint.access, token->role)) {
        return problem(failure(Code::Forbidden, "this token may only read", {},
                               "use a token with the role writer"));
    }
    request.person = token->by.empty() ? token->name : token->by;
    return std::nullopt;
}

std::string media_type(std::string_view header) {
    std::string out(header.substr(0, header.find(';')));
    while (!out.empty() && (out.back() == ' ' || out.back() == '\t')) out.pop_back();
    return lower(std::move(out));
}

std::optional<Response> check_body(const Endpoint& endpoint, const Request& request) {
    if (!request.has_body) {
        if (endpoint.body == Body::None || endpoint.body == Body::Optional) return std::nullopt;
        return problem(failure(Code::Malformed, "the request has no body", {},
                               "send one as application/json"));
    }
    if (endpoint.body == Body::None) {
        return problem(failure(Code::Malformed, "this route takes no body", {},
                               "leave the body out, and Content-Length: 0 where there is none"));
    }
    const std::string type = media_type(request.header(Header::ContentType));
    const bool read = type == "application/json" ||
                      (endpoint.body == Body::Patch && type == "application/merge-patch+json") ||
                      (endpoint.body == Body::Record && type == lines_type);
    if (read) return std::nullopt;
    return refuse(Refusal::MediaType, "the body must be JSON",
                  type.empty() ? "there is no Content-Type" : "its Content-Type is " + type,
                  endpoint.body == Body::Record
                      ? "send application/json, or application/x-ndjson for a batch"
                      : "send application/json");
}

}  // namespace dutybook::api
