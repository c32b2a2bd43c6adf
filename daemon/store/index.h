#pragma once
// The index: all operations of one space, the records and conflicts that the fold makes of them,
// and what is needed to find them. Disposable: deleted at any time, a rebuild from log and journal
// gives the same digest. SQLite, WAL, synchronous=OFF; a stored marker tells whether the last run
// ended cleanly with the file it has.
//
// `Index` is for the space's writer thread; `IndexReader` is for any thread and never blocks it
// (a pool of read connections, each read in one snapshot). Both show whatever follow() was given.

#include "store/journal.h"

#include "domain/digest.h"
#include "domain/fold.h"
#include "domain/history.h"
#include "domain/kind.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace dutybook::store {

// What is known already of a line: the index then does none of it again.
struct KnownLine {
    const domain::Operation* operation = nullptr;  // as read_operation() gives it; null: not known
    const domain::RecordState* alone = nullptr;    // the fold of it by itself
    std::optional<Hash> hash{};                    // of that fold
};

// Operations of one writer under one frontier, as they stand in a segment or the journal's tail.
struct Run {
    domain::Writer writer;
    std::uint64_t first = 1;
    const domain::Frontier* frontier = nullptr;
    std::span<const std::string> lines;
    CommitId segment;  // empty for the journal's tail
    Millis arrived = 0;
    std::span<const KnownLine> known{};  // of each line, or none
};

// A verdict of the rules on one subject as it is shown (a row; its absence is "unchecked"): it goes
// when the record changes. Opaque to the index but for what it is found by.
struct Verdict {
    struct Found {
        std::string id, rule;
        Hash hash{};  // member of the digest of findings
    };
    std::string record, version, plugin_digest;
    std::string findings;            // canonical JSON array
    std::vector<std::string> reads;  // ids of records that it looked at (backward edges)
    std::vector<Found> found{};
};

// What this site has just made durable.
struct OwnRun {
    domain::Writer writer;
    std::uint64_t first = 1;
    domain::Frontier frontier;
    std::vector<std::string> lines;
    Millis arrived = 0;
    std::vector<domain::Operation> operations{};  // that `known` points to
    std::vector<KnownLine> known{};               // of each line, or none
    std::vector<Verdict> verdicts{};
};

struct Applied {
    std::vector<std::string> records;  // that changed
    std::uint64_t operations = 0;      // newly held (duplicates are not counted)
    std::vector<domain::OperationId> malformed;
    std::optional<domain::OperationId> newer;  // the log waits there: "update needed"
    bool lying_frontier = false;
    domain::Hlc last_hlc;  // greatest seen
};

struct StoredRecord {
    domain::RecordState state;
    std::string version;
    std::uint64_t changed_order = 0;  // grows with every change here; for events and cursors
};

// Every member has a default, so that a query can be written as {.kind = "core.duty", .limit = 5}.
struct Query {
    std::string kind{};  // empty = all kinds
    // Field, canonical JSON: the field has the value, or is a set or array that contains it.
    std::vector<std::pair<std::string, std::string>> where{};
    std::string parent{};  // "id" as a value finds "parent/id" too, as references are written
    std::optional<Millis> since{}, until{};  // effective instant (or creation), [since, until)
    std::optional<std::string> since_date{}, until_date{};  // for kinds with a calendar date
    std::string text{};    // full-text words, all must match; "word*" matches its beginnings
    bool deleted = false;  // deleted ones too
    std::string
        after{};  // cursor of the page before; Code::Malformed if it is not one of this list
    std::size_t limit = 100;
};
struct Page {
    std::vector<StoredRecord> records;
    std::string next;  // empty = the last page
};

// How far an index had come: which one (a rebuild may have replaced it since), and the greatest
// `changed_order` that it had given.
struct IndexPoint {
    std::string index{};
    std::uint64_t order = 0;
    bool operator==(const IndexPoint&) const = default;
};

// Counts for status.
struct IndexCounts {
    std::uint64_t records = 0, operations = 0, conflicts = 0;
};

// How far the rules have come.
struct Judged {
    std::map<std::string, std::uint64_t> living{};  // records by kind
    // By kind and plugin's digest.
    std::map<std::pair<std::string, std::string>, std::uint64_t> verdicts{};
    std::string findings_digest{};  // each content of each finding once
};
struct Unjudged {
    std::vector<std::string> records{};
    std::string next{};  // empty = the last page
};
// Which record's verdict tells of a finding.
struct FindingPlace {
    std::string id, rule, record;
};

