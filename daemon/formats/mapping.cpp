#include "formats/mapping.h"

#include "formats/csv.h"
#include "formats/mapping_value.h"

#include <algorithm>
#include <optional>

namespace dutybook::formats {

namespace {

// An id of a record holds 128 characters.
constexpr std::size_t id_limit = 100;

using Columns = std::map<std::string, std::size_t>;

class Mapper {
public:
    Mapper(const Json& entry, const std::string& file, const MapContext& context, Mapped& out)
        : entry_(entry), file_(file), context_(context), out_(out) {}

    void header(const CsvRow& row) {
        for (std::size_t i = 0; i < row.cells.size(); ++i) {
            columns_.emplace(lower_case(trimmed(row.cells[i])), i);
            names_.push_back(trimmed(row.cells[i]));
        }
        width_ = row.cells.size();
        row_ = &row;
        fill(entry_["id"].get<std::string>(), [&](const std::string& column) {
            if (!cell(column)) wrong(column, "the file has no such column, and ids are made of it");
            return std::string();
        });
        usable_ = out_.errors.size() == errors_;
    }

    void take(const CsvRow& row) {
        if (!usable_ || (row.cells.size() == 1 && row.cells.front().empty())) return;
        row_ = &row;
        if (!fits() || !wanted()) return;
        MappedRecord record;
        record.kind = entry_["kind"];
        record.file = file_;
        record.line = row.line;
        if (!make_id(record)) return;
        if (lower_case(cell("status").value_or("")) == "tobedeleted") {
            out_.removals.push_back({record.id, record.kind, file_, row.line});
            return;
        }
        const std::size_t references = out_.references.size();
        for (const auto& [name, source] : entry_["fields"].items()) {
            if (!take_field(name, source, record)) {
                out_.references.resize(references);  // a row that is left out points nowhere
                return;
            }
        }
        keep_others(record);
        out_.records.push_back(std::move(record));
    }

private:
    std::optional<std::string> cell(const std::string& column) const {
        const auto found = columns_.find(lower_case(column));
        if (found == columns_.end() || found->second >= row_->cells.size()) return std::nullopt;
        return trimmed(row_->cells[found->second]);
    }

    // An unquoted comma would move every cell behind it into another column.
    bool fits() {
        const auto& cells = row_->cells;
        const bool good =
            std::all_of(cells.begin() + static_cast<long>(std::min(width_, cells.size())),
                        cells.end(), [](const auto& each) { return trimmed(each).empty(); });
        if (!good) {
            wrong("", "has " + std::to_string(cells.size()) + " cells, the header " +
                          std::to_string(width_));
        }
        return good;
    }

    bool wanted() const {
        const Json only = entry_.value("only", Json::object());
        for (const auto& [column, values] : only.items()) {
            const std::string is = lower_case(cell(column).value_or(""));
            const bool taken = std::any_of(values.begin(), values.end(), [&](const Json& value) {
                return lower_case(value.get<std::string>()) == is;
            });
            if (!taken) return false;
        }
        for (const Json& column : entry_.value("with", Json::array())) {
            if (cell_of(column).second.empty()) return false;
        }
        return true;
    }

    void wrong(const std::string& column, const std::string& what) {
        out_.errors.push_back(bad_row(file_, row_->line, column, what));
    }

    bool make_id(MappedRecord& record) {
        std::string missing;
        record.id = fill(entry_["id"].get<std::string>(), [&](const std::string& column) {
            const std::string text = cell(column).value_or("");
            if (text.empty()) missing = column;
            return as_id(text);
        });
        if (missing.empty()) return true;
        wrong(missing, "is empty, and the record's id is made of it");
        return false;
    }

    // The first of the named columns that the file has, and its cell.
    std::pair<std::string, std::string> cell_of(const Json& column) const {
        const Json names = column.is_array() ? column : Json::array({column});
        for (const Json& name : names) {
            if (auto text = cell(name.get<std::string>())) return {name, *text};
        }
        return {names.front(), ""};
    }

    std::string from_template(const std::string& shape, bool& any) const {
        const std::string text = fill(shape, [&](const std::string& column) {
            std::string value = cell(column).value_or("");
            any = any || !value.empty();
            return value;
        });
        const auto last = text.find_last_not_of(" ,;:.-/");
        return any && last != std::string::npos ? text.substr(0, last + 1) : "";
    }

