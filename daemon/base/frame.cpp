#include "base/frame.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace dutybook {

namespace {

Result<void> read_fully(int socket, char* out, std::size_t size) {
    while (size > 0) {
        const ssize_t got = ::read(socket, out, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return failure(Code::Unavailable, "the other end closed the socket");
        out += got;
        size -= static_cast<std::size_t>(got);
    }
    return {};
}

Result<void> write_fully(int socket, const char* data, std::size_t size) {
    while (size > 0) {
        const ssize_t put = ::write(socket, data, size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return failure(Code::Unavailable, "the other end closed the socket");
        data += put;
        size -= static_cast<std::size_t>(put);
    }
    return {};
}

constexpr std::size_t head_size = 4;

// Of type and payload.
Result<std::size_t> size_in(std::string_view head) {
    std::size_t size = 0;
    for (std::size_t i = head_size; i-- > 0;)
        size = size << 8 | static_cast<unsigned char>(head[i]);
    if (size == 0 || size > frame_limit) return failure(Code::Corrupt, "a frame of a wrong size");
    return size;
}

}  // namespace

Result<std::optional<Frame>> take_frame(std::string& arrived) {
    if (arrived.size() < head_size) return std::optional<Frame>{};
    TRY_ASSIGN(const std::size_t size, size_in(arrived));
    if (arrived.size() < head_size + size) return std::optional<Frame>{};
    Frame frame{arrived[head_size], arrived.substr(head_size + 1, size - 1)};
    arrived.erase(0, head_size + size);
    return std::optional<Frame>(std::move(frame));
}

Result<Frame> read_frame(int socket) {
    std::array<char, head_size> head{};
    TRY(read_fully(socket, head.data(), head.size()));
    TRY_ASSIGN(const std::size_t size, size_in({head.data(), head.size()}));
    Frame frame;
    TRY(read_fully(socket, &frame.type, 1));
    frame.payload.resize(size - 1);
    TRY(read_fully(socket, frame.payload.data(), frame.payload.size()));
    return frame;
}

Result<std::array<char, head_size + 1>> frame_head(char type, std::size_t payload) {
    const std::size_t size = payload + 1;
    if (size > frame_limit) return failure(Code::TooLarge, "the answers are larger than a frame");
    return std::array<char, head_size + 1>{static_cast<char>(size), static_cast<char>(size >> 8),
                                           static_cast<char>(size >> 16),
                                           static_cast<char>(size >> 24), type};
}

Result<void> write_frame(int socket, char type, std::string_view payload) {
    TRY_ASSIGN(const auto head, frame_head(type, payload.size()));
    TRY(write_fully(socket, head.data(), head.size()));
    return write_fully(socket, payload.data(), payload.size());
}

}  // namespace dutybook
