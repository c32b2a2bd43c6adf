#pragma once
// The index's writer. One transaction an apply(): operations in, touched records folded again,
// digest, conflicts, lookup rows, search and frontier kept in step. What is held in memory is a
// copy of rows (writers, totals, kinds), read again from the file when a transaction fails.

#include "store/index_file.h"
#include "store/index_reader.h"
#include "store/index_records.h"

#include <deque>
#include <limits>
#include <set>
#include <unordered_map>

namespace dutybook::store {

class SqliteIndex final : public Index {
public:
    static Result<std::unique_ptr<Index>> open(const std::string& path,
                                               const domain::KindCatalog& kinds);
    ~SqliteIndex() override;

    Result<Applied> apply(std::span<const Run> runs) override;
    Result<void> begin_bulk() override;
    Result<void> end_bulk() override;
    Result<bool> catch_up_search(std::size_t records) override;
    domain::Frontier frontier() const override;
    std::vector<domain::OperationId> waiting() const override;
    Result<std::vector<std::string>> retract_from(const domain::Writer& writer,
                                                  std::uint64_t seq) override;
    Result<void> put_verdicts(std::span<const Verdict> verdicts) override;
    Result<void> drop_verdicts(std::span<const std::string> records) override;
    Result<void> keep_verdicts_of(std::span<const std::string> plugin_digests) override;
    Result<void> set_judged_upto(std::string_view space, const IndexPoint& point) override;
    Result<std::vector<std::string>> taken(std::span<const std::string> ids) override {
        return readers_->taken(ids);
    }
    IndexReader& reader() override { return *readers_; }
    void before_reads(std::function<void()> wait) override {
        readers_->before_reads(std::move(wait));
    }
    Result<void> check() override;
    Result<void> close_cleanly() override;

private:
    static constexpr std::int64_t everything = std::numeric_limits<std::int64_t>::max();

    struct Totals {
        std::uint64_t records = 0, operations = 0, conflicts = 0;
        std::uint64_t order = 0;  // operations that ever arrived
        domain::Digest digest, operations_digest, findings_digest;
    };
    struct WriterState {
        std::int64_t row = 0;
        std::uint64_t held = 0, shown = 0;
        CommitId segment;           // that holds `shown`
        std::uint64_t waiting = 0;  // first operation of a newer format, 0 = none
        // The last run without a segment, to be made longer instead of repeated.
        struct Tail {
            std::int64_t run = 0, frontier = 0;
            std::uint64_t last = 0;
        } tail;
    };
    struct Field {
        std::int64_t row = 0;
        bool refers = false;
        std::int64_t built = everything;  // has the rows of records up to this rec
    };
    struct Kind {
        std::int64_t row = 0;
        std::string traits;  // fingerprint that the rows were made with
        std::map<std::string, Field> fields;
        std::uint64_t alive = 0;     // records that are not deleted
        std::uint64_t verified = 0;  // transaction in which the fingerprint was compared
        const domain::KindTraits* seen = nullptr;  // then; a catalog that changes gives another
    };
    struct LineRead {
        domain::Operation operation;
        domain::RecordState alone;
    };
    // A line read, which needs no database: done by a second thread in a bulk load.
    struct Prepared {
        domain::Reading reading = domain::Reading::Good;
        std::unique_ptr<LineRead> own;  // null where the caller of apply() knew the line
        KnownLine known;                // points into `own`, or is the caller's
        Hash hash{};                    // member of the digest of operations
    };
    // An operation on its way into the tables.
    struct Arrival {
        std::int64_t run = 0;
        Millis arrived = 0;
        std::string_view line;
        std::unique_ptr<LineRead> own;
        KnownLine known;
        std::shared_ptr<const domain::Frontier> frontier;
        std::uint64_t order = 0;
        const domain::Operation& operation() const { return *known.operation; }
    };
    // What one transaction takes in.
    struct Batch {
        std::vector<Arrival> arrivals;
        Applied applied;
    };
    // A record before and after: everything that can be looked up follows from the two.
    struct Change {
        std::int64_t rec = 0;
        const domain::RecordState* before = nullptr;  // null: not there
        const domain::RecordState* after = nullptr;
        std::int64_t effective_before = 0, effective_after = 0;
        const Hash* hash_after = nullptr;  // if it is known
    };

    SqliteIndex(std::string path, std::unique_ptr<Database> db, const domain::KindCatalog& kinds);

    // index_sqlite.cpp: rows kept in memory
    Result<void> load();
    Result<void> load_writers();
    Result<void> load_kinds();
    Result<void> save();
    // Begins, does, saves what is kept in memory, commits; if anything fails, memory is read
    // again from the file as it was.
    template <class Body>
    auto transact(Body body) -> decltype(body());
    Result<WriterState*> writer_state(const domain::Writer& name);
    Result<std::int64_t> intern(const domain::Frontier& frontier);

