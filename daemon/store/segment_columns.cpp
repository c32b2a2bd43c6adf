#include "store/segment_columns.h"

#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>
#include <vector>

namespace dutybook::store {
namespace {

constexpr char mark = '\x01', place = '\x02', no_shared = ' ';
constexpr std::size_t most_shared = 90;
constexpr std::size_t most_columns = 65'536;  // bounds what a hostile text makes us remember

Error no_columns(const char* why) {
    return malformed(std::string("a segment's columns cannot be read: ") + why);
}

// ---- lines to columns

bool structural(char c) {
    return c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':';
}

// Where the string that begins at `at` has its closing quote, or the end of the line.
std::size_t end_of_string(std::string_view line, std::size_t at) {
    for (++at; at < line.size() && line[at] != '"'; ++at)
        if (line[at] == '\\') ++at;
    return std::min(at, line.size());
}

// Takes any line apart: put together again it is the same, JSON or not.
void split_line(std::string_view line, std::string& shape, std::vector<std::string_view>& values) {
    for (std::size_t at = 0; at < line.size();) {
        const std::size_t begin = at;
        if (structural(line[at])) {
            shape += line[at++];
        } else if (line[at] != '"') {
            while (at < line.size() && !structural(line[at]) && line[at] != '"') ++at;
            values.push_back(line.substr(begin, at - begin));
            shape += place;
        } else {
            at = end_of_string(line, at);
            const bool name = at + 1 < line.size() && line[at + 1] == ':';
            const auto content = line.substr(begin + 1, at - begin - 1);
            shape += '"';
            if (name) {
                shape += content;
            } else {
                values.push_back(content);
                shape += place;
            }
            if (at < line.size()) shape += line[at++];
        }
    }
}

// The values of one place, below each other.
class Column {
public:
    void add(std::string_view value) {
        const std::size_t most = std::min({value.size(), above_.size(), most_shared});
        std::size_t shared = 0;
        while (shared < most && value[shared] == above_[shared]) ++shared;
        text_ += static_cast<char>(no_shared + shared);
        text_.append(value.substr(shared)).append(1, '\n');
        above_ = value;
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
    std::string_view above_;
};

struct Shape {
    std::string text;
    std::vector<Column> columns;
};

// Its lines must outlive it.
class Turning {
public:
    // False where there are more columns than are read again.
    bool add(std::string_view line) {
        shape_.clear();
        values_.clear();
        split_line(line, shape_, values_);
        const auto [found, added] = numbers_.try_emplace(shape_, shapes_.size());
        if (added) {
            shapes_.push_back({shape_, std::vector<Column>(values_.size())});
            columns_ += values_.size();
        }
        Shape& shape = shapes_[found->second];
        for (std::size_t i = 0; i < values_.size(); ++i) shape.columns[i].add(values_[i]);
        if (runs_.empty() || runs_.back().first != found->second) {
            runs_.emplace_back(found->second, 0);
        }
        ++runs_.back().second;
        return columns_ <= most_columns;
    }

    std::string text() const {
        std::string out(1, mark);
        for (const Shape& shape : shapes_) out.append(shape.text).append(1, '\n');
        out += '\n';
        for (const auto& [shape, count] : runs_)
            out.append(std::to_string(shape) + ' ' + std::to_string(count) + '\n');
        out += '\n';
        for (const Shape& shape : shapes_)
            for (const Column& column : shape.columns) out += column.text();
        return out;
    }

private:
    std::vector<Shape> shapes_;
    std::unordered_map<std::string, std::size_t> numbers_;
    std::vector<std::pair<std::size_t, std::size_t>> runs_;
    std::size_t columns_ = 0;
    std::string shape_;
    std::vector<std::string_view> values_;
};

// Canonical JSON holds no control characters; a line that does could not be told from our marks.
bool can_be_turned(std::string_view lines) {
    if (lines.empty() || lines.back() != '\n') return false;
    for (std::size_t at = 0; at < lines.size(); ++at) {
        const auto c = static_cast<unsigned char>(lines[at]);
        if (c >= 0x20) continue;
        if (c != '\n' || at == 0 || lines[at - 1] == '\n') return false;
    }
    return true;
}

// ---- columns to lines

class Reader {
public:
    Reader(std::string_view text, std::size_t limit) : rest_(text), limit_(limit) {}