    // Columns of vendors, kept as they are: "metadata.house" -> {"metadata.house": "red"}.
    void keep_others(MappedRecord& record) const {
        Json kept = Json::object();
        for (const Json& prefix : entry_.value("keep", Json::array())) {
            for (const std::string& name : names_) {
                if (!lower_case(name).starts_with(lower_case(prefix.get<std::string>()))) continue;
                const std::string text = cell(name).value_or("");
                if (!text.empty()) kept[name] = text;
            }
        }
        if (!kept.empty()) record.fields["extensions"] = std::move(kept);
    }

    // False after an error: the row is left out.
    bool take_field(const std::string& name, const Json& source, MappedRecord& record) {
        if (source.contains("const")) {
            record.fields[name] = source["const"];
            return true;
        }
        std::string column, text;
        if (source.contains("template")) {
            bool any = false;
            text = from_template(source["template"].get<std::string>(), any);
            column = source["template"];
        } else {
            std::tie(column, text) = cell_of(source["column"]);
        }
        record.columns[name] = column;
        if (source.value("once", false)) record.once.insert(name);
        if (text.empty()) text = earliest(source);
        if (text.empty()) {
            const Json instead = source.value("default", Json());
            if (!instead.is_null()) record.fields[name] = instead;
            return true;
        }
        auto value = read_value(source, text, context_.zone);
        if (!value) {
            wrong(column, value.error().what);
            return false;
        }
        if (source.value("open", false) && !in_map(source["map"], text)) {
            out_.warnings.push_back(
                bad_row(file_, row_->line, column, '"' + text + "\" is not a known value"));
        }
        note_references(source, *value, column, name, record);
        record.fields[name] = std::move(*value);
        return true;
    }

    void note_references(const Json& source, const Json& value, const std::string& column,
                         const std::string& name, MappedRecord& record) {
        if (!source.contains("refer")) return;
        record.refers.insert(name);
        const Json ids = value.is_array() ? value : Json::array({value});
        for (const Json& id : ids) out_.references.push_back({id, file_, column, row_->line});
    }

    std::string earliest(const Json& source) {
        const auto from = source.find("earliest");
        if (from == source.end() || !context_.text_of) return {};
        const std::string* const text = context_.text_of((*from)["file"]);
        if (text == nullptr) return {};
        const std::string wanted = lower_case((*from)["column"].get<std::string>());
        std::string least;
        std::optional<std::size_t> place;
        bool first = true;
        const auto read = read_csv(*text, [&](const CsvRow& row) {
            for (std::size_t i = 0; first && i < row.cells.size(); ++i) {
                if (lower_case(trimmed(row.cells[i])) == wanted) place = i;
            }
            if (!first && place && *place < row.cells.size()) {
                const std::string value = trimmed(row.cells[*place]);
                if (!value.empty() && (least.empty() || value < least)) least = value;
            }
            first = false;
            return true;
        });
        return read ? least : "";
    }