    // index_apply.cpp: runs in
    class Ahead;
    // `ready`: its lines, read ahead; empty if they are not.
    Result<void> take_run(const Run& run, std::vector<Prepared> ready, Batch& batch);
    Result<std::int64_t> run_row(const Run& run, WriterState& state, std::uint64_t from);
    Result<void> note_segment(const Run& run, WriterState& state);
    Result<void> take_lines(const Run& run, WriterState& state, std::uint64_t from,
                            std::int64_t run_id, std::vector<Prepared> ready, Batch& batch);
    Result<void> take_line(const Run& run, WriterState& state, std::uint64_t seq, Prepared prepared,
                           std::int64_t run_id,
                           const std::shared_ptr<const domain::Frontier>& frontier, Batch& batch);
    static std::vector<Prepared> prepare(const Run& run, std::uint64_t from, std::uint64_t last,
                                         bool fold);
    static Prepared read_line(const domain::OperationId& id, std::string_view line);
    Result<void> keep(const WriterState& state, std::uint64_t seq, std::int64_t run_id,
                      Millis arrived, bool waits, std::string_view line);
    Result<void> resume_waiting(const domain::Writer& name, WriterState& state, Batch& batch,
                                std::deque<std::string>& lines);
    Result<void> show(WriterState& state, std::uint64_t seq);

    // index_fold.cpp: records folded again
    Result<void> fold_batch(Batch& batch);
    Result<void> fold_record(std::span<const Arrival* const> arrivals, Applied& applied);
    Result<bool> insert_record(std::span<const Arrival* const> arrivals, Applied& applied);
    Result<void> insert_operation(std::int64_t rec, const Arrival& arrival);
    Result<void> refold(const RecordRow& row, const History& history, Applied& applied);
    Result<void> remove_record(const RecordRow& row);
    Result<void> write_change(const Change& change);
    Result<void> count_alive(const domain::RecordState& state, int change);
    Result<std::optional<std::int64_t>> bucket_of(const domain::RecordState& state);

    // index_bulk.cpp
    Result<void> fold_some();

    // index_lookup.cpp: lookup rows and full text
    Result<Kind*> kind_of(const std::string& name);
    Result<void> reindex_kind(const std::string& name, Kind& kind);
    Result<void> change_fields(Kind& kind, const domain::KindTraits* traits);
    Result<bool> build_fields(std::size_t records);
    Result<void> write_values(const Change& change);
    Result<void> write_new_values();
    Result<void> note_search(const Change& change);
    Result<void> write_search();
    Result<void> reset_search();
    Result<void> save_searched();

    // index_verdicts.cpp
    Result<void> load_verdicts();
    Result<void> save_judged();
    Result<std::int64_t> plugin_row(const std::string& digest);
    void count_judged(std::int64_t kind, std::int64_t plugin, int change);
    Result<void> put_verdict(const Verdict& verdict);
    Result<bool> finding_told(std::string_view id, const Hash& hash);
    Result<void> drop_findings(std::int64_t rec, std::optional<std::int64_t> plugin);
    Result<void> drop_verdicts_of(std::int64_t rec);

    // index_retract.cpp
    Result<void> retract_record(std::int64_t rec, const domain::Writer& writer, std::uint64_t seq,
                                std::vector<std::string>& changed);
    Result<void> retract_kept(const WriterState& state, const domain::Writer& writer,
                              std::uint64_t seq);

    // index_check.cpp
    struct Recount;
    Result<void> recount_records(Recount& recount);
    Result<void> recount_kept(Recount& recount);
    Result<void> recount_counters();

    std::string path_;
    std::unique_ptr<Database> db_;
    const domain::KindCatalog& catalog_;
    RecordTable records_;
    std::unique_ptr<ReaderPool> readers_;

    Totals totals_;
    std::map<domain::Writer, WriterState, std::less<>> writers_;
    std::set<domain::Writer> changed_writers_;
    std::map<std::string, Kind> kinds_;
    std::uint64_t transaction_ = 1;
    std::set<std::int64_t> recounted_kinds_;       // rows whose `alive` is to be saved
    std::map<std::string, std::int64_t> plugins_;  // digest -> row
    std::map<std::pair<std::int64_t, std::int64_t>, std::uint64_t> judged_;  // kind, plugin
    std::set<std::pair<std::int64_t, std::int64_t>> changed_judged_;
    std::optional<std::pair<domain::Frontier, std::int64_t>> last_frontier_;
    std::int64_t searched_ = everything;  // full text holds the records up to this rec

    bool bulk_ = false;     // from begin_bulk() to the end of end_bulk()
    bool staging_ = false;  // within it, until the indexes are made: known records are not folded
    std::set<std::int64_t> unfolded_;  // records to fold at the end of it

    struct SearchChange {
        std::int64_t rec = 0;
        std::string before, after;
    };
    std::vector<SearchChange> search_changes_;  // of this transaction
    struct ValueRow {                           // of field_value
        std::int64_t field = 0;
        std::string value;
        std::int64_t effective = 0, rec = 0;
    };
    std::vector<ValueRow> new_values_;  // of this transaction, which changes a record once
};

template <class Body>
auto SqliteIndex::transact(Body body) -> decltype(body()) {
    using Outcome = decltype(body());
    const auto attempt = [&]() -> Outcome {
        TRY_ASSIGN(Transaction transaction, Transaction::begin(*db_));
        Outcome outcome = body();
        if (!outcome) return outcome;
        TRY(write_new_values());
        TRY(write_search());
        TRY(save());
        TRY(transaction.commit());
        ++transaction_;
        return outcome;
    };
    Outcome outcome = attempt();
    if (!outcome) {
        search_changes_.clear();
        new_values_.clear();
        records_.forget_runs();
        TRY(load());
    }
    return outcome;
}

}  // namespace dutybook::store
