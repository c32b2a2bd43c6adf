// A fork was switched: operations of a writer are taken out again.

#include "store/index_sqlite.h"

#include <algorithm>

namespace dutybook::store {

Result<std::vector<std::string>> SqliteIndex::retract_from(const domain::Writer& writer,
                                                           std::uint64_t seq) {
    if (bulk_) return failure(Code::Conflict, "cannot retract operations in a bulk load");
    std::vector<std::string> changed;
    const auto found = writers_.find(writer);
    if (seq == 0 || found == writers_.end() || found->second.held < seq) return changed;
    WriterState& state = found->second;
    const auto retracted = transact([&]() -> Result<void> {
        changed_writers_.insert(writer);
        ++totals_.order;  // what is folded again changed after all that was there
        // No index leads here: forks are rare, and rows are kept small for all other uses.
        std::vector<std::int64_t> recs;
        {
            TRY_ASSIGN(Rows rows,
                       db_->query("SELECT rec FROM record WHERE seq >= ?2 AND run IN "
                                  "(SELECT id FROM run WHERE writer = ?1 AND last >= ?2) UNION "
                                  "SELECT rec FROM op WHERE seq >= ?2 AND run IN "
                                  "(SELECT id FROM run WHERE writer = ?1 AND last >= ?2)",
                                  state.row, seq));
            while (true) {
                TRY_ASSIGN(const bool more, rows.next());
                if (!more) break;
                recs.push_back(rows.integer(0));
            }
        }
        for (const std::int64_t rec : recs) TRY(retract_record(rec, writer, seq, changed));
        TRY(retract_kept(state, writer, seq));
        TRY(db_->run("UPDATE run SET last = ?2 WHERE writer = ?1 AND last > ?2", state.row,
                     seq - 1));
        state.tail = {};
        state.held = seq - 1;
        if (state.waiting >= seq) state.waiting = 0;
        return show(state, std::min(state.shown, state.held));
    });
    TRY(retracted);
    return changed;
}

Result<void> SqliteIndex::retract_record(std::int64_t rec, const domain::Writer& writer,
                                         std::uint64_t seq, std::vector<std::string>& changed) {
    TRY_ASSIGN(const auto row, records_.by_rec(rec));
    if (!row) return {};
    changed.push_back(row->id);
    TRY_ASSIGN(History all, records_.history(*row));
    History left;
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        const domain::OperationId& id = all.operations[i].id;
        if (id.writer == writer && id.seq >= seq) {
            totals_.operations_digest.remove(domain::operation_hash(id, all.rows[i].line));
            --totals_.operations;
            continue;
        }
        left.rows.push_back(std::move(all.rows[i]));
        left.operations.push_back(std::move(all.operations[i]));
        left.frontiers.push_back(std::move(all.frontiers[i]));
    }
    if (left.rows.empty()) return remove_record(*row);

    TRY(db_->run("DELETE FROM op WHERE rec = ?1", rec));
    const StoredOperation& first = left.rows.front();
    TRY(db_->run("UPDATE record SET run = ?2, seq = ?3, arrived = ?4, line = ?5 WHERE rec = ?1",
                 rec, first.run, first.seq, first.arrived, first.line));
    for (std::size_t i = 1; i < left.rows.size(); ++i) {
        const StoredOperation& stored = left.rows[i];
        // Places below any later arrival's.
        TRY(
            db_->run("INSERT INTO op(rec, ord, run, seq, arrived, line) "
                     "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                     rec, i, stored.run, stored.seq, stored.arrived, stored.line));
    }
    Applied applied;
    return refold(*row, left, applied);
}

Result<void> SqliteIndex::retract_kept(const WriterState& state, const domain::Writer& writer,
                                       std::uint64_t seq) {
    TRY_ASSIGN(Rows rows, db_->query("SELECT seq, line FROM kept WHERE writer = ?1 AND seq >= ?2",
                                     state.row, seq));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) break;
        const domain::OperationId id{writer, static_cast<std::uint64_t>(rows.integer(0))};
        totals_.operations_digest.remove(domain::operation_hash(id, rows.text(1)));
        --totals_.operations;
    }
    return db_->run("DELETE FROM kept WHERE writer = ?1 AND seq >= ?2", state.row, seq);
}

}  // namespace dutybook::store
