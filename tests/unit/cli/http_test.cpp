// The connection against a server of a few lines: what it does while both sides talk at once.
#include "cli/http.h"

#include <doctest/doctest.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <array>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

using namespace dutybook;
using namespace dutybook::cli;

namespace {

// Listens in a scratch folder, and serves one connection with `serve(fd)` on a thread.
class Server {
public:
    explicit Server(std::function<void(int)> serve) {
        std::array<char, 32> folder{};
        std::strcpy(folder.data(), "/tmp/dutybook-cli-XXXXXX");
        REQUIRE(::mkdtemp(folder.data()) != nullptr);
        folder_ = folder.data();
        path = folder_ + "/sock";
        listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path.c_str());
        REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
        REQUIRE(::listen(listener_, 1) == 0);
        thread_ = std::thread([this, serve = std::move(serve)] {
            const int fd = ::accept(listener_, nullptr, nullptr);
            serve(fd);
            ::close(fd);
        });
    }
    ~Server() {
        thread_.join();
        ::close(listener_);
        std::filesystem::remove_all(folder_);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::string path;

private:
    std::string folder_;
    int listener_ = -1;
    std::thread thread_;
};

void send_text(int fd, const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
        const auto got = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (got <= 0) return;
        sent += static_cast<std::size_t>(got);
    }
}

std::string receive_until(int fd, const std::string& end) {
    std::string text;
    std::array<char, 4096> bytes{};
    while (text.find(end) == std::string::npos) {
        const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
        if (got <= 0) break;
        text.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return text;
}

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("a daemon that answers while it reads does not lock up a large upload") {
    constexpr std::size_t pieces = 400;  // 25 MiB each way, far above any socket buffer
    const std::string piece(64 * 1024 - 1, 'x');
    const Server server([&](int fd) {
        receive_until(fd, "\r\n\r\n");
        send_text(fd, stream_head);
        // Echoes what comes, chunk framing and all, as one answer line for each line.
        std::array<char, 65536> bytes{};
        std::string seen;
        for (;;) {
            const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
            if (got <= 0) return;
            const std::string_view part(bytes.data(), static_cast<std::size_t>(got));
            for (const char c : part) {
                if (c == '\n' && seen.ends_with('x')) send_text(fd, "10000\r\n" + piece + "\n\r\n");
                seen = c;
            }
            if (part.ends_with("0\r\n\r\n")) break;
        }
        send_text(fd, "0\r\n\r\n");
    });
    auto connection = HttpConnection::open(server.path);
    REQUIRE(connection);
    std::size_t sent = 0;
    std::size_t lines = 0;
    const auto answer = connection->stream(
        {"POST", "/", {}, ""},
        [&]() -> Result<std::string> { return sent++ < pieces ? piece + "\n" : std::string(); },
        [&](std::string_view line) { lines += line == piece; });
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(lines == pieces);
}

TEST_CASE("an answer that comes in two halves of a line is one line") {
    const Server server([](int fd) {
        receive_until(fd, "\r\n\r\n");
        send_text(fd, stream_head);
        send_text(fd, "4\r\none \r\n");
        send_text(fd, "8\r\nline\ntwo\r\n0\r\n\r\n");
    });
    auto connection = HttpConnection::open(server.path);
    REQUIRE(connection);
    std::vector<std::string> lines;
    const auto answer = connection->stream(
        {"POST", "/", {}, "{}"}, nullptr, [&](std::string_view line) { lines.emplace_back(line); });
    REQUIRE(answer);
    CHECK(lines == std::vector<std::string>{"one line", "two"});
}

TEST_CASE("an input that cannot be read is not taken for its end") {
    std::string request;
    {
        const Server server([&](int fd) {
            request = receive_until(fd, "never");
            send_text(fd, stream_head + "0\r\n\r\n");
        });
        auto connection = HttpConnection::open(server.path);
        REQUIRE(connection);
        int calls = 0;
        const auto answer = connection->stream(
            {"POST", "/", {}, ""},
            [&]() -> Result<std::string> {
                if (calls++ == 0) return std::string("first\n");
                return failure(Code::Io, "the input cannot be read");
            },
            [](std::string_view) {});
        REQUIRE_FALSE(answer);
        CHECK(answer.error().what == "the input cannot be read");
    }
    CHECK(request.find("first\n") != std::string::npos);
    CHECK(request.find("0\r\n\r\n") == std::string::npos);
}

TEST_CASE("a daemon that goes away is an error, not an empty answer") {
    const Server server([](int fd) {
        receive_until(fd, "\r\n\r\n");
        send_text(fd, stream_head + "4\r\none\n");
    });
    auto connection = HttpConnection::open(server.path);
    REQUIRE(connection);
    int lines = 0;
    const auto answer =
        connection->stream({"POST", "/", {}, "{}"}, nullptr, [&](std::string_view) { ++lines; });
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Code::Unavailable);
}
