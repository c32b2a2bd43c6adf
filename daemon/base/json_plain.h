#pragma once
// Short ways for JSON that is nothing special.

#include "base/json.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace dutybook {

// What parse_json() gives for the text; nothing if it might refuse it, or if a number must be
// judged by its digits. simdjson reads it in a third of the time.
std::optional<Json> parse_plain(std::string_view text, const JsonLimits& limits);

inline bool needs_escape(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// The place of the first such character at or after `from`, or the end. Eight bytes at a time.
inline std::size_t end_of_plain(std::string_view text, std::size_t from) {
    constexpr std::uint64_t each = 0x0101010101010101u, high = 0x8080808080808080u;
    for (; from + 8 <= text.size(); from += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + from, 8);
        const auto zero_in = [](std::uint64_t bytes) { return (bytes - each) & ~bytes & high; };
        const std::uint64_t low = (word - each * 0x20) & ~word & high;
        if ((low | zero_in(word ^ each * '"') | zero_in(word ^ each * '\\')) != 0) break;
    }
    while (from < text.size() && !needs_escape(text[from])) ++from;
    return from;
}

}  // namespace dutybook
