#include "formats/csv.h"

#include <csv.h>

namespace dutybook::formats {

namespace {

void append_row(std::string& out, const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) out += ',';
        out += csv_cell(cells[i], true);
    }
    out += "\r\n";
}

void append_table(std::string& out, const Json& block) {
    std::vector<std::string> cells;
    for (const Json& column : block["columns"]) cells.push_back(column["label"]);
    append_row(out, cells);
    for (const Json& row : block.value("rows", Json::array())) {
        cells.assign(block["columns"].size(), "");
        for (std::size_t i = 0; i < row.size(); ++i) cells[i] = cell_text(row[i]);
        append_row(out, cells);
    }
}

void append_events(std::string& out, const Json& block) {
    append_row(out, {"uid", "when", "end", "summary"});
    for (const Json& event : block["events"]) {
        append_row(out, {cell_text(event["uid"]),
                         cell_text(event.contains("date") ? event["date"] : event["start"]),
                         cell_text(event.value("end", Json())), cell_text(event["summary"])});
    }
}

// A report without any table is its texts, one a row.
std::string texts_of(const Report& report) {
    std::string out;
    for (const Json& block : report.blocks) {
        const auto text = block.find("text");
        if (text != block.end()) append_row(out, {cell_text(*text)});
    }
    return out;
}

}  // namespace

std::string csv_cell(std::string_view text, bool guard) {
    std::string cell;
    const bool formula =
        guard && !text.empty() &&
        std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos &&
        !is_number(text);
    if (formula) cell += '\'';
    cell += text;
    if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
    std::string out(cell.size() * 2 + 2, '\0');
    out.resize(csv_write(out.data(), out.size(), cell.data(), cell.size()));
    return out;
}

std::string render_csv(const Report& report) {
    std::string out;
    for (const Json& block : report.blocks) {
        const bool table = block["type"] == "table";
        const bool events = block["type"] == "events" && shows_events(report);
        if (!table && !events) continue;
        if (!out.empty()) out += "\r\n";
        table ? append_table(out, block) : append_events(out, block);
    }
    return out.empty() ? texts_of(report) : out;
}

}  // namespace dutybook::formats
