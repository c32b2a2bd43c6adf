#include "rules/near_names.h"

#include <algorithm>
#include <utility>

namespace dutybook::rules {
namespace {

constexpr std::size_t longest_name = 128;

std::string_view last_word(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            next[j] = std::min({row[j] + 1, next[j - 1] + 1, replace});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
        }
        before = std::exchange(row, next);
    }
    return row[b.size()];
}

std::vector<std::string> near_names(std::string_view name, std::span<const std::string> names,
                                    std::size_t most) {
    if (name.empty() || name.size() > longest_name) return {};
    const std::size_t tolerance = std::max<std::size_t>(1, last_word(name).size() / 3);
    std::vector<std::pair<std::size_t, std::string>> near;
    for (const std::string& candidate : names) {
        const std::size_t whole = edit_distance(name, candidate);
        const std::size_t word = edit_distance(last_word(name), last_word(candidate));
        if (std::min(whole, word) <= tolerance) near.emplace_back(std::min(whole, word), candidate);
    }
    std::sort(near.begin(), near.end());
    std::vector<std::string> found;
    for (std::size_t i = 0; i < std::min(most, near.size()); ++i) found.push_back(near[i].second);
    return found;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> names) {
    const std::vector<std::string> near = near_names(name, names);
    if (near.empty()) return {};
    std::string text = "did you mean ";
    for (std::size_t i = 0; i < near.size(); ++i) {
        if (i > 0) text += i + 1 == near.size() ? " or " : ", ";
        text += near[i];
    }
    return text + "?";
}

}  // namespace dutybook::rules