class IndexReader {
public:
    virtual ~IndexReader() = default;
    virtual Result<std::optional<StoredRecord>> get(std::string_view id) = 0;
    virtual Result<Page> list(const Query& query) = 0;
    // Up to `limit` ids that begin with the prefix.
    virtual Result<std::vector<std::string>> by_prefix(std::string_view prefix,
                                                       std::size_t limit) = 0;
    // All operations of a record in order of arrival, with their frontiers.
    struct OperationRow {
        domain::Operation operation;
        domain::Frontier frontier;
        Millis arrived = 0;
        CommitId segment;
    };
    virtual Result<std::vector<OperationRow>> operations(std::string_view record) = 0;
    virtual Result<std::vector<StoredRecord>> conflicts(const std::string& after,
                                                        std::size_t limit) = 0;
    virtual Result<IndexCounts> counts() = 0;
    virtual Result<std::string> digest() = 0;  // of records and conflicts
    virtual Result<std::string> operations_digest() = 0;
    virtual Result<domain::Frontier> frontier() = 0;  // what is applied and shown
    // Records whose field holds the id (declared references), for rules and people.
    virtual Result<std::vector<std::string>> referring(std::string_view id, std::size_t limit) = 0;
    virtual Result<std::vector<Verdict>> verdicts_of(std::string_view record) = 0;
    virtual Result<Judged> judged() = 0;
    // Living records of a kind that lack a verdict of one of the digests.
    virtual Result<Unjudged> unjudged(const std::string& kind,
                                      std::span<const std::string> plugin_digests,
                                      const std::string& after, std::size_t limit) = 0;
    // By id, from this one on, of one rule or of all (empty); up to `limit` different ids.
    virtual Result<std::vector<FindingPlace>> findings(const std::string& from,
                                                       const std::string& rule,
                                                       std::size_t limit) = 0;
    // Records whose verdict looked at this one, sorted: the backward edges of what was judged.
    virtual Result<std::vector<std::string>> judged_with(std::string_view id) = 0;
    virtual Result<IndexPoint> point() = 0;
    // Records that changed after the point; all of them, if it is one of another index. Walks
    // through every record.
    virtual Result<std::vector<std::string>> changed_since(const IndexPoint& point) = 0;
    // What set_judged_upto() said last; empty before.
    virtual Result<IndexPoint> judged_upto(std::string_view space) = 0;
};

class Index {
public:
    virtual ~Index() = default;

    // One bounded transaction: stores operations, folds every touched record again, keeps digest,
    // conflicts, search and frontier. Runs must follow what is applied of their writer without a
    // gap (an earlier part is skipped as a duplicate); a gap is Code::Conflict.
    virtual Result<Applied> apply(std::span<const Run> runs) = 0;
    // Takes in what was written here and what the rules said of it, now or a little later. An
    // error, which may be that of an earlier run: what was given since the last success is not
    // taken in.
    virtual Result<void> follow(OwnRun run);
    // The error of what was to be taken in later, told once.
    virtual Result<void> followed() { return {}; }
    // Which of these ids an operation names.
    virtual Result<std::vector<std::string>> taken(std::span<const std::string> ids) = 0;
    // Late indexes: between begin_bulk and end_bulk secondary indexes and full text are off and
    // are built at the end (full text in slices: true = more to do, as for fields that rules or a
    // schema look up since a short while).
    virtual Result<void> begin_bulk() = 0;
    virtual Result<void> end_bulk() = 0;
    virtual Result<bool> catch_up_search(std::size_t records) = 0;

    virtual domain::Frontier frontier() const = 0;
    // Operations kept but not folded because they are newer than this version: per writer, first.
    virtual std::vector<domain::OperationId> waiting() const = 0;
    // Throws away what is held of a writer from seq on (fork switched) and folds again. Gives the
    // records that changed, those that are gone included.
    virtual Result<std::vector<std::string>> retract_from(const domain::Writer& writer,
                                                          std::uint64_t seq) = 0;

    virtual Result<void> put_verdicts(std::span<const Verdict> verdicts) = 0;
    virtual Result<void> drop_verdicts(std::span<const std::string> records) = 0;
    // Those of other plugins go.
    virtual Result<void> keep_verdicts_of(std::span<const std::string> plugin_digests) = 0;
    // The verdicts here reflect what changed in a space (this one, or its parent) up to this point.
    virtual Result<void> set_judged_upto(std::string_view space, const IndexPoint& point) = 0;

    virtual IndexReader& reader() = 0;
    // What each read of reader() does first.
    virtual void before_reads(std::function<void()> wait) = 0;
    virtual Result<void> check() = 0;  // integrity and digest recomputed from records
    virtual Result<void> close_cleanly() = 0;
};

// Code::Corrupt if the file is damaged, of another version, or was not the one last used with this
// space: the caller deletes it and rebuilds.
Result<std::unique_ptr<Index>> open_sqlite_index(const std::string& path,
                                                 const domain::KindCatalog& kinds);
// The same index with a thread of its own, on which it follows (index_write_behind.h).
std::unique_ptr<Index> write_behind(std::unique_ptr<Index> index);
Result<void> delete_index(const std::string& path);

}  // namespace dutybook::store