    const Json& entry_;
    const std::string& file_;
    const MapContext& context_;
    Mapped& out_;
    const std::size_t errors_ = out_.errors.size();  // of other files
    Columns columns_;
    std::vector<std::string> names_;  // as they are written
    std::size_t width_ = 0;           // of the header
    bool usable_ = false;
    const CsvRow* row_ = nullptr;
};

bool is_text(const Json& value) {
    return value.is_string();
}

bool are_texts(const Json& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(), is_text);
}

bool is_column(const Json& value) {
    return is_text(value) || (are_texts(value) && !value.empty());
}

// Members beside where a value comes from: absent, or of their shape.
bool modifiers_fit(const Json& source) {
    const auto fits = [&](const char* name, bool (Json::*test)() const) {
        const auto found = source.find(name);
        return found == source.end() || ((*found).*test)();
    };
    if (!fits("map", &Json::is_object) || !fits("type", &Json::is_string) ||
        !fits("refer", &Json::is_string) || !fits("open", &Json::is_boolean) ||
        !fits("once", &Json::is_boolean) || !fits("list", &Json::is_boolean)) {
        return false;
    }
    if (source.contains("open") && !source.contains("map")) return false;
    const auto earliest = source.find("earliest");
    return earliest == source.end() ||
           (earliest->is_object() && earliest->contains("file") && earliest->contains("column") &&
            is_text((*earliest)["file"]) && is_text((*earliest)["column"]));
}

bool is_source(const Json& source) {
    if (!source.is_object() || !modifiers_fit(source)) return false;
    if (source.contains("const")) return true;
    if (source.contains("template")) return is_text(source["template"]);
    return source.contains("column") && is_column(source["column"]);
}

// What stands between the columns of an id's template can stand in an id.
bool is_id_template(const std::string& shape) {
    const std::string plain = fill(shape, [](const std::string&) { return std::string(); });
    return as_id(plain) == plain;
}

// "only" and "with", which say what rows are taken.
bool choices_fit(const Json& entry) {
    const Json only = entry.value("only", Json::object()),
               with = entry.value("with", Json::array());
    if (!only.is_object() || !with.is_array()) return false;
    return std::all_of(only.begin(), only.end(), are_texts) &&
           std::all_of(with.begin(), with.end(), is_column);
}

Result<void> check_entry(const Json& entry, const std::string& at) {
    for (const char* name : {"file", "kind", "id"}) {
        if (!entry.is_object() || !entry.contains(name) || !is_text(entry[name])) {
            return malformed(R"(a mapping names "file", "kind", "id" and "fields")", at);
        }
    }
    if (!entry.contains("fields") || !entry["fields"].is_object()) {
        return malformed("a mapping has \"fields\"", at);
    }
    if (!is_id_template(entry["id"].get<std::string>())) {
        return malformed("an \"id\" holds letters, digits and ._-: besides {COLUMN}", at + "/id");
    }
    if (!choices_fit(entry)) {
        return malformed(R"("only" is {COLUMN: [texts]}, "with" is a list of columns)", at);
    }
    for (const auto& [name, source] : entry["fields"].items()) {
        if (!is_source(source)) {
            return malformed(
                R"(a field comes from a "column", a "template" or a "const"; what stands beside it )"
                "has another shape than a mapping's",
                pointer_to(at + "/fields", name));
        }
    }
    return {};
}

}  // namespace

std::string as_id(std::string_view text) {
    std::string id;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == ':';
        id += plain ? c : '_';
    }
    return id.substr(0, id_limit);
}

Error bad_row(const std::string& file, std::uint64_t line, const std::string& column,
              const std::string& what) {
    Error error = malformed(file + (column.empty() ? "" : ", column " + column) + ": " + what);
    if (line > 0) error.line = line;
    error.pointer = column;
    error.detail = canonical({{"file", file}, {"column", column}});
    return error;
}

Result<Json> read_mapping(std::string_view text) {
    constexpr std::size_t mapping_limit = 1u << 20;
    TRY_ASSIGN(Json mapping, parse_json(text, {16, mapping_limit}));
    if (mapping.is_object() && !mapping.contains("files")) {
        Json one = mapping;
        mapping = {{"files", Json::array({std::move(one)})}};
    }
    if (!mapping.is_object() || !mapping["files"].is_array()) {
        return malformed("a mapping has \"files\"", "/files");
    }
    for (std::size_t i = 0; i < mapping["files"].size(); ++i) {
        TRY(check_entry(mapping["files"][i], pointer_to("/files", i)));
    }
    return Result<Json>(boost::system::in_place_value, std::move(mapping));
}

void map_table(const Json& entry, const std::string& file, std::string_view csv,
               const MapContext& context, Mapped& out) {
    Mapper mapper(entry, file, context, out);
    bool first = true;
    const auto read = read_csv(
        csv,
        [&](const CsvRow& row) {
            if (first) {
                mapper.header(row);
            } else {
                mapper.take(row);
            }
            first = false;
            return true;
        },
        [&](const Error& error) {
            Error bad = bad_row(file, error.line.value_or(0), "", error.what);
            bad.why = error.why;
            out.errors.push_back(std::move(bad));
        });
    if (!read) out.errors.push_back(read.error());
}

}  // namespace dutybook::formats
