#include "formats/csv.h"

#include <csv.h>

#include <algorithm>

namespace dutybook::formats {

namespace {

constexpr std::size_t row_limit = 1u << 20;

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

// libcsv calls back for each field and each row.
struct Reader {
    const std::function<bool(CsvRow)>* row = nullptr;
    CsvRow current;
    std::size_t size = 0;
    bool stopped = false;
    bool too_large = false;
    bool starts = true;
};

void on_field(void* data, std::size_t size, void* context) {
    auto& reader = *static_cast<Reader*>(context);
    reader.size += size;
    if (reader.size > row_limit) reader.too_large = true;
    if (reader.stopped || reader.too_large) return;
    reader.current.cells.emplace_back(static_cast<const char*>(data), size);
}

void on_row(int, void* context) {
    auto& reader = *static_cast<Reader*>(context);
    if (!reader.stopped && !reader.too_large) {
        reader.stopped = !(*reader.row)(std::move(reader.current));
    }
    reader.current = {};
    reader.size = 0;
    reader.starts = true;
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
        if (!table && block["type"] != "events") continue;
        if (!out.empty()) out += "\r\n";
        table ? append_table(out, block) : append_events(out, block);
    }
    return out.empty() ? texts_of(report) : out;
}

Result<void> read_csv(std::string_view text, const std::function<bool(CsvRow)>& row) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
        Error error = malformed("a NUL byte is not text");
        error.line = 1 + static_cast<std::uint64_t>(
                             std::count(text.begin(), text.begin() + static_cast<long>(nul), '\n'));
        return error;
    }
    csv_parser parser{};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        return failure(Code::Internal, "the CSV reader cannot start");
    }
    Reader reader;
    reader.row = &row;
    Result<void> result;
    std::uint64_t line = 1;
    // Line by line, so that a row knows the line on which it starts and an error names its line.
    while (!text.empty() && !reader.stopped && result) {
        const std::string_view part = text.substr(0, text.find('\n') + 1);
        const std::string_view chunk = part.empty() ? text : part;
        if (reader.starts) reader.current.line = line;
        reader.starts = false;
        const bool good = csv_parse(&parser, chunk.data(), chunk.size(), on_field, on_row,
                                    &reader) == chunk.size();
        if (!good || reader.too_large) {
            Error error = malformed(
                reader.too_large ? "a row over 1 MiB" : csv_strerror(csv_error(&parser)), {});
            error.why =
                good ? "" : "a quote in the middle of a cell, or text after a closing quote";
            error.line = line;
            result = error;
        }
        text.remove_prefix(chunk.size());
        ++line;
    }
    if (result && !reader.stopped && csv_fini(&parser, on_field, on_row, &reader) != 0) {
        Error error = malformed("a quoted cell is not closed");
        error.line = reader.current.line;
        result = error;
    }
    csv_free(&parser);
    return result;
}

}  // namespace dutybook::formats
