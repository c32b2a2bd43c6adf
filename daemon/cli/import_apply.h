#pragma once
// Mapped records against what the space holds: what is new is added, what differs is changed, what
// is the same is left alone, so that importing twice writes nothing.

#include "cli/session.h"
#include "formats/mapping.h"

#include <map>
#include <set>
#include <string>

namespace dutybook::cli {

struct ImportCounts {
    struct OfKind {
        std::uint64_t read = 0, added = 0, changed = 0, same = 0, removed = 0, repeated = 0,
                      failed = 0;
    };
    std::map<std::string, OfKind> kinds;
    std::uint64_t bad_rows = 0, orphans = 0;
    std::uint64_t failed() const;
};

class Importer {
public:
    Importer(Session& session, const formats::Mapped& mapped, bool dry_run)
        : session_(session), mapped_(mapped), dry_run_(dry_run) {}
    Result<ImportCounts> run();

private:
    Result<void> read_held();
    Result<void> tell_orphans();
    Result<bool> exists(const std::string& id);
    void tell_repeat(const formats::MappedRecord& record, std::uint64_t first);
    Result<void> sort_out();
    Result<void> change();
    Result<void> add();
    Result<void> remove();
    void take_answer(std::string_view line, const formats::MappedRecord& sent);
    void failed(const formats::MappedRecord& record, const Error& error);
    void progress(const char* step, std::size_t done, std::size_t all);

    Session& session_;
    const formats::Mapped& mapped_;
    const bool dry_run_;
    ImportCounts counts_;
    std::map<std::string, Json> held_;    // id -> fields, of the kinds that are imported
    std::map<std::string, bool> looked_;  // references that were asked for
    std::vector<const formats::MappedRecord*> fresh_;
    std::vector<std::pair<const formats::MappedRecord*, Json>> patches_;
};

// A problem for people or, with --json, as one object on stdout.
void tell_problem(Session& session, const Error& error, const char* before);

}  // namespace dutybook::cli
