#include "formats/ledes_records.h"

#include "base/clock.h"

#include <charconv>
#include <cmath>

namespace dutybook::formats {

namespace {

// "20260504" -> "2026-05-04"; empty if it is no date.
std::string date_of(const std::string& text) {
    if (text.size() != 8) return "";
    const std::string day = text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6);
    return parse_instant(day + "T00:00:00Z") ? day : "";
}

// Amounts and hours of one line stay far below; "inf" and "nan" are numbers to from_chars().
constexpr double most = 1e9;

bool number(const std::string& text, double& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && std::abs(value) <= most;
}

class Lines {
public:
    Lines(const std::map<std::string, std::string>& matters, const std::string& file, Mapped& out)
        : matters_(matters), file_(file), out_(out) {}

    void take(const LedesLine& line) {
        line_ = &line;
        const std::string& type = line.at("EXP/FEE/INV_ADJ_TYPE");
        const auto matter = matters_.find(line.at("LAW_FIRM_MATTER_ID"));
        if (type != "F" && type != "E") {
            wrong("EXP/FEE/INV_ADJ_TYPE", '"' + type + "\" is neither a fee nor an expense");
        } else if (matter == matters_.end()) {
            wrong("LAW_FIRM_MATTER_ID",
                  "there is no matter " + line.at("LAW_FIRM_MATTER_ID") + " in this space");
        } else if (date_of(line.at("LINE_ITEM_DATE")).empty()) {
            wrong("LINE_ITEM_DATE", '"' + line.at("LINE_ITEM_DATE") + "\" is not YYYYMMDD");
        } else if (adds_up()) {
            type == "F" ? fee(matter->second) : expense(matter->second);
        }
    }

private:
    void wrong(const char* column, const std::string& what) {
        out_.errors.push_back(bad_row(file_, line_->line, column, what));
    }

    // Half a cent is allowed for: receivers round.
    bool adds_up() {
        double units = 0, cost = 0, adjustment = 0, total = 0;
        const std::string& adjusted = line_->at("LINE_ITEM_ADJUSTMENT_AMOUNT");
        const bool read = number(line_->at("LINE_ITEM_NUMBER_OF_UNITS"), units) &&
                          number(line_->at("LINE_ITEM_UNIT_COST"), cost) &&
                          (adjusted.empty() || number(adjusted, adjustment)) &&
                          number(line_->at("LINE_ITEM_TOTAL"), total);
        constexpr double tolerance = 0.0051;
        if (read && std::abs(units * cost + adjustment - total) < tolerance) return true;
        wrong("LINE_ITEM_TOTAL", read ? "is not units x unit cost + adjustment"
                                      : "an amount of this line is no number");
        return false;
    }

    MappedRecord begin(const char* kind, const std::string& matter) {
        MappedRecord record;
        record.kind = kind;
        record.id =
            as_id("ledes-" + line_->at("INVOICE_NUMBER") + "-" + line_->at("LINE_ITEM_NUMBER"));
        record.file = file_;
        record.line = line_->line;
        record.fields = {{"matter", matter},
                         {"date", date_of(line_->at("LINE_ITEM_DATE"))},
                         {"narrative", line_->at("LINE_ITEM_DESCRIPTION")}};
        record.refers.insert("matter");
        set(record, "adjustment", "LINE_ITEM_ADJUSTMENT_AMOUNT");
        if (record.fields.value("adjustment", "") == "0.00") record.fields.erase("adjustment");
        return record;
    }

    void set(MappedRecord& record, const char* field, const char* column) {
        record.columns[field] = column;
        const std::string& text = line_->at(column);
        if (!text.empty()) record.fields[field] = text;
    }

    void fee(const std::string& matter) {
        double hours = 0;
        number(line_->at("LINE_ITEM_NUMBER_OF_UNITS"), hours);
        MappedRecord record = begin("legal.time_entry", matter);
        record.fields["minutes"] = std::lround(hours * 60);
        record.fields["billable"] = true;
        set(record, "hours", "LINE_ITEM_NUMBER_OF_UNITS");
        set(record, "rate", "LINE_ITEM_UNIT_COST");
        set(record, "task_code", "LINE_ITEM_TASK_CODE");
        set(record, "activity_code", "LINE_ITEM_ACTIVITY_CODE");
        set(record, "person", "TIMEKEEPER_ID");
        record.refers.insert("person");
        out_.references.push_back(
            {line_->at("TIMEKEEPER_ID"), file_, "TIMEKEEPER_ID", line_->line});
        out_.records.push_back(std::move(record));
    }

    void expense(const std::string& matter) {
        MappedRecord record = begin("legal.expense_entry", matter);
        set(record, "units", "LINE_ITEM_NUMBER_OF_UNITS");
        set(record, "unit_cost", "LINE_ITEM_UNIT_COST");
        set(record, "expense_code", "LINE_ITEM_EXPENSE_CODE");
        out_.records.push_back(std::move(record));
    }

    const std::map<std::string, std::string>& matters_;
    const std::string& file_;
    Mapped& out_;
    const LedesLine* line_ = nullptr;
};

}  // namespace

Mapped records_of(const LedesFile& ledes, const std::map<std::string, std::string>& matters,
                  const std::string& file) {
    Mapped out;
    out.errors = ledes.errors;
    Lines lines(matters, file, out);
    for (const LedesLine& line : ledes.lines) lines.take(line);
    return out;
}

}  // namespace dutybook::formats
