#pragma once
// Reading the index from any thread: a few read-only connections, lent one read at a time. Each
// read sees one snapshot and waits for a free connection alone, and for what before_reads() names.

#include "store/index_records.h"

#include <condition_variable>
#include <mutex>

namespace dutybook::store {

// One connection and what reads through it. One thread at a time.
class ReadConnection {
public:
    static Result<std::unique_ptr<ReadConnection>> open(const std::string& path);

    Result<std::optional<StoredRecord>> get(std::string_view id);
    Result<Page> list(const Query& query);  // index_query.cpp
    Result<std::vector<std::string>> by_prefix(std::string_view prefix, std::size_t limit);
    Result<std::vector<IndexReader::OperationRow>> operations(std::string_view record);
    Result<std::vector<std::string>> taken(std::span<const std::string> ids);
    Result<std::vector<StoredRecord>> conflicts(const std::string& after, std::size_t limit);
    Result<IndexCounts> counts();
    Result<std::string> digest();
    Result<std::string> operations_digest();
    Result<domain::Frontier> frontier();
    Result<std::vector<std::string>> referring(std::string_view id, std::size_t limit);
    Result<std::vector<Verdict>> verdicts_of(std::string_view record);
    Result<Judged> judged();
    Result<Unjudged> unjudged(const std::string& kind, std::span<const std::string> plugin_digests,
                              const std::string& after, std::size_t limit);
    Result<std::vector<FindingPlace>> findings(const std::string& from, const std::string& rule,
                                               std::size_t limit);
    Result<std::vector<std::string>> judged_with(std::string_view id);
    Result<IndexPoint> point();
    Result<std::vector<std::string>> changed_since(const IndexPoint& point);
    Result<IndexPoint> judged_upto(std::string_view space);

    Database& db() { return *db_; }
    void forget_rows() { records_.forget_runs(); }

private:
    explicit ReadConnection(std::unique_ptr<Database> db) : db_(std::move(db)), records_(*db_) {}
    Result<Page> search(const Query& query);

    std::unique_ptr<Database> db_;
    RecordTable records_;
};

class ReaderPool final : public IndexReader {
public:
    explicit ReaderPool(std::string path) : path_(std::move(path)) {}

    Result<std::optional<StoredRecord>> get(std::string_view id) override;
    Result<Page> list(const Query& query) override;
    Result<std::vector<std::string>> by_prefix(std::string_view prefix, std::size_t limit) override;
    Result<std::vector<OperationRow>> operations(std::string_view record) override;
    Result<std::vector<StoredRecord>> conflicts(const std::string& after,
                                                std::size_t limit) override;
    Result<IndexCounts> counts() override;
    Result<std::string> digest() override;
    Result<std::string> operations_digest() override;
    Result<domain::Frontier> frontier() override;
    Result<std::vector<std::string>> referring(std::string_view id, std::size_t limit) override;
    Result<std::vector<Verdict>> verdicts_of(std::string_view record) override;
    Result<Judged> judged() override;
    Result<Unjudged> unjudged(const std::string& kind, std::span<const std::string> plugin_digests,
                              const std::string& after, std::size_t limit) override;
    Result<std::vector<FindingPlace>> findings(const std::string& from, const std::string& rule,
                                               std::size_t limit) override;
    Result<std::vector<std::string>> judged_with(std::string_view id) override;
    Result<IndexPoint> point() override;
    Result<std::vector<std::string>> changed_since(const IndexPoint& point) override;
    Result<IndexPoint> judged_upto(std::string_view space) override;

    // Which of these ids are in what is committed.
    Result<std::vector<std::string>> taken(std::span<const std::string> ids);
    // Set before there are readers.
    void before_reads(std::function<void()> wait) { before_reads_ = std::move(wait); }

    // Waits for the reads under way, closes the connections; later reads are Unavailable.
    void close();
    // Connections forget what they remember of rows that are changed in place.
    void forget_rows();

private:
    template <class Read>
    auto with_connection(Read read) -> decltype(read(std::declval<ReadConnection&>()));
    Result<std::unique_ptr<ReadConnection>> borrow(std::uint64_t& generation);
    void give_back(std::unique_ptr<ReadConnection> connection, std::uint64_t generation);

    template <class Read>
    auto shown(Read read) -> decltype(read(std::declval<ReadConnection&>()));

    const std::string path_;
    std::function<void()> before_reads_;
    std::mutex mutex_;
    std::condition_variable returned_;
    // Protected by mutex_:
    std::vector<std::unique_ptr<ReadConnection>> free_;
    std::size_t lent_ = 0;
    std::uint64_t generation_ = 0;
    bool closed_ = false;
};

}  // namespace dutybook::store
