#pragma once
// Frames between the daemon and a plugin worker; their types are in plugins/worker/README.md.

#include "base/result.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace dutybook {

struct Frame {
    char type = 0;
    std::string payload;
};

inline constexpr std::size_t frame_limit = 64u << 20;  // bytes; a batch with its records fits

// The first frame of what has arrived so far, which it is taken out of; nothing if it is not whole
// yet. Code::Corrupt once it can never be one.
Result<std::optional<Frame>> take_frame(std::string& arrived);

// What comes before a payload of this size. Code::TooLarge if no frame can hold it.
Result<std::array<char, 5>> frame_head(char type, std::size_t payload);

// Blocks. Code::Unavailable when the other end has closed.
Result<Frame> read_frame(int socket);
Result<void> write_frame(int socket, char type, std::string_view payload);

}  // namespace dutybook
