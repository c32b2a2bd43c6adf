#include "store/index_reader.h"

#include "base/json.h"

namespace dutybook::store {
namespace {

constexpr std::size_t connections = 8;
constexpr std::int64_t cache_kib = 1024;  // of each

// One row, one column that must be there.
Result<std::string> one_text(Database& db, std::string_view sql) {
    TRY_ASSIGN(auto value, db.string(sql));
    if (!value) return failure(Code::Corrupt, "the index is damaged", "its totals are missing");
    return std::move(*value);
}

}  // namespace

Result<std::unique_ptr<ReadConnection>> ReadConnection::open(const std::string& path) {
    TRY_ASSIGN(auto db, Database::open(path, Database::Mode::Read));
    TRY(db->set_cache(cache_kib));
    return std::unique_ptr<ReadConnection>(new ReadConnection(std::move(db)));
}

Result<std::optional<StoredRecord>> ReadConnection::get(std::string_view id) {
    TRY_ASSIGN(const auto row, records_.by_id(id));
    if (!row || !row->bucket) return std::optional<StoredRecord>{};
    TRY_ASSIGN(StoredRecord record, records_.stored(*row));
    return std::optional<StoredRecord>{std::move(record)};
}

Result<std::vector<std::string>> ReadConnection::by_prefix(std::string_view prefix,
                                                           std::size_t limit) {
    std::vector<std::string> ids;
    // No id holds a character as high as DEL.
    TRY_ASSIGN(Rows rows, db_->query("SELECT id FROM record WHERE id >= ?1 AND id < ?2 "
                                     "AND bucket IS NOT NULL ORDER BY id LIMIT ?3",
                                     prefix, std::string(prefix) + '\x7f', limit));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return ids;
        ids.emplace_back(rows.text(0));
    }
}

Result<std::vector<IndexReader::OperationRow>> ReadConnection::operations(std::string_view record) {
    std::vector<IndexReader::OperationRow> operations;
    TRY_ASSIGN(const auto row, records_.by_id(record));
    if (!row) return operations;
    TRY_ASSIGN(History history, records_.history(*row));
    for (std::size_t i = 0; i < history.rows.size(); ++i) {
        TRY_ASSIGN(const RunRow run, records_.run(history.rows[i].run));
        operations.push_back({std::move(history.operations[i]), *history.frontiers[i],
                              history.rows[i].arrived, run.segment});
    }
    return operations;
}

Result<std::vector<std::string>> ReadConnection::taken(std::span<const std::string> ids) {
    std::vector<std::string> found;
    for (const std::string& id : ids) {
        TRY_ASSIGN(const auto rec, db_->number("SELECT rec FROM record WHERE id = ?1", id));
        if (rec) found.push_back(id);
    }
    return found;
}

Result<std::vector<StoredRecord>> ReadConnection::conflicts(const std::string& after,
                                                            std::size_t limit) {
    std::vector<StoredRecord> records;
    TRY_ASSIGN(Rows rows, db_->query("SELECT rec FROM record WHERE conflicts > 0 AND id > ?1 "
                                     "ORDER BY id LIMIT ?2",
                                     after, limit));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return records;
        TRY_ASSIGN(const auto row, records_.by_rec(rows.integer(0)));
        if (!row) continue;
        TRY_ASSIGN(StoredRecord record, records_.stored(*row));
        records.push_back(std::move(record));
    }
}

Result<IndexCounts> ReadConnection::counts() {
    TRY_ASSIGN(Rows rows,
               db_->query("SELECT records, operations, conflicts FROM totals WHERE one = 1"));
    TRY_ASSIGN(const bool found, rows.next());
    if (!found) return failure(Code::Corrupt, "the index is damaged", "its totals are missing");
    return IndexCounts{static_cast<std::uint64_t>(rows.integer(0)),
                       static_cast<std::uint64_t>(rows.integer(1)),
                       static_cast<std::uint64_t>(rows.integer(2))};
}

Result<std::string> ReadConnection::digest() {
    return one_text(*db_, "SELECT digest FROM totals WHERE one = 1");
}

Result<std::string> ReadConnection::operations_digest() {
    return one_text(*db_, "SELECT operations_digest FROM totals WHERE one = 1");
}

Result<domain::Frontier> ReadConnection::frontier() {
    domain::Frontier frontier;
    TRY_ASSIGN(Rows rows, db_->query("SELECT name, shown, segment FROM writer WHERE shown > 0"));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return frontier;
        frontier.advance(std::string(rows.text(0)), static_cast<std::uint64_t>(rows.integer(1)),
                         std::string(rows.text(2)));
    }
}

Result<std::vector<std::string>> ReadConnection::referring(std::string_view id, std::size_t limit) {
    std::vector<std::string> ids;
    TRY_ASSIGN(Rows rows, db_->query("SELECT DISTINCT r.id FROM field_value v "
                                     "JOIN record r ON r.rec = v.rec "
                                     "WHERE v.field IN (SELECT id FROM field WHERE refers = 1) "
                                     "AND v.value = ?1 AND r.bucket & 1 = 0 LIMIT ?2",
                                     canonical(Json(id)), limit));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return ids;
        ids.emplace_back(rows.text(0));
    }
}

