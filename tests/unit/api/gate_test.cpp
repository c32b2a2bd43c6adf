#include "api/gate.h"
#include "api/accounts.h"
#include "api/call.h"
#include "base/crypto.h"
#include "base/file.h"
#include "unit/api/raw_client.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::api;

namespace {

Request tcp_request(std::string host, std::string origin = {}, std::string site = {}) {
    Request request;
    request.peer.door = Door::Tcp;
    request.headers[static_cast<std::size_t>(Header::Host)] = std::move(host);
    request.headers[static_cast<std::size_t>(Header::Origin)] = std::move(origin);
    request.headers[static_cast<std::size_t>(Header::SecFetchSite)] = std::move(site);
    return request;
}

unsigned status_of(const std::optional<Response>& refusal) {
    return refusal ? refusal->status : 0;
}

struct TokenBook {
    test::TemporaryFolder folder;
    std::unique_ptr<Tokens> tokens;
    TokenBook() {
        crypto_start();
        auto opened = Tokens::open(folder.path() / "tokens.json");
        REQUIRE(opened);
        tokens = std::move(*opened);
    }
    std::string issue(Role role, const std::string& by = {}) {
        auto issued = tokens->issue("a page", role, by, 1'700'000'000'000);
        REQUIRE(issued);
        return issued->secret;
    }
};

Request with_token(const std::string& header) {
    Request request = tcp_request("x");
    request.headers[static_cast<std::size_t>(Header::Authorization)] = header;
    return request;
}

Endpoint endpoint_for(Access access) {
    Endpoint endpoint;
    endpoint.access = access;
    return endpoint;
}

}  // namespace

TEST_CASE("only the daemon's own loopback names are served over TCP, to the letter") {
    Gate gate;
    gate.listen_on("127.0.0.1:7316");
    for (const char* host : {"127.0.0.1:7316", "localhost:7316", "[::1]:7316"}) {
        CAPTURE(host);
        CHECK_FALSE(gate.check_origin(tcp_request(host)));
    }
    for (const char* host :
         {"", "localhost", "localhost:80", "evil.example:7316", "127.0.0.1:73160", "127.0.0.1",
          "LOCALHOST:7316", "localhost:7316.evil.example", "0.0.0.0:7316", "[::1]"}) {
        CAPTURE(host);
        CHECK(status_of(gate.check_origin(tcp_request(host))) == 421);
    }
}

TEST_CASE("pages of other origins are refused, and the socket needs no Host") {
    Gate gate;
    gate.listen_on("127.0.0.1:7316");
    const std::string host = "localhost:7316";
    CHECK_FALSE(gate.check_origin(tcp_request(host, "http://localhost:7316", "same-origin")));
    CHECK_FALSE(gate.check_origin(tcp_request(host, "", "none")));
    for (const char* origin : {"http://evil.example", "null", "https://localhost:7316",
                               "http://localhost:80", "localhost:7316", "http://localhost:7316/"}) {
        CAPTURE(origin);
        CHECK(status_of(gate.check_origin(tcp_request(host, origin))) == 403);
    }
    for (const char* site : {"cross-site", "same-site", "anything"}) {
        CAPTURE(site);
        CHECK(status_of(gate.check_origin(tcp_request(host, "", site))) == 403);
    }
    Request local;
    CHECK(gate.check_origin(local));  // not even the socket takes a request without a Host
    local.headers[static_cast<std::size_t>(Header::Host)] = "dutybook";
    CHECK_FALSE(gate.check_origin(local));
}

TEST_CASE("a token opens what its role allows, and says who is calling") {
    TokenBook book;
    const std::string writer = book.issue(Role::Writer, "p1"), reader = book.issue(Role::Reader);
    const auto status = [&](Access access, const std::string& header) {
        Request request = with_token(header);
        return status_of(check_access(endpoint_for(access), request, *book.tokens, nullptr));
    };
    CHECK(status(Access::Anyone, "") == 0);
    CHECK(status(Access::Reader, "") == 401);
    CHECK(status(Access::Reader, "Bearer wrong") == 401);
    CHECK(status(Access::Reader, "Basic " + reader) == 401);
    CHECK(status(Access::Reader, "Bearer " + reader) == 0);
    CHECK(status(Access::Writer, "Bearer " + reader) == 403);
    CHECK(status(Access::Writer, "Bearer " + writer) == 0);
    CHECK(status(Access::SocketOnly, "Bearer " + writer) == 403);
    Request request = with_token("Bearer " + writer);
    CHECK_FALSE(check_access(endpoint_for(Access::Writer), request, *book.tokens, nullptr));
    CHECK(request.person == "p1");
}

