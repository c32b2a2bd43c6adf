#include "api/server.h"
#include "api/problem.h"
#include "unit/api/raw_client.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <atomic>
#include <mutex>
#include <thread>

using namespace dutybook;
using namespace dutybook::api;
using dutybook::test::Answer;
using dutybook::test::RawClient;
using dutybook::test::TemporaryFolder;

namespace {

// /echo answers the body, /count streams its body and answers its size, /hold answers when told,
// /stream answers in pieces, /refuse is refused before its body.
class FakeHandler : public Handler {
public:
    Admission admit(Request& head) override {
        if (head.target == "/refuse") {
            return {problem(failure(Code::Forbidden, "refused at the door")), false};
        }
        return {std::nullopt, head.target == "/count"};
    }
    void handle(Request request, std::shared_ptr<Responder> responder) override {
        if (request.target == "/count") {
            count(std::move(responder), 0);
        } else if (request.target == "/hold") {
            const std::lock_guard lock(mutex_);
            held_.push_back(std::move(responder));
        } else if (request.target == "/drop") {
            responder.reset();
        } else if (request.target == "/stream") {
            responder->start({200, "text/plain", "a", {}});
            responder->write("bc");
            responder->write("");
            responder->finish();
        } else {
            responder->send({200, "text/plain", request.target + "|" + request.body, {}});
        }
    }
    std::size_t held() {
        const std::lock_guard lock(mutex_);
        return held_.size();
    }
    void release() {
        const std::lock_guard lock(mutex_);
        for (const auto& one : held_) one->send({200, "text/plain", "late", {}});
        held_.clear();
    }

private:
    static void count(std::shared_ptr<Responder> responder, std::size_t before) {
        Responder& reader = *responder;
        reader.read_body([responder = std::move(responder), before](const std::string& piece,
                                                                    bool last, bool ok) {
            const std::size_t all = before + piece.size();
            if (!ok) return;
            if (!last) return count(responder, all);
            responder->send({200, "text/plain", std::to_string(all), {}});
        });
    }
    std::mutex mutex_;
    std::vector<std::shared_ptr<Responder>> held_;
};

struct Running {
    TemporaryFolder folder;
    FakeHandler handler;
    std::unique_ptr<Server> server;

    explicit Running(ServerLimits limits = {}) {
        ServerOptions options;
        options.handler = &handler;
        options.socket = folder.path() / "sock";
        options.http = "127.0.0.1:0";
        options.limits = limits;
        auto started = Server::start(options);
        REQUIRE(started);
        server = std::move(*started);
    }
    RawClient connect() const { return RawClient::unix_socket(folder.path() / "sock"); }
};

constexpr const char* get_a = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

template <class Condition>
bool within_seconds(int seconds, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (std::chrono::steady_clock::now() < end) {
        if (condition()) return true;
        std::this_thread::yield();
    }
    return condition();
}

}  // namespace

TEST_CASE("both doors answer, and one connection answers many requests") {
    Running running;
    RawClient local = running.connect();
    for (int i = 0; i < 100; ++i) CHECK(local.ask(get_a).body == "/a|");
    RawClient remote = RawClient::tcp(running.server->http_address());
    CHECK(remote.ask("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").body ==
          "/p|hello");
    CHECK(remote.ask(get_a).body == "/a|");
}

