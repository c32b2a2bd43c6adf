#include "formats/blocks.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>

namespace dutybook::formats {

namespace {

constexpr std::size_t block_limit = 10'000;
constexpr std::size_t row_limit = 200'000;
constexpr std::size_t column_limit = 200;
// Each chart is a run of gnuplot, and others wait for the thread that draws.
constexpr std::size_t chart_limit = 100;
constexpr std::size_t point_limit = 50'000;  // of all charts

using Problem = std::optional<Error>;

Error wrong(const std::string& pointer, const std::string& what) {
    return malformed("a report's block " + what, pointer);
}

bool scalar(const Json& value) {
    return value.is_primitive() && !value.is_binary();
}

Problem need_text(const Json& block, const std::string& at, const char* name, bool required) {
    const auto found = block.find(name);
    if (found == block.end()) {
        if (!required) return {};
        return wrong(at, std::string("lacks \"") + name + "\"");
    }
    if (!found->is_string()) return wrong(pointer_to(at, name), "must hold text");
    return {};
}

Problem check_heading(const Json& block, const std::string& at) {
    const auto level = block.find("level");
    const bool good =
        level == block.end() || (level->is_number_integer() && *level >= 1 && *level <= 3);
    if (!good) return wrong(pointer_to(at, "level"), "has a level from 1 to 3");
    return need_text(block, at, "text", true);
}

Problem check_text(const Json& block, const std::string& at) {
    if (auto problem = need_text(block, at, "style", false)) return problem;
    return need_text(block, at, "text", true);
}

Problem check_table(const Json& block, const std::string& at) {
    const auto columns = block.find("columns");
    if (columns == block.end() || !columns->is_array() || columns->empty() ||
        columns->size() > column_limit) {
        return wrong(pointer_to(at, "columns"), "has a list of 1 to 200 columns");
    }
    for (std::size_t i = 0; i < columns->size(); ++i) {
        const std::string here = pointer_to(pointer_to(at, "columns"), i);
        if (!(*columns)[i].is_object()) return wrong(here, "has columns {id, label}");
        if (auto problem = need_text((*columns)[i], here, "label", true)) return problem;
    }
    const auto rows = block.find("rows");
    if (rows == block.end()) return {};
    const std::string rows_at = pointer_to(at, "rows");
    if (!rows->is_array() || rows->size() > row_limit) return wrong(rows_at, "has a list of rows");
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const Json& row = (*rows)[i];
        const std::string here = pointer_to(rows_at, i);
        if (!row.is_array() || row.size() > columns->size()) {
            return wrong(here, "has rows with one cell for each column");
        }
        for (std::size_t c = 0; c < row.size(); ++c) {
            if (!scalar(row[c])) return wrong(pointer_to(here, c), "has cells of text or numbers");
        }
    }
    return {};
}

Problem check_chart(const Json& block, const std::string& at) {
    const auto series = block.find("series");
    const std::string series_at = pointer_to(at, "series");
    if (series == block.end() || !series->is_array() || series->size() > 20) {
        return wrong(series_at, "has up to 20 series");
    }
    for (std::size_t i = 0; i < series->size(); ++i) {
        const Json& one = (*series)[i];
        const std::string here = pointer_to(series_at, i);
        if (!one.is_object() || !one.contains("points") || !one["points"].is_array()) {
            return wrong(here, "has series {label, points}");
        }
        for (std::size_t p = 0; p < one["points"].size(); ++p) {
            const Json& point = one["points"][p];
            const bool good = point.is_array() && !point.empty() && point.size() <= 2 &&
                              (point[0].is_string() || point[0].is_number()) &&
                              (point.size() == 1 || point[1].is_number() || point[1].is_null() ||
                               point[1].is_string());
            if (!good) {
                return wrong(pointer_to(pointer_to(here, "points"), p), "has points {x, y}");
            }
        }
    }
    return need_text(block, at, "title", false);
}

Problem check_events(const Json& block, const std::string& at) {
    const auto events = block.find("events");
    const std::string events_at = pointer_to(at, "events");
    if (events == block.end() || !events->is_array())
        return wrong(events_at, "has a list of events");
    for (std::size_t i = 0; i < events->size(); ++i) {
        const Json& event = (*events)[i];
        const std::string here = pointer_to(events_at, i);
        if (!event.is_object()) return wrong(here, "has events {uid, date or start, summary}");
        for (const char* name : {"uid", "summary"}) {
            if (auto problem = need_text(event, here, name, true)) return problem;
        }
        if (!event.contains("date") && !event.contains("start")) {
            return wrong(here, "has events with a date or a start");
        }
    }
    return {};
}

Problem check_signature(const Json& block, const std::string& at) {
    return need_text(block, at, "label", true);
}

Problem check_page(const Json&, const std::string&) {
    return {};
}

using Check = Problem (*)(const Json&, const std::string&);
constexpr std::array<std::pair<std::string_view, Check>, 8> checks{{{"heading", check_heading},
                                                                    {"text", check_text},
                                                                    {"table", check_table},
                                                                    {"chart", check_chart},
                                                                    {"signature", check_signature},
                                                                    {"events", check_events},
                                                                    {"findings", check_page},
                                                                    {"page", check_page}}};

// The charts of a whole report; each is known to be well-formed.
Problem check_charts(const Json& blocks) {
    std::size_t charts = 0, points = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (blocks[i]["type"] != "chart") continue;
        ++charts;
        for (const Json& series : blocks[i]["series"]) points += series["points"].size();
        if (charts > chart_limit || points > point_limit) {
            return wrong(pointer_to("", i),
                         "is one too many: a report has at most 100 charts with 50,000 points");
        }
    }
    return {};
}

}  // namespace

std::string made_text(const Report& report) {
    constexpr std::size_t minutes = 16;
    const std::string& instant = report.made_at;
    const auto offset = instant.find_first_of("+-Z", minutes);
    if (instant.size() < minutes || offset == std::string::npos) return instant;
    return instant.substr(0, 10) + " " + instant.substr(11, 5) + " (" + instant.substr(offset) +
           ")";
}

Result<Json> check_blocks(Json blocks) {
    if (!blocks.is_array() || blocks.size() > block_limit) {
        return malformed("a report is a list of at most 10,000 blocks");
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const std::string at = pointer_to("", i);
        const Json& block = blocks[i];
        if (!block.is_object() || !block.contains("type") || !block["type"].is_string()) {
            return wrong(at, "is an object with a \"type\"");
        }
        const auto& type = block["type"].get_ref<const std::string&>();
        const auto found = std::find_if(checks.begin(), checks.end(),
                                        [&](const auto& check) { return check.first == type; });
        if (found == checks.end()) {
            return wrong(pointer_to(at, "type"),
                         "is a heading, text, table, chart, signature, "
                         "events, findings or page, not \"" +
                             type + "\"");
        }
        if (auto problem = found->second(block, at)) return *problem;
    }
    if (auto problem = check_charts(blocks)) return *problem;
    return Result<Json>(boost::system::in_place_value, std::move(blocks));
}

bool shows_events(const Report& report) {
    return std::none_of(report.blocks.begin(), report.blocks.end(),
                        [](const Json& block) { return block["type"] == "table"; });
}

bool is_number(std::string_view text) {
    bool digit = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c >= '0' && c <= '9') {
            digit = true;
        } else if (!((c == '-' || c == '+') && i == 0) && c != '.') {
            return false;
        }
    }
    return digit;
}

std::string cell_text(const Json& cell) {
    if (cell.is_null()) return {};
    if (cell.is_string()) return cell.get<std::string>();
    return canonical(cell);
}

}  // namespace dutybook::formats