TEST_CASE("tokens survive a restart, are stored hashed, and end when revoked") {
    TokenBook book;
    const std::string secret = book.issue(Role::Writer);
    const fs::path file = book.folder.path() / "tokens.json";
    const auto text = read_file(file);
    REQUIRE(text);
    CHECK(text->find(secret) == std::string::npos);
    CHECK((fs::status(file).permissions() & fs::perms(077)) == fs::perms::none);
    auto again = Tokens::open(file);
    REQUIRE(again);
    REQUIRE((*again)->find(secret));
    CHECK((*again)->find(secret)->role == Role::Writer);
    CHECK((*again)->revoke((*again)->find(secret)->id));
    CHECK_FALSE((*again)->find(secret));
    CHECK_FALSE((*again)->revoke("nobody"));
    auto third = Tokens::open(file);
    REQUIRE(third);
    CHECK((*third)->list().empty());
}

TEST_CASE("a damaged tokens' file is told, not taken for an empty one") {
    TokenBook book;
    const fs::path file = book.folder.path() / "damaged.json";
    for (const char* text : {"", "{", "[]", R"({"format":1,"tokens":[{"id":"a"}]})"}) {
        CAPTURE(text);
        REQUIRE(write_file_atomically(file, text));
        const auto opened = Tokens::open(file);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().code == Code::Corrupt);
    }
}

TEST_CASE("a body must be of a JSON type, and there only where one is read") {
    const auto status = [](Body body, const char* type, bool has_body) {
        Endpoint endpoint;
        endpoint.body = body;
        Request request;
        request.has_body = has_body;
        request.headers[static_cast<std::size_t>(Header::ContentType)] = type;
        return status_of(check_body(endpoint, request));
    };
    CHECK(status(Body::Members, "application/json", true) == 0);
    CHECK(status(Body::Members, "Application/JSON; charset=utf-8", true) == 0);
    CHECK(status(Body::Members, "text/plain", true) == 415);
    CHECK(status(Body::Members, "application/x-www-form-urlencoded", true) == 415);
    CHECK(status(Body::Members, "", true) == 415);
    CHECK(status(Body::Members, "application/x-ndjson", true) == 415);
    CHECK(status(Body::Record, "application/x-ndjson", true) == 0);
    CHECK(status(Body::Patch, "application/merge-patch+json", true) == 0);
    CHECK(status(Body::Members, "application/json", false) == 400);
    CHECK(status(Body::Optional, "", false) == 0);
    CHECK(status(Body::None, "application/json", true) == 400);
}

TEST_CASE("an account at the socket does what its role allows, and only as its own person") {
    TokenBook book;
    const auto status = [&](Access access, Role role, const std::string& person = {},
                            const std::string& by = {}) {
        Request request;
        request.peer = {Door::Socket, "rosa", role, person};
        request.headers[static_cast<std::size_t>(Header::By)] = by;
        return status_of(check_access(endpoint_for(access), request, *book.tokens, nullptr));
    };
    CHECK(status(Access::Reader, Role::Reader) == 0);
    CHECK(status(Access::Writer, Role::Reader) == 403);
    CHECK(status(Access::Writer, Role::Writer) == 0);
    CHECK(status(Access::SocketOnly, Role::Writer) == 403);
    CHECK(status(Access::SocketOnly, Role::Admin) == 0);
    CHECK(status(Access::Writer, Role::Writer, "p1", "p1") == 0);
    CHECK(status(Access::Writer, Role::Writer, "p1", "p2") == 403);
    CHECK(status(Access::Writer, Role::Writer, "", "p2") == 0);
}

TEST_CASE("accounts are kept, replaced and forgotten by name; a damaged file is told") {
    test::TemporaryFolder folder;
    const fs::path file = folder.path() / "accounts.json";
    auto accounts = Accounts::open(file, "");
    REQUIRE(accounts);
    CHECK_FALSE((*accounts)->judge(0, 0));  // root and the own account come in without an entry
    CHECK_FALSE((*accounts)->put({"no-such-account-here", Role::Reader, ""}));
    CHECK_FALSE((*accounts)->put({"@no-such-group-here", Role::Reader, ""}));
    REQUIRE((*accounts)->put({"@root", Role::Reader, ""}));
    CHECK((*accounts)->judge(0, 0)->role == Role::Reader);
    REQUIRE((*accounts)->put({"root", Role::Writer, "p1"}));
    REQUIRE((*accounts)->put({"root", Role::Admin, "p2"}));
    auto again = Accounts::open(file, "");
    REQUIRE(again);
    CHECK((*again)->list().size() == 2);
    CHECK((*again)->judge(0, 0)->role == Role::Admin);
    CHECK((*again)->judge(0, 0)->person == "p2");
    REQUIRE((*again)->remove("root"));
    CHECK_FALSE((*again)->remove("root"));
    CHECK((*again)->judge(0, 0)->role == Role::Reader);
    CHECK_FALSE(Accounts::open(file, "no-such-group-here"));
    REQUIRE(write_file_atomically(file, R"({"format":1,"accounts":[{"role":"admin"}]})"));
    CHECK(Accounts::open(file, "").error().code == Code::Corrupt);
}
