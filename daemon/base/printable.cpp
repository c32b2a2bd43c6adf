#include "base/printable.h"

#include <algorithm>

namespace dutybook {

namespace {

// Length of the well-formed UTF-8 sequence that begins here and is no control character, or 0.
std::size_t shown_sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = byte(0);
    if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (length == 0 || first > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0U) != 0x80U) return 0;
    const bool control = first == 0xc2 && byte(1) < 0xa0;
    const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool beyond = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
    // Marks that turn the direction of writing can make a line read otherwise.
    const bool turning =
        first == 0xe2 && ((byte(1) == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae) ||
                          (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9));
    return control || overlong || beyond || turning ? 0 : length;
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest, std::string_view kept) {
    std::string out;
    while (!text.empty()) {
        const bool keep = kept.find(text.front()) != std::string_view::npos;
        const std::size_t length = keep ? 1 : shown_sequence(text);
        const std::size_t taken = std::max<std::size_t>(1, length);
        if (out.size() + taken > longest) return out + "...";
        out += length == 0 ? std::string_view("?") : text.substr(0, length);
        text.remove_prefix(taken);
    }
    return out;
}

std::string beginning(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
    return std::string(text.substr(0, most));
}

}  // namespace dutybook
