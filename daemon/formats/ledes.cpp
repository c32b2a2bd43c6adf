#include "formats/ledes.h"

#include "formats/mapping.h"
#include "formats/mapping_value.h"

#include <algorithm>

namespace dutybook::formats {

const std::array<std::string_view, ledes_fields> ledes_names{
    "INVOICE_DATE",
    "INVOICE_NUMBER",
    "CLIENT_ID",
    "LAW_FIRM_MATTER_ID",
    "INVOICE_TOTAL",
    "BILLING_START_DATE",
    "BILLING_END_DATE",
    "INVOICE_DESCRIPTION",
    "LINE_ITEM_NUMBER",
    "EXP/FEE/INV_ADJ_TYPE",
    "LINE_ITEM_NUMBER_OF_UNITS",
    "LINE_ITEM_ADJUSTMENT_AMOUNT",
    "LINE_ITEM_TOTAL",
    "LINE_ITEM_DATE",
    "LINE_ITEM_TASK_CODE",
    "LINE_ITEM_EXPENSE_CODE",
    "LINE_ITEM_ACTIVITY_CODE",
    "TIMEKEEPER_ID",
    "LINE_ITEM_DESCRIPTION",
    "LAW_FIRM_ID",
    "LINE_ITEM_UNIT_COST",
    "TIMEKEEPER_NAME",
    "TIMEKEEPER_CLASSIFICATION",
    "CLIENT_MATTER_ID",
};

namespace {

constexpr std::string_view first_line = "LEDES1998B";

}  // namespace

std::string ledes_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) {
            if (byte >= 0xC0) out += '?';  // one mark a character, not a byte
        } else if (byte < 0x20 || c == '|') {
            out += ' ';
        } else if (c == '[' || c == ']') {
            out += c == '[' ? '(' : ')';
        } else {
            out += c;
        }
    }
    return trimmed(out);
}

namespace {

bool is_ledes(const Json& block) {
    if (block["type"] != "table" || block["columns"].size() != ledes_fields) return false;
    for (std::size_t i = 0; i < ledes_fields; ++i) {
        if (block["columns"][i]["label"] != ledes_names[i]) return false;
    }
    return true;
}

std::vector<std::string> split(std::string_view line) {
    std::vector<std::string> fields;
    for (std::size_t from = 0; from <= line.size();) {
        const auto to = std::min(line.find('|', from), line.size());
        fields.push_back(trimmed(line.substr(from, to - from)));
        from = to + 1;
    }
    return fields;
}

}  // namespace

Result<std::string> render_ledes(const Report& report) {
    std::string texts;
    for (const Json& block : report.blocks) {
        if (block["type"] == "text")
            texts += (texts.empty() ? "" : "; ") + cell_text(block["text"]);
        if (!is_ledes(block)) continue;
        std::string out = std::string(first_line) + "[]\r\n";
        for (std::size_t i = 0; i < ledes_fields; ++i) {
            out += (i == 0 ? "" : "|") + std::string(ledes_names[i]);
        }
        out += "[]\r\n";
        for (const Json& row : block.value("rows", Json::array())) {
            for (std::size_t i = 0; i < ledes_fields; ++i) {
                out += i == 0 ? "" : "|";
                if (i < row.size()) out += ledes_text(cell_text(row[i]));
            }
            out += "[]\r\n";
        }
        return out;
    }
    return failure(Code::Conflict, "the report is no LEDES invoice",
                   texts.empty() ? "it has no table of the 24 fields" : texts, "");
}

const std::string& LedesLine::at(std::string_view name) const {
    const auto found = std::find(ledes_names.begin(), ledes_names.end(), name);
    return fields.at(static_cast<std::size_t>(found - ledes_names.begin()));
}

Result<LedesFile> read_ledes(std::string_view text, const std::string& file) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    LedesFile out;
    std::uint64_t number = 0;
    for (std::size_t from = 0; from < text.size();) {
        const auto to = std::min(text.find('\n', from), text.size());
        std::string line = trimmed(text.substr(from, to - from));
        from = to + 1;
        ++number;
        if (line.empty()) continue;
        const bool ended = line.ends_with("[]");
        if (ended) line.resize(line.size() - 2);
        const auto fields = split(line);
        if (number == 1) {
            if (!ended || line != first_line) {
                return bad_row(file, 1, "", "does not begin with LEDES1998B[]");
            }
        } else if (number == 2) {
            if (fields.size() != ledes_fields ||
                !std::equal(fields.begin(), fields.end(), ledes_names.begin())) {
                return bad_row(file, 2, "", "does not name the 24 fields of LEDES 1998B");
            }
        } else if (!ended || fields.size() != ledes_fields) {
            out.errors.push_back(
                bad_row(file, number, "",
                        ended ? "has " + std::to_string(fields.size()) + " fields, not 24"
                              : "does not end with []"));
        } else {
            LedesLine one;
            one.line = number;
            std::copy(fields.begin(), fields.end(), one.fields.begin());
            out.lines.push_back(std::move(one));
        }
    }
    if (number < 2) return bad_row(file, number, "", "is no LEDES 1998B file");
    return out;
}

}  // namespace dutybook::formats