template <class Read>
auto ReaderPool::with_connection(Read read) -> decltype(read(std::declval<ReadConnection&>())) {
    using Outcome = decltype(read(std::declval<ReadConnection&>()));
    std::uint64_t generation = 0;
    TRY_ASSIGN(auto connection, borrow(generation));
    const auto in_snapshot = [&]() -> Outcome {
        TRY_ASSIGN(const Transaction snapshot, Transaction::begin_reading(connection->db()));
        return read(*connection);
    };
    Outcome outcome = in_snapshot();
    give_back(std::move(connection), generation);
    return outcome;
}

template <class Read>
auto ReaderPool::shown(Read read) -> decltype(read(std::declval<ReadConnection&>())) {
    if (before_reads_) before_reads_();
    return with_connection(std::move(read));
}

Result<std::unique_ptr<ReadConnection>> ReaderPool::borrow(std::uint64_t& generation) {
    std::unique_ptr<ReadConnection> connection;
    {
        std::unique_lock lock(mutex_);
        returned_.wait(lock, [&] { return closed_ || !free_.empty() || lent_ < connections; });
        if (closed_) return failure(Code::Unavailable, "the index is closed");
        ++lent_;
        generation = generation_;
        if (!free_.empty()) {
            connection = std::move(free_.back());
            free_.pop_back();
        }
    }
    if (connection) return connection;
    auto opened = ReadConnection::open(path_);
    if (!opened) give_back(nullptr, generation);
    return opened;
}

void ReaderPool::give_back(std::unique_ptr<ReadConnection> connection, std::uint64_t generation) {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (connection) {
        if (generation != generation_) connection->forget_rows();
        free_.push_back(std::move(connection));
    }
    returned_.notify_all();
}

void ReaderPool::forget_rows() {
    const std::lock_guard lock(mutex_);
    ++generation_;
    for (const auto& connection : free_) connection->forget_rows();
}

void ReaderPool::close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    returned_.notify_all();
    returned_.wait(lock, [&] { return lent_ == 0; });
    free_.clear();
}

Result<std::optional<StoredRecord>> ReaderPool::get(std::string_view id) {
    return shown([&](ReadConnection& c) { return c.get(id); });
}
Result<Page> ReaderPool::list(const Query& query) {
    return shown([&](ReadConnection& c) { return c.list(query); });
}
Result<std::vector<std::string>> ReaderPool::by_prefix(std::string_view prefix, std::size_t limit) {
    return shown([&](ReadConnection& c) { return c.by_prefix(prefix, limit); });
}
Result<std::vector<IndexReader::OperationRow>> ReaderPool::operations(std::string_view record) {
    return shown([&](ReadConnection& c) { return c.operations(record); });
}
Result<std::vector<std::string>> ReaderPool::taken(std::span<const std::string> ids) {
    return with_connection([&](ReadConnection& c) { return c.taken(ids); });
}
Result<std::vector<StoredRecord>> ReaderPool::conflicts(const std::string& after,
                                                        std::size_t limit) {
    return shown([&](ReadConnection& c) { return c.conflicts(after, limit); });
}
Result<IndexCounts> ReaderPool::counts() {
    return shown([](ReadConnection& c) { return c.counts(); });
}
Result<std::string> ReaderPool::digest() {
    return shown([](ReadConnection& c) { return c.digest(); });
}
Result<std::string> ReaderPool::operations_digest() {
    return shown([](ReadConnection& c) { return c.operations_digest(); });
}
Result<domain::Frontier> ReaderPool::frontier() {
    return shown([](ReadConnection& c) { return c.frontier(); });
}
Result<std::vector<std::string>> ReaderPool::referring(std::string_view id, std::size_t limit) {
    return shown([&](ReadConnection& c) { return c.referring(id, limit); });
}
Result<std::vector<Verdict>> ReaderPool::verdicts_of(std::string_view record) {
    return shown([&](ReadConnection& c) { return c.verdicts_of(record); });
}
Result<Judged> ReaderPool::judged() {
    return shown([](ReadConnection& c) { return c.judged(); });
}
Result<Unjudged> ReaderPool::unjudged(const std::string& kind,
                                      std::span<const std::string> plugin_digests,
                                      const std::string& after, std::size_t limit) {
    return shown([&](ReadConnection& c) { return c.unjudged(kind, plugin_digests, after, limit); });
}
Result<std::vector<FindingPlace>> ReaderPool::findings(const std::string& from,
                                                       const std::string& rule, std::size_t limit) {
    return shown([&](ReadConnection& c) { return c.findings(from, rule, limit); });
}
Result<std::vector<std::string>> ReaderPool::judged_with(std::string_view id) {
    return shown([&](ReadConnection& c) { return c.judged_with(id); });
}
Result<IndexPoint> ReaderPool::point() {
    return shown([](ReadConnection& c) { return c.point(); });
}
Result<std::vector<std::string>> ReaderPool::changed_since(const IndexPoint& point) {
    return shown([&](ReadConnection& c) { return c.changed_since(point); });
}
Result<IndexPoint> ReaderPool::judged_upto(std::string_view space) {
    return shown([&](ReadConnection& c) { return c.judged_upto(space); });
}

}  // namespace dutybook::store
