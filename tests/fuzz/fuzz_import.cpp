// Foreign files as the importer reads them. The first byte says which: a calendar, a FHIR bundle, a
// LEDES invoice, a ZIP archive, a table by a mapping of ours, or a mapping and, after a line of
// "---", its table.

#include "base/crypto.h"
#include "base/file.h"
#include "formats/calendar.h"
#include "formats/fhir.h"
#include "formats/ledes_records.h"
#include "formats/mapping.h"
#include "formats/zip.h"
#include "fuzz/target.h"
#include "support/source_dir.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

using namespace dutybook;

namespace {

constexpr const char* zone = "America/New_York";

// What the client does with it next: print it, and send it as JSON.
void check_mapped(const formats::Mapped& mapped) {
    for (const auto& record : mapped.records) {
        fuzz::must(!record.id.empty() && !record.kind.empty(), "a record has an id and a kind");
        fuzz::must(std::ranges::all_of(record.id,
                                       [](char c) {
                                           return formats::as_id({&c, 1}) == std::string(1, c);
                                       }),
                   "an id holds what an id may hold");
        (void)canonical(record.fields);
    }
    for (const auto* list : {&mapped.errors, &mapped.warnings})
        for (const auto& one : *list) fuzz::must(!one.what.empty(), "a bad row says what is wrong");
}

void check_table(const Json& mapping, std::string_view csv) {
    const std::string text(csv);
    const formats::MapContext context{zone, [&](const std::string&) { return &text; }};
    for (const Json& entry : mapping["files"]) {
        formats::Mapped out;
        formats::map_table(entry, "table.csv", csv, context, out);
        check_mapped(out);
    }
}

const Json& roster() {
    static const Json mapping = [] {
        const auto text = read_file(tests::source_dir() / "plugins/roster/imports/oneroster.json");
        fuzz::must(text.has_value(), "the mapping of rosters can be read");
        const auto read = formats::read_mapping(*text);
        fuzz::must(read.has_value(), "the mapping of rosters is a mapping");
        return *read;
    }();
    return mapping;
}

void check_zip(std::string_view bytes) {
    const int fd = ::memfd_create("archive", MFD_CLOEXEC);
    fuzz::must(fd >= 0, "a file in memory");
    fuzz::must(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
               "the bytes are written");
    const auto files = formats::read_zip("/proc/self/fd/" + std::to_string(fd));
    if (files)
        for (const auto& [name, text] : *files)
            fuzz::must(name.find('/') == std::string::npos, "a file has a name, no path");
    ::close(fd);
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(import) {
    if (bytes.empty()) return;
    const char which = bytes.front();
    bytes.remove_prefix(1);
    const auto check = [](const Result<formats::Mapped>& read) {
        if (read) check_mapped(*read);
    };
    switch (which) {
        case 'c':
            return check(formats::read_calendar(bytes, "a.ics", zone, 1'767'600'000'000));
        case 'f':
            return check(formats::read_fhir(bytes, "a.json", zone));
        case 'z':
            return check_zip(bytes);
        case 't':
            return check_table(roster(), bytes);
        case 'l': {
            const auto ledes = formats::read_ledes(bytes, "a.txt");
            if (ledes) check_mapped(formats::records_of(*ledes, {{"M-1", "m1"}}, "a.txt"));
            return;
        }
        case 'm': {
            constexpr std::string_view line = "\n---\n";
            const auto end = bytes.find(line);
            const auto mapping = formats::read_mapping(bytes.substr(0, end));
            if (!mapping || end == std::string_view::npos) return;
            return check_table(*mapping, bytes.substr(end + line.size()));
        }
        default:
            return;
    }
}
