#include "rules/schema_pattern.h"

#include <algorithm>
#include <cctype>

namespace dutybook::rules {
namespace {

constexpr std::size_t longest_pattern = 4096;
constexpr std::int64_t most_memory = 4 << 20;

bool four_hex_digits(const std::string& text, std::size_t from) {
    return from + 4 <= text.size() &&
           std::all_of(text.begin() + static_cast<std::ptrdiff_t>(from),
                       text.begin() + static_cast<std::ptrdiff_t>(from + 4),
                       [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string to_re2(const std::string& pattern) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '\\' || i + 1 == pattern.size()) {
            out += pattern[i];
            continue;
        }
        const char escaped = pattern[++i];
        if (escaped == 'u' && four_hex_digits(pattern, i + 1)) {
            out += "\\x{" + pattern.substr(i + 1, 4) + "}";
            i += 4;
        } else if (escaped == 'c' && i + 1 < pattern.size() &&
                   std::isalpha(static_cast<unsigned char>(pattern[i + 1])) != 0) {
            constexpr char digits[] = "0123456789abcdef";
            const auto control = static_cast<unsigned char>(pattern[++i]) & 31U;
            out += std::string("\\x") + digits[control >> 4U] + digits[control & 15U];
        } else {
            out += '\\';
            out += escaped;
        }
    }
    return out;
}

}  // namespace

Result<std::unique_ptr<RE2>> compile_pattern(const std::string& pattern,
                                             const std::string& pointer) {
    if (pattern.size() > longest_pattern) {
        return malformed("the pattern is longer than 4096 characters", pointer);
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(most_memory);
    auto compiled = std::make_unique<RE2>(to_re2(pattern), options);
    if (!compiled->ok()) {
        Error error = malformed("the pattern cannot be used", pointer);
        error.why = compiled->error();
        error.fix = "look-around and back references are not supported";
        return error;
    }
    return compiled;
}

}  // namespace dutybook::rules
