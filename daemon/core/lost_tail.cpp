#include "core/lost_tail.h"

#include "base/kept_file.h"
#include "store/journal_last.h"

#include <map>
#include <sstream>

namespace dutybook::core {

namespace {

struct Shown {
    std::string line;
    domain::Frontier frontier;
};

// Nothing leads from a writer to its operations: every record is looked at.
Result<std::map<std::uint64_t, Shown>> shown_after(store::IndexReader& reader,
                                                   const domain::Writer& own, std::uint64_t last) {
    std::map<std::uint64_t, Shown> out;
    TRY_ASSIGN(const auto records, reader.changed_since({}));
    for (const auto& record : records) {
        TRY_ASSIGN(const auto rows, reader.operations(record));
        for (const auto& row : rows) {
            if (row.operation.id.writer != own || row.operation.id.seq <= last) continue;
            TRY_ASSIGN(std::string line, domain::write_operation(row.operation));
            out[row.operation.id.seq] = {std::move(line), row.frontier};
        }
    }
    return out;
}

// By what the journal noted outside of its database; 0 if that is nothing beyond what it holds.
Result<std::uint64_t> acknowledged_upto(store::Journal& journal, const domain::Writer& own) {
    TRY_ASSIGN(const std::string text, journal.meta(store::acknowledged_key));
    domain::OperationId id;
    std::istringstream(text) >> id.writer >> id.seq;
    return id.writer == own ? id.seq : 0;
}

}  // namespace

Result<std::uint64_t> bring_back_lost_tail(const SpaceParts& parts, const SpaceFacts& facts) {
    const auto own = parts.journal->current_writer();
    if (own.empty()) return 0;
    const auto last = parts.journal->last_seq(own);
    const auto shown = parts.index->frontier().seq_of(own);
    TRY_ASSIGN(const auto noted, acknowledged_upto(*parts.journal, own));
    const auto wanted = std::max(shown, noted);
    if (wanted <= last) return 0;
    std::map<std::uint64_t, Shown> held;
    if (shown > last) {
        TRY_ASSIGN(held, shown_after(parts.index->reader(), own, last));
    }
    std::uint64_t upto = last;
    for (const auto& [seq, one] : held) {
        if (seq != upto + 1) break;
        const store::JournalLine line{{own, seq}, one.line};
        TRY(parts.journal->append({&line, 1}, one.frontier, {}, parts.clock->now()));
        upto = seq;
    }
    const std::string file = "spaces/" + facts.name + "/journal.db-wal";
    if (upto > last)
        note_healed({file,
                     "was cut or damaged: the journal had lost " + std::to_string(upto - last) +
                         " acknowledged operations",
                     "put back from the index"});
    if (upto < wanted)
        note_healed({file,
                     "was cut or damaged: " + std::to_string(wanted - upto) +
                         " acknowledged operations are gone",
                     "restore a backup if there is one, else enter them again", true});
    if (noted > 0) TRY(parts.journal->set_meta(store::acknowledged_key, ""));
    return wanted - upto;
}

}  // namespace dutybook::core
