#include "store/index_records.h"

#include "store/index_state.h"

namespace dutybook::store {
namespace {

constexpr std::size_t runs_kept = 2048;
constexpr std::size_t frontiers_kept = 128;

Error unreadable(const std::string& id, const std::string& why) {
    return failure(Code::Corrupt, "a record in the index is damaged", id + ": " + why);
}

}  // namespace

domain::RecordState fold_one(const domain::Operation& operation) {
    static const domain::Frontier none;
    const domain::Known known{&operation, &none};
    return domain::fold({&known, 1});
}

std::vector<domain::Known> History::known() const {
    std::vector<domain::Known> all;
    all.reserve(operations.size());
    for (std::size_t i = 0; i < operations.size(); ++i) {
        all.push_back({&operations[i], frontiers[i].get()});
    }
    return all;
}

Result<std::optional<RecordRow>> RecordTable::read(Result<Rows> found) {
    TRY_ASSIGN(Rows rows, std::move(found));
    TRY_ASSIGN(const bool any, rows.next());
    if (!any) return std::optional<RecordRow>{};
    RecordRow row;
    row.rec = rows.integer(0);
    row.id = rows.text(1);
    if (!rows.null(2)) row.bucket = rows.integer(2);
    row.effective = rows.integer(3);
    row.conflicts = rows.integer(4);
    row.changed = static_cast<std::uint64_t>(rows.integer(5));
    row.first = {rows.integer(6), static_cast<std::uint64_t>(rows.integer(7)), rows.integer(8),
                 std::string(rows.text(9))};
    row.state = rows.text(10);
    return std::optional<RecordRow>{std::move(row)};
}

Result<std::optional<RecordRow>> RecordTable::by_id(std::string_view id) {
    return read(
        db_.query("SELECT rec, id, bucket, effective, conflicts, changed, run, seq, "
                  "arrived, line, state FROM record WHERE id = ?1",
                  id));
}

Result<std::optional<RecordRow>> RecordTable::by_rec(std::int64_t rec) {
    return read(
        db_.query("SELECT rec, id, bucket, effective, conflicts, changed, run, seq, "
                  "arrived, line, state FROM record WHERE rec = ?1",
                  rec));
}

Result<RunRow> RecordTable::run(std::int64_t id) {
    if (const auto found = runs_.find(id); found != runs_.end()) return found->second;
    TRY_ASSIGN(Rows rows, db_.query("SELECT w.name, r.segment, r.frontier FROM run r "
                                    "JOIN writer w ON w.id = r.writer WHERE r.id = ?1",
                                    id));
    TRY_ASSIGN(const bool any, rows.next());
    if (!any) return failure(Code::Corrupt, "a run of operations is missing in the index");
    if (runs_.size() >= runs_kept) runs_.clear();
    RunRow row{std::string(rows.text(0)), CommitId(rows.text(1)), rows.integer(2)};
    return runs_.emplace(id, std::move(row)).first->second;
}

Result<std::shared_ptr<const domain::Frontier>> RecordTable::frontier(std::int64_t id) {
    if (const auto found = frontiers_.find(id); found != frontiers_.end()) return found->second;
    TRY_ASSIGN(const auto text, db_.string("SELECT text FROM frontier WHERE id = ?1", id));
    if (!text) return failure(Code::Corrupt, "a frontier is missing in the index");
    TRY_ASSIGN(domain::Frontier parsed, domain::Frontier::parse(*text));
    if (frontiers_.size() >= frontiers_kept) frontiers_.clear();
    return frontiers_.emplace(id, std::make_shared<const domain::Frontier>(std::move(parsed)))
        .first->second;
}

Result<domain::RecordState> RecordTable::state(const RecordRow& row) {
    if (!row.state.empty()) return decode_state(row.state);
    TRY_ASSIGN(const RunRow from, run(row.first.run));
    const auto read = domain::read_operation(row.first.line, {from.writer, row.first.seq});
    if (read.reading != domain::Reading::Good) return unreadable(row.id, read.why);
    return fold_one(read.operation);
}

Result<StoredRecord> RecordTable::stored(const RecordRow& row) {
    StoredRecord record;
    TRY_ASSIGN(record.state, state(row));
    if (record.state.id != row.id) return unreadable(row.id, "it holds another record");
    record.version = domain::version_of(record.state);
    record.changed_order = row.changed;
    return record;
}

Result<History> RecordTable::history(const RecordRow& row) {
    History history;
    history.rows.push_back(row.first);
    {
        TRY_ASSIGN(Rows rows, db_.query("SELECT run, seq, arrived, line FROM op WHERE rec = ?1 "
                                        "ORDER BY ord",
                                        row.rec));
        while (true) {
            TRY_ASSIGN(const bool more, rows.next());
            if (!more) break;
            history.rows.push_back({rows.integer(0), static_cast<std::uint64_t>(rows.integer(1)),
                                    rows.integer(2), std::string(rows.text(3))});
        }
    }
    for (const StoredOperation& stored : history.rows) {
        TRY_ASSIGN(const RunRow from, run(stored.run));
        auto read = domain::read_operation(stored.line, {from.writer, stored.seq});
        if (read.reading != domain::Reading::Good) return unreadable(row.id, read.why);
        history.operations.push_back(std::move(read.operation));
        TRY_ASSIGN(auto frontier, this->frontier(from.frontier));
        history.frontiers.push_back(std::move(frontier));
    }
    return history;
}

}  // namespace dutybook::store