    Result<std::string> read() {
        TRY(read_shapes());
        TRY(read_runs());
        TRY(find_columns());
        std::string out;
        for (const Run& run : runs_) {
            for (std::size_t i = 0; i < run.count; ++i) {
                TRY(append(shapes_[run.shape], out));
                if (out.size() > limit_) return no_columns("they hold too much");
            }
        }
        return out;
    }

private:
    struct Known {
        std::string_view text;
        std::size_t lines = 0;
        std::size_t first_column = 0;
    };
    struct Run {
        std::size_t shape = 0, count = 0;
    };
    struct Place {
        std::size_t next = 0;  // of its values
        std::string above;
    };

    std::optional<std::string_view> line() {
        const auto end = rest_.find('\n');
        if (end == std::string_view::npos) return std::nullopt;
        const auto found = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return found;
    }

    Result<void> read_shapes() {
        while (true) {
            const auto shape = line();
            if (!shape) return no_columns("the shapes do not end");
            if (shape->empty()) return {};
            shapes_.push_back({*shape});
        }
    }

    Result<void> read_runs() {
        while (true) {
            const auto told = line();
            if (!told) return no_columns("the order does not end");
            if (told->empty()) return {};
            Run run;
            const char* const end = told->data() + told->size();
            const auto shape = std::from_chars(told->data(), end, run.shape);
            if (shape.ec != std::errc() || shape.ptr == end || *shape.ptr != ' ') {
                return no_columns("a line of the order is wrong");
            }
            const auto count = std::from_chars(shape.ptr + 1, end, run.count);
            if (count.ec != std::errc() || count.ptr != end || run.shape >= shapes_.size() ||
                run.count == 0 || run.count > limit_) {
                return no_columns("a line of the order is wrong");
            }
            shapes_[run.shape].lines += run.count;
            runs_.push_back(run);
        }
    }

    // Where each column begins, and that the text ends with the last one.
    Result<void> find_columns() {
        std::size_t at = 0;
        for (Known& shape : shapes_) {
            if (shape.lines == 0) return no_columns("a shape is not used");
            shape.first_column = columns_.size();
            const auto places = std::count(shape.text.begin(), shape.text.end(), place);
            if (columns_.size() + static_cast<std::size_t>(places) > most_columns) {
                return no_columns("there are too many");
            }
            for (auto i = places; i > 0; --i) {
                columns_.push_back({at, {}});
                for (std::size_t skipped = 0; skipped < shape.lines; ++skipped) {
                    at = rest_.find('\n', at);
                    if (at == std::string_view::npos) return no_columns("values are missing");
                    ++at;
                }
            }
        }
        return at == rest_.size() ? Result<void>{} : no_columns("something follows");
    }

    Result<void> append(const Known& shape, std::string& out) {
        std::size_t column = shape.first_column;
        std::string_view text = shape.text;
        for (auto here = text.find(place); here != std::string_view::npos;
             here = text.find(place)) {
            out += text.substr(0, here);
            text.remove_prefix(here + 1);
            TRY(take_value(columns_[column++]));
            out += columns_[column - 1].above;
        }
        out += text;
        out += '\n';
        return {};
    }

    // The next value of a column becomes the one above the next.
    Result<void> take_value(Place& from) {
        const auto end = rest_.find('\n', from.next);
        const auto told = rest_.substr(from.next, end - from.next);
        from.next = end + 1;
        if (told.empty() || told[0] < no_shared ||
            static_cast<std::size_t>(told[0] - no_shared) > from.above.size()) {
            return no_columns("a value does not follow from the one above");
        }
        from.above.resize(static_cast<std::size_t>(told[0] - no_shared));
        from.above += told.substr(1);
        return {};
    }

    std::string_view rest_;
    const std::size_t limit_;
    std::vector<Known> shapes_;
    std::vector<Run> runs_;
    std::vector<Place> columns_;
};

}  // namespace

std::string to_columns(std::string lines) {
    if (!can_be_turned(lines)) return lines;
    Turning turning;
    for (std::string_view rest = lines; !rest.empty();) {
        const auto end = rest.find('\n');
        if (!turning.add(rest.substr(0, end))) return lines;
        rest.remove_prefix(end + 1);
    }
    std::string text = turning.text();
    return text.size() < lines.size() ? text : lines;
}

Result<std::string> from_columns(std::string text, std::size_t limit) {
    if (text.empty() || text.front() != mark) return text;
    return Reader(std::string_view(text).substr(1), limit).read();
}

}  // namespace dutybook::store
