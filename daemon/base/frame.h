#pragma once
// Frames between the daemon and a plugin worker; their types are in plugins/worker/README.md.

#include "base/result.h"

#include <string>
#include <string_view>

namespace dutybook {

struct Frame {
    char type = 0;
    std::string payload;
};

inline constexpr std::size_t frame_limit = 64u << 20;  // bytes; a batch with its records fits

// Blocks. Code::Unavailable when the other end has closed.
Result<Frame> read_frame(int socket);
Result<void> write_frame(int socket, char type, std::string_view payload);

}  // namespace dutybook
