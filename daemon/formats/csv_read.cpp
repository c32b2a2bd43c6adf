#include "formats/csv.h"

#include <csv.h>

#include <algorithm>
#include <array>

namespace dutybook::formats {

namespace {

constexpr std::size_t row_limit = 1u << 20;

// What parts the cells of the header row: spreadsheets write a semicolon where the comma is the
// decimal sign, and a tab into "Unicode text".
char separator_of(std::string_view text) {
    constexpr std::string_view known = ",;\t";
    std::array<std::size_t, known.size()> counts{};
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') quoted = !quoted;
        if (c == '\n' && !quoted) break;
        const auto at = quoted ? std::string_view::npos : known.find(c);
        if (at != std::string_view::npos) ++counts[at];
    }
    return known[static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) -
                                          counts.begin())];
}

// Reads from the start of a row to the end of the text or to what is no CSV. libcsv calls back for
// each field and each row.
class Pass {
public:
    Pass(char separator, const std::function<bool(CsvRow)>& row) : row_(row) {
        ready_ = csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) == 0;
        if (ready_) csv_set_delim(&parser_, static_cast<unsigned char>(separator));
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    ~Pass() {
        if (ready_) csv_free(&parser_);
    }

    // `text` and `line` are moved on to the row that is being read.
    Result<void> run(std::string_view& text, std::uint64_t& line) {
        if (!ready_) return failure(Code::Internal, "the CSV reader cannot start");
        std::string_view left = text;
        std::uint64_t number = line;
        // Line by line, so that a row knows the line on which it starts.
        while (!left.empty() && !stopped_) {
            if (starts_) {
                text = left;
                line = current_.line = number;
                starts_ = false;
            }
            const auto end = left.find('\n');
            const std::string_view chunk = left.substr(0, end == left.npos ? left.size() : end + 1);
            left.remove_prefix(chunk.size());
            ++number;
            TRY(feed(chunk, text.size() - left.size()));
        }
        if (stopped_ || csv_fini(&parser_, on_field, on_row, this) == 0) return {};
        return malformed("a quoted cell is not closed");
    }

private:
    Result<void> feed(std::string_view chunk, std::size_t row_bytes) {
        if (row_bytes > row_limit) return malformed("a row over 1 MiB");
        if (chunk.find('\0') != chunk.npos) return malformed("a NUL byte is not text");
        if (csv_parse(&parser_, chunk.data(), chunk.size(), on_field, on_row, this) ==
            chunk.size()) {
            return {};
        }
        return failure(Code::Malformed, csv_strerror(csv_error(&parser_)),
                       "a quote in the middle of a cell, or text after a closing quote");
    }

    static void on_field(void* data, std::size_t size, void* context) {
        auto& pass = *static_cast<Pass*>(context);
        pass.current_.cells.emplace_back(static_cast<const char*>(data), size);
    }

    static void on_row(int, void* context) {
        auto& pass = *static_cast<Pass*>(context);
        if (!pass.stopped_) pass.stopped_ = !pass.row_(std::move(pass.current_));
        pass.current_ = {};
        pass.starts_ = true;
    }

    csv_parser parser_{};
    const std::function<bool(CsvRow)>& row_;
    CsvRow current_;
    bool ready_ = false, stopped_ = false, starts_ = true;
};

}  // namespace

Result<void> read_csv(std::string_view text, const std::function<bool(CsvRow)>& row,
                      const std::function<void(Error)>& bad) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const char separator = separator_of(text);
    std::uint64_t line = 1;
    while (true) {
        auto read = Pass(separator, row).run(text, line);
        if (read) return {};
        Error error = read.error();
        error.line = line;
        if (!bad || error.code == Code::Internal) return error;
        bad(std::move(error));
        const auto end = text.find('\n');
        if (end == text.npos) return {};
        text.remove_prefix(end + 1);
        ++line;
    }
}

}  // namespace dutybook::formats
