#include "worker/library_names.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

namespace dutybook::worker {

namespace {

using Words = std::vector<std::string>;

std::string strip_marks_and_case(std::string_view utf8) {
    utf8proc_uint8_t* mapped = nullptr;
    const auto options =
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                       UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
                                   static_cast<utf8proc_ssize_t>(utf8.size()), &mapped, options);
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
    if (size < 0) return std::string(utf8);
    return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

// Apostrophes and points join ("O'Hara", "J.R."), everything else that is no letter or digit
// separates; letters beyond ASCII stay as they are.
Words words_of(std::string_view folded, bool ampersand_is_and) {
    Words words(1);
    const auto* text = reinterpret_cast<const utf8proc_uint8_t*>(folded.data());
    auto left = static_cast<utf8proc_ssize_t>(folded.size());
    while (left > 0) {
        utf8proc_int32_t code = 0;
        const auto step = utf8proc_iterate(text, left, &code);
        if (step <= 0) break;
        const auto category = utf8proc_category(code);
        const bool letter =
            (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
            category == UTF8PROC_CATEGORY_ND;
        const bool joins = code == '\'' || code == '.' || code == '`' || code == 0x2019 ||
                           code == 0x2018 || code == 0x02bc || code == '-' || code == 0x2010 ||
                           code == 0x2011;
        if (letter) {
            words.back().append(reinterpret_cast<const char*>(text),
                                static_cast<std::size_t>(step));
        } else if (!joins) {
            if (!words.back().empty()) words.emplace_back();
            if (code == '&' && ampersand_is_and) {
                words.back() = "and";
                words.emplace_back();
            }
        }
        text += step;
        left -= step;
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

template <std::size_t N>
void drop_endings(Words& words, const std::array<std::string_view, N>& endings) {
    while (words.size() > 1 &&
           std::find(endings.begin(), endings.end(), words.back()) != endings.end()) {
        words.pop_back();
    }
}

std::string joined(const Words& words) {
    std::string out;
    for (const std::string& word : words) {
        if (!out.empty()) out += ' ';
        out += word;
    }
    return out;
}

}  // namespace

std::string fold_name(std::string_view utf8) {
    Words words = words_of(strip_marks_and_case(utf8), false);
    constexpr std::array<std::string_view, 5> generations{"jr", "sr", "ii", "iii", "iv"};
    drop_endings(words, generations);
    return joined(words);
}

std::string fold_company(std::string_view utf8) {
    Words words = words_of(strip_marks_and_case(utf8), true);
    constexpr std::array<std::string_view, 16> endings{
        "inc",  "llc",     "ltd",         "corp",         "co",      "llp",  "lp", "pc",
        "pllc", "company", "corporation", "incorporated", "limited", "gmbh", "sa", "plc"};
    drop_endings(words, endings);
    if (words.size() > 1 && words.front() == "the") words.erase(words.begin());
    return joined(words);
}

}  // namespace dutybook::worker
