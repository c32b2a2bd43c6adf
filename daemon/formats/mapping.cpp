#include "formats/mapping.h"

#include "formats/csv.h"

#include <algorithm>
#include <optional>

namespace dutybook::formats {

namespace {

constexpr std::size_t mapping_limit = 1u << 20;

using Columns = std::map<std::string, std::size_t>;

struct Row {
    const Columns* columns = nullptr;
    const CsvRow* row = nullptr;

    std::optional<std::string> cell(const std::string& column) const {
        const auto found = columns->find(column);
        if (found == columns->end() || found->second >= row->cells.size()) return std::nullopt;
        return row->cells[found->second];
    }
};

// The first of the named columns that the file has, and its cell.
std::pair<std::string, std::string> cell_of(const Row& row, const Json& column) {
    const Json names = column.is_array() ? column : Json::array({column});
    for (const Json& name : names) {
        const auto text = row.cell(name.get<std::string>());
        if (text) return {name.get<std::string>(), *text};
    }
    return {names.front().get<std::string>(), ""};
}

std::string trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return std::string(text);
}

std::string filled(const std::string& shape, const std::string& value) {
    const auto at = shape.find("{}");
    if (at == std::string::npos) return shape + as_id(value);
    return shape.substr(0, at) + as_id(value) + shape.substr(at + 2);
}

class Mapper {
public:
    Mapper(const Json& entry, const std::string& file, Mapped& out)
        : entry_(entry), file_(file), out_(out) {}

    void header(const CsvRow& row) {
        for (std::size_t i = 0; i < row.cells.size(); ++i) columns_[trimmed(row.cells[i])] = i;
    }

    void take(const CsvRow& cells) {
        const Row row{&columns_, &cells};
        if (cells.cells.size() == 1 && cells.cells.front().empty()) return;
        if (row.cell("status").value_or("") == "tobedeleted") {
            ++out_.deleted;
            return;
        }
        MappedRecord record;
        record.kind = entry_["kind"];
        record.file = file_;
        record.line = cells.line;
        if (!make_id(row, record)) return;
        for (const auto& [name, source] : entry_["fields"].items()) {
            auto value = value_of(row, source, record);
            if (!value) return;
            if (!value->is_null()) record.fields[name] = std::move(*value);
        }
        out_.records.push_back(std::move(record));
    }

private:
    void wrong(const Row& row, const std::string& column, const std::string& what) {
        Error error = malformed(file_ + ": " + what);
        error.line = row.row->line;
        error.pointer = column;
        out_.errors.push_back(std::move(error));
    }

    bool make_id(const Row& row, MappedRecord& record) {
        const std::string shape = entry_["id"];
        for (std::size_t i = 0; i < shape.size(); ++i) {
            if (shape[i] != '{') {
                record.id += shape[i];
                continue;
            }
            const auto end = shape.find('}', i);
            const std::string column = shape.substr(i + 1, end - i - 1);
            const auto text = row.cell(column);
            if (!text || trimmed(*text).empty()) {
                wrong(row, column, "column " + column + " is empty, and the id is made of it");
                return false;
            }
            record.id += as_id(trimmed(*text));
            i = end;
        }
        return true;
    }

    // Nothing after an error; null where the cell is empty.
    std::optional<Json> value_of(const Row& row, const Json& source, const MappedRecord& record) {
        if (source.contains("const")) return source["const"];
        const auto [column, cell] = cell_of(row, source["column"]);
        const std::string text = trimmed(cell);
        if (text.empty()) return source.value("default", Json());
        const std::string type = source.value("type", "text");
        const std::string refer = source.value("refer", "");
        if (type == "list" || source.value("list", false)) {
            Json list = Json::array();
            std::size_t from = 0;
            while (from <= text.size()) {
                const auto to = std::min(text.find(',', from), text.size());
                const std::string one = trimmed(std::string_view(text).substr(from, to - from));
                if (!one.empty()) list.push_back(linked(one, refer, column, record));
                from = to + 1;
            }
            return list;
        }
        if (source.contains("map")) {
            const auto found = source["map"].find(text);
            if (found != source["map"].end()) return *found;
        }
        if (type == "boolean") {
            if (text == "true" || text == "TRUE" || text == "1" || text == "yes") return Json(true);
            if (text == "false" || text == "FALSE" || text == "0" || text == "no")
                return Json(false);
            wrong(row, column, "column " + column + ": \"" + text + "\" is not true or false");
            return std::nullopt;
        }
        if (type == "integer") {
            const Json number = Json::parse(text, nullptr, false);
            if (number.is_number_integer()) return number;
            wrong(row, column, "column " + column + ": \"" + text + "\" is no whole number");
            return std::nullopt;
        }
        return linked(text, refer, column, record);
    }

    Json linked(const std::string& text, const std::string& refer, const std::string& column,
                const MappedRecord& record) {
        if (refer.empty()) return text;
        std::string id = filled(refer, text);
        out_.references.push_back({id, record.file, column, record.line});
        return id;
    }

    const Json& entry_;
    const std::string& file_;
    Mapped& out_;
    Columns columns_;
};

}  // namespace

std::string as_id(std::string_view text) {
    std::string id;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == ':';
        id += plain ? c : '_';
    }
    return id.substr(0, 100);
}

Result<Json> read_mapping(std::string_view text) {
    TRY_ASSIGN(Json mapping, parse_json(text, {16, mapping_limit}));
    if (mapping.is_object() && !mapping.contains("files")) {
        Json one = mapping;
        mapping = {{"files", Json::array({std::move(one)})}};  // a mapping of one file
    }
    if (!mapping.is_object() || !mapping["files"].is_array()) {
        return malformed("a mapping has \"files\"", "/files");
    }
    for (std::size_t i = 0; i < mapping["files"].size(); ++i) {
        const Json& entry = mapping["files"][i];
        const std::string at = pointer_to("/files", i);
        for (const char* name : {"file", "kind", "id"}) {
            if (!entry.is_object() || !entry.contains(name) || !entry[name].is_string()) {
                return malformed("a mapping names \"file\", \"kind\", \"id\" and \"fields\"", at);
            }
        }
        if (!entry.contains("fields") || !entry["fields"].is_object()) {
            return malformed("a mapping has \"fields\"", at);
        }
        for (const auto& [name, source] : entry["fields"].items()) {
            const bool column = source.is_object() && source.contains("column") &&
                                (source["column"].is_string() ||
                                 (source["column"].is_array() && !source["column"].empty() &&
                                  std::all_of(source["column"].begin(), source["column"].end(),
                                              [](const Json& each) { return each.is_string(); })));
            if (!column && !(source.is_object() && source.contains("const"))) {
                return malformed("a field comes from a \"column\" or a \"const\"",
                                 pointer_to(at + "/fields", name));
            }
        }
    }
    return Result<Json>(boost::system::in_place_value, std::move(mapping));
}

void map_table(const Json& entry, const std::string& file, std::string_view csv, Mapped& out) {
    Mapper mapper(entry, file, out);
    bool first = true;
    const auto read = read_csv(csv, [&](const CsvRow& row) {
        if (first) {
            mapper.header(row);
        } else {
            mapper.take(row);
        }
        first = false;
        return true;
    });
    if (!read) {
        Error error = read.error();
        error.what = file + ": " + error.what;
        out.errors.push_back(std::move(error));
    }
}

}  // namespace dutybook::formats
