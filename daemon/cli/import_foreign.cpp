#include "cli/import_foreign.h"

#include "base/clock.h"
#include "base/file.h"
#include "cli/print.h"
#include "formats/calendar.h"
#include "formats/encoding.h"
#include "formats/fhir.h"
#include "formats/ledes_records.h"

namespace dutybook::cli {

namespace {

// Letters and digits alone: on its way into LEDES a text loses marks and spaces.
std::string core_of(const std::string& narrative) {
    std::string core;
    for (const char c : formats::ledes_text(narrative)) {
        const bool kept =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (kept) core += c;
    }
    return core;
}

// What makes two entries the same work: an invoice that comes back to the firm that sent it must
// not bill it twice.
std::string work_of(const std::string& kind, const Json& fields) {
    std::string key = kind;
    for (const char* name : {"matter", "person", "date", "minutes", "units", "unit_cost",
                             "expense_code", "narrative"}) {
        const bool expense = kind == "legal.expense_entry";
        if (expense && name == std::string_view("person")) continue;  // LEDES does not carry it
        const std::string text = one_line(fields.value(name, Json()));
        key += '\x1f' + (name == std::string_view("narrative") ? core_of(text) : text);
    }
    return key;
}

Result<void> meet_own_entries(Session& session, formats::Mapped& mapped) {
    std::map<std::string, std::string> own;  // work -> id
    for (const char* kind : {"legal.time_entry", "legal.expense_entry"}) {
        TRY(session.items(
            session.in_space("records?kind=" + std::string(kind)), 0, [&](const Json& one) {
                own[work_of(kind, one.value("fields", Json::object()))] = text_of(one, "id");
            }));
    }
    for (auto& record : mapped.records) {
        const auto found = own.find(work_of(record.kind, record.fields));
        if (found == own.end()) continue;
        record.id = found->second;
        record.fields = Json::object();  // our own words stay: LEDES took some marks out of them
    }
    return {};
}

Result<formats::Mapped> read_invoice(Session& session, const std::string& text,
                                     const std::string& file) {
    TRY_ASSIGN(const auto ledes, formats::read_ledes(text, file));
    std::map<std::string, std::string> matters;
    TRY(session.items(session.in_space("records?kind=legal.matter"), 0, [&](const Json& one) {
        matters[text_of(one.value("fields", Json::object()), "number")] = text_of(one, "id");
    }));
    formats::Mapped mapped = formats::records_of(ledes, matters, file);
    TRY(meet_own_entries(session, mapped));
    return mapped;
}

}  // namespace

bool is_foreign(const std::string& format) {
    return format == "ics" || format == "ledes" || format == "fhir";
}

Result<formats::Mapped> read_foreign(Session& session, const std::string& format,
                                     const std::string& path) {
    TRY_ASSIGN(const std::string bytes, read_file(path));
    TRY_ASSIGN(const auto decoded, formats::decoded(bytes));
    const std::string& text = decoded.text;
    const std::string file = std::filesystem::path(path).filename().string();
    if (format == "ics") {
        return formats::read_calendar(text, file, session.zone(), SystemClock().now());
    }
    if (format == "fhir") return formats::read_fhir(text, file, session.zone());
    return read_invoice(session, text, file);
}

}  // namespace dutybook::cli
