#pragma once
// Rows of records and their operations, read through one connection. Used by the index's writer
// and by its readers, each with an object of its own.

#include "store/index.h"
#include "store/sqlite.h"

#include <unordered_map>

namespace dutybook::store {

struct StoredOperation {
    std::int64_t run = 0;
    std::uint64_t seq = 0;
    Millis arrived = 0;
    std::string line;
};

struct RecordRow {
    std::int64_t rec = 0;
    std::string id;
    std::optional<std::int64_t> bucket;  // kind * 2 + deleted; none while unborn
    std::int64_t effective = 0;
    std::int64_t conflicts = 0;
    std::uint64_t changed = 0;
    StoredOperation first;
    std::string state;  // empty: the fold of `first`

    bool deleted() const { return bucket && (*bucket & 1) != 0; }
};

struct RunRow {
    domain::Writer writer;
    CommitId segment;
    std::int64_t frontier = 0;
};

// The operations of a record, ready for the fold. Not to be copied: `known` points into it.
struct History {
    std::vector<StoredOperation> rows;
    std::vector<domain::Operation> operations;
    std::vector<std::shared_ptr<const domain::Frontier>> frontiers;

    std::vector<domain::Known> known() const;
};

class RecordTable {
public:
    explicit RecordTable(Database& db) : db_(db) {}

    Result<std::optional<RecordRow>> by_id(std::string_view id);
    Result<std::optional<RecordRow>> by_rec(std::int64_t rec);
    Result<domain::RecordState> state(const RecordRow& row);
    Result<StoredRecord> stored(const RecordRow& row);
    // In order of arrival.
    Result<History> history(const RecordRow& row);
    Result<RunRow> run(std::int64_t id);
    Result<std::shared_ptr<const domain::Frontier>> frontier(std::int64_t id);
    // Rows of runs were changed.
    void forget_runs() { runs_.clear(); }

private:
    Result<std::optional<RecordRow>> read(Result<Rows> rows);

    Database& db_;
    // Bounded: thrown away whole when they have grown too large.
    std::unordered_map<std::int64_t, RunRow> runs_;
    std::unordered_map<std::int64_t, std::shared_ptr<const domain::Frontier>> frontiers_;
};

domain::RecordState fold_one(const domain::Operation& operation);

}  // namespace dutybook::store