TEST_CASE("the socket is the service user's alone") {
    Running running;
    struct stat info {};
    REQUIRE(::stat((running.folder.path() / "sock").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("pipelined requests are answered in order, a streamed body between them") {
    Running running;
    RawClient client = running.connect();
    client.send(std::string(get_a) +
                "POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(client.read_answer().value_or(Answer{}).body == "/a|");
    CHECK(client.read_answer().value_or(Answer{}).body == "5");
    CHECK(client.read_answer().value_or(Answer{}).body == "/b|");
}

TEST_CASE("a held answer keeps the pipelined request behind it") {
    Running running;
    RawClient client = running.connect();
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(get_a));
    REQUIRE(within_seconds(5, [&] { return running.handler.held() == 1; }));
    running.handler.release();  // from this thread: it is handed to the connection's
    CHECK(client.read_answer().value_or(Answer{}).body == "late");
    CHECK(client.read_answer().value_or(Answer{}).body == "/a|");
}

TEST_CASE("a streamed body of any length is read in pieces") {
    Running running;
    RawClient client = running.connect();
    const std::string piece(1u << 20, 'x');
    client.send("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\n");
    for (int i = 0; i < 32; ++i) REQUIRE(client.send(piece));
    CHECK(client.read_answer().value_or(Answer{}).body == "33554432");
}

TEST_CASE("an answer in pieces is chunked, and ends with the connection for HTTP/1.0") {
    Running running;
    RawClient client = running.connect();
    CHECK(client.ask("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n").body == "abc");
    CHECK(client.ask(get_a).body == "/a|");
    RawClient old = running.connect();
    old.send("GET /stream HTTP/1.0\r\n\r\n");
    CHECK(old.read_until("\r\n\r\n").find("chunked") == std::string::npos);
    CHECK(old.read_until("abc") == "abc");
    CHECK(old.closed_by_server());
}

TEST_CASE("a body that is too large is refused, announced or not, and the daemon answers on") {
    Running running;
    RawClient announced = running.connect();
    CHECK(
        announced.ask("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n").status ==
        413);
    RawClient chunked = running.connect();
    chunked.send("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
    for (int i = 0; i < 20 && chunked.send(chunk); ++i) {
    }
    CHECK(chunked.read_answer().value_or(Answer{}).status == 413);
    CHECK(running.connect().ask(get_a).status == 200);
}

TEST_CASE("a refusal reaches the client although its body was not read") {
    Running running;
    RawClient client = running.connect();
    client.send("POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
    client.send(std::string(500000, 'x'));
    const Answer answer = client.read_answer().value_or(Answer{});
    CHECK(answer.status == 403);
    CHECK(answer.headers.at("connection") == "close");
    CHECK(client.closed_by_server());
}

TEST_CASE("what is not HTTP, or is ambiguous, is answered 400 and closed") {
    Running running;
    for (const char* text :
         {"\x16\x03\x01 hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
          "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
          "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
          "chunked\r\n\r\n0\r\n\r\n",
          "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
          "GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
          "GET /a HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"}) {
        CAPTURE(text);
        RawClient client = running.connect();
        Answer answer = client.ask(text);
        CHECK(answer.status == 400);
        CHECK(answer.headers["content-type"] == "application/problem+json");
        CHECK(client.closed_by_server());
    }
    CHECK(running.connect().ask(get_a).status == 200);
}

TEST_CASE("headers beyond the limit are answered 431") {
    Running running;
    RawClient client = running.connect();
    client.send("GET / HTTP/1.1\r\nX-Long: " + std::string(40'000, 'x'));
    CHECK(client.read_answer().value_or(Answer{}).status == 431);
}

TEST_CASE("a request that trickles in is cut off at its deadline") {
    ServerLimits limits;
    limits.header = std::chrono::milliseconds(200);
    limits.body = std::chrono::milliseconds(200);
    Running running(limits);
    RawClient head = running.connect();
    head.send("GET / HTTP/1.1\r\nX");
    CHECK(head.read_answer().value_or(Answer{}).status == 408);
    RawClient body = running.connect();
    body.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    CHECK(body.read_answer().value_or(Answer{}).status == 408);
}

TEST_CASE("connections beyond the bound are told so") {
    ServerLimits limits;
    limits.own_connections = 2;
    Running running(limits);
    RawClient first = running.connect(), second = running.connect();
    CHECK(first.ask(get_a).status == 200);
    CHECK(second.ask(get_a).status == 200);
    RawClient third = running.connect();
    CHECK(third.read_answer().value_or(Answer{}).status == 503);
}

TEST_CASE("a request that is dropped is answered 500") {
    Running running;
    CHECK(running.connect().ask("GET /drop HTTP/1.1\r\nHost: x\r\n\r\n").status == 500);
}

TEST_CASE("100-continue is given before the body is read") {
    Running running;
    RawClient client = running.connect();
    client.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(client.ask("hi").body == "/p|hi");
}

TEST_CASE(
    "stopping ends within its grace time whatever clients do, and late answers are harmless") {
    ServerLimits limits;
    limits.grace = std::chrono::milliseconds(300);
    Running running(limits);
    RawClient idle = running.connect(), held = running.connect(), half = running.connect();
    CHECK(idle.ask(get_a).status == 200);
    held.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    half.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    REQUIRE(within_seconds(5, [&] { return running.handler.held() == 1; }));
    const auto before = std::chrono::steady_clock::now();
    running.server->stop();
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(2));
    running.handler.release();
    CHECK(idle.closed_by_server());
    CHECK(held.closed_by_server());
    CHECK_FALSE(std::filesystem::exists(running.folder.path() / "sock"));
}

TEST_CASE("a port that is taken leaves the socket alone, and only loopback is accepted") {
    Running running;
    TemporaryFolder folder;
    ServerOptions options;
    options.handler = &running.handler;
    options.socket = folder.path() / "sock";
    options.http = running.server->http_address();
    auto second = Server::start(options);
    REQUIRE(second);
    CHECK((*second)->http_address().empty());
    CHECK((*second)->http_error().find(options.http) != std::string::npos);
    CHECK(RawClient::unix_socket(folder.path() / "sock").ask(get_a).status == 200);
    for (const char* address : {"0.0.0.0:1", "192.168.0.1:80", "example.org:80", "127.0.0.1",
                                "127.0.0.1:x", "127.0.0.1:99999", "[::]:80"}) {
        CAPTURE(address);
        CHECK_FALSE(parse_http_address(address));
    }
    CHECK(parse_http_address("127.0.0.1:7316"));
    CHECK(parse_http_address("[::1]:7316"));
}
