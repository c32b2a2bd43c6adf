// The index against itself: pages, then every record folded again from its operations.

#include "store/index_sqlite.h"

#include <algorithm>

namespace dutybook::store {

struct SqliteIndex::Recount {
    std::uint64_t records = 0, operations = 0;
    domain::Digest digest, operations_digest;
};

namespace {

Error wrong(const std::string& what) {
    return failure(Code::Corrupt, "the index is damaged", what,
                   "it is rebuilt from the log and the journal");
}

}  // namespace

Result<void> SqliteIndex::check() {
    TRY_ASSIGN(const auto verdict, db_->string("PRAGMA quick_check(1)"));
    if (verdict.value_or("") != "ok") return wrong(verdict.value_or("SQLite finds no sound page"));
    Recount recount;
    TRY(recount_records(recount));
    TRY(recount_kept(recount));
    if (recount.records != totals_.records) return wrong("its count of records is off");
    if (recount.operations != totals_.operations) return wrong("its count of operations is off");
    if (!(recount.operations_digest == totals_.operations_digest)) {
        return wrong("its operations are not those that were applied");
    }
    if (!(recount.digest == totals_.digest)) return wrong("its records do not give its digest");
    return recount_counters();
}

Result<void> SqliteIndex::recount_records(Recount& recount) {
    TRY_ASSIGN(Rows recs, db_->query("SELECT rec FROM record ORDER BY rec"));
    while (true) {
        TRY_ASSIGN(const bool more, recs.next());
        if (!more) return {};
        TRY_ASSIGN(const auto row, records_.by_rec(recs.integer(0)));
        if (!row) return wrong("a record vanished");
        TRY_ASSIGN(const History history, records_.history(*row));
        for (std::size_t i = 0; i < history.rows.size(); ++i) {
            recount.operations_digest.add(
                domain::operation_hash(history.operations[i].id, history.rows[i].line));
            ++recount.operations;
        }
        const domain::RecordState folded = domain::fold(history.known());
        if (folded.born) recount.digest.add(domain::hash_of(folded));
        if (folded.born && !folded.deleted) ++recount.records;
        if (unfolded_.contains(row->rec)) continue;
        TRY_ASSIGN(const domain::RecordState state, records_.state(*row));
        if (folded.id != row->id || domain::hash_of(state) != domain::hash_of(folded)) {
            return wrong("record " + row->id + " is not what its operations make of it");
        }
    }
}

Result<void> SqliteIndex::recount_counters() {
    for (const auto& [name, kind] : kinds_) {
        TRY_ASSIGN(const auto alive,
                   db_->number("SELECT count(*) FROM record WHERE bucket = ?1", kind.row * 2));
        if (static_cast<std::uint64_t>(alive.value_or(0)) != kind.alive) {
            return wrong("its count of the kind " + name + " is off");
        }
    }
    auto counts = judged_;
    TRY_ASSIGN(Rows rows, db_->query("SELECT kind, plugin FROM verdict"));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) break;
        --counts[{rows.integer(0), rows.integer(1)}];
    }
    for (const auto& [key, count] : counts) {
        if (count != 0) return wrong("its count of verdicts is off");
    }
    return {};
}

Result<void> SqliteIndex::recount_kept(Recount& recount) {
    TRY_ASSIGN(Rows rows, db_->query("SELECT w.name, k.seq, k.line FROM kept k "
                                     "JOIN writer w ON w.id = k.writer"));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return {};
        const domain::OperationId id{std::string(rows.text(0)),
                                     static_cast<std::uint64_t>(rows.integer(1))};
        recount.operations_digest.add(domain::operation_hash(id, rows.text(2)));
        ++recount.operations;
    }
}

}  // namespace dutybook::store
