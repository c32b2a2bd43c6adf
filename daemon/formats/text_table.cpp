#include "formats/text_table.h"

#include <algorithm>
#include <numeric>

namespace dutybook::formats {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 6;

using Rows = std::vector<std::vector<std::string>>;

// Byte position behind `count` letters.
std::size_t behind(const std::string& text, std::size_t count) {
    std::size_t at = 0;
    while (at < text.size() && count > 0) {
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
        --count;
    }
    return at;
}

void drop_empty_columns(Rows& rows) {
    for (std::size_t column = rows.front().size(); column-- > 0;) {
        const bool used = std::any_of(rows.begin() + 1, rows.end(), [&](const auto& row) {
            return column < row.size() && !row[column].empty();
        });
        if (used) continue;
        for (auto& row : rows) {
            if (column < row.size()) row.erase(row.begin() + static_cast<long>(column));
        }
    }
}

// As wide as the cells ask for; then the widest gives way until all fit.
std::vector<std::size_t> widths_of(const Rows& rows, std::size_t width) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], characters(row[i]));
        }
    }
    const std::size_t gaps = gap * (widths.size() - 1);
    std::size_t sum = std::accumulate(widths.begin(), widths.end(), gaps);
    while (sum > width) {
        auto& widest = *std::max_element(widths.begin(), widths.end());
        if (widest <= narrowest) break;
        --widest;
        --sum;
    }
    return widths;
}

void append_row(std::string& out, const std::vector<std::string>& row,
                const std::vector<std::size_t>& widths) {
    std::vector<std::vector<std::string>> cells;
    std::size_t height = 1;
    for (std::size_t i = 0; i < row.size(); ++i) {
        cells.push_back(wrapped(row[i], widths[i]));
        height = std::max(height, cells.back().size());
    }
    for (std::size_t n = 0; n < height; ++n) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::string part = n < cells[i].size() ? cells[i][n] : std::string();
            line += part;
            line.append(widths[i] + gap - std::min(characters(part), widths[i]), ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
}

}  // namespace

std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
    std::vector<std::string> lines{""};
    std::size_t from = 0;
    while (from < text.size()) {
        auto to = text.find_first_of(" \n", from);
        if (to == std::string::npos) to = text.size();
        std::string word = text.substr(from, to - from);
        const bool ends = to < text.size() && text[to] == '\n';
        from = to + 1;
        std::string& line = lines.back();
        if (!line.empty() && characters(line) + 1 + characters(word) > width) lines.emplace_back();
        while (characters(word) > width) {
            const std::size_t cut = behind(word, width);
            lines.back() = word.substr(0, cut);
            lines.emplace_back();
            word.erase(0, cut);
        }
        lines.back() += (lines.back().empty() ? "" : " ") + word;
        if (ends) lines.emplace_back();
    }
    return lines;
}

std::string text_table(Rows rows, std::size_t width) {
    if (rows.empty()) return {};
    for (auto& row : rows) row.resize(rows.front().size());
    drop_empty_columns(rows);
    if (rows.front().empty()) return {};
    const auto widths = widths_of(rows, width);
    std::string out;
    for (const auto& row : rows) append_row(out, row, widths);
    return out;
}

}  // namespace dutybook::formats
