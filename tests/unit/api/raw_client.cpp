#include "unit/api/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace dutybook::test {

namespace {
constexpr int patience_ms = 10'000;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}
}  // namespace

RawClient::RawClient(int fd) : fd_(fd) {}
RawClient::~RawClient() {
    if (fd_ >= 0) ::close(fd_);
}

RawClient RawClient::unix_socket(const std::filesystem::path& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        return RawClient(-1);
    }
    return RawClient(fd);
}

RawClient RawClient::tcp(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1))));
    inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        return RawClient(-1);
    }
    return RawClient(fd);
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool RawClient::fill() {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, patience_ms) <= 0) return false;
    char piece[16384];
    const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
    if (got <= 0) return false;
    buffer_.append(piece, static_cast<std::size_t>(got));
    return true;
}

std::string RawClient::read_until(std::string_view mark) {
    std::size_t at;
    while ((at = buffer_.find(mark)) == std::string::npos) {
        if (!fill()) return {};
    }
    std::string out = buffer_.substr(0, at + mark.size());
    buffer_.erase(0, out.size());
    return out;
}

std::optional<Answer> RawClient::read_answer() {
    Answer answer;
    answer.head = read_until("\r\n\r\n");
    if (answer.head.size() < 12) return std::nullopt;
    answer.status = std::stoi(answer.head.substr(9, 3));
    std::size_t line = answer.head.find("\r\n") + 2;
    while (line + 2 < answer.head.size()) {
        const std::size_t end = answer.head.find("\r\n", line);
        const std::size_t colon = answer.head.find(": ", line);
        answer.headers[lower(answer.head.substr(line, colon - line))] =
            answer.head.substr(colon + 2, end - colon - 2);
        line = end + 2;
    }
    if (answer.headers.count("transfer-encoding") != 0) {
        for (;;) {
            const std::string size_line = read_until("\r\n");
            if (size_line.empty()) return std::nullopt;
            const std::size_t size = std::stoul(size_line, nullptr, 16);
            while (buffer_.size() < size + 2) {
                if (!fill()) return std::nullopt;
            }
            answer.body += buffer_.substr(0, size);
            buffer_.erase(0, size + 2);
            if (size == 0) return answer;
        }
    }
    const std::size_t length = answer.headers.count("content-length") != 0
                                   ? std::stoul(answer.headers["content-length"])
                                   : 0;
    while (buffer_.size() < length) {
        if (!fill()) return std::nullopt;
    }
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
}

Answer RawClient::ask(std::string_view bytes) {
    send(bytes);
    return read_answer().value_or(Answer{});
}

bool RawClient::closed_by_server() {
    for (;;) {
        pollfd waiting{fd_, POLLIN, 0};
        if (::poll(&waiting, 1, patience_ms) <= 0) return false;
        char piece[4096];
        if (::recv(fd_, piece, sizeof piece, 0) <= 0) return true;
    }
}

TemporaryFolder::TemporaryFolder() {
    char name[] = "/tmp/dutybook-api-XXXXXX";
    path_ = ::mkdtemp(name);
}
TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace dutybook::test
