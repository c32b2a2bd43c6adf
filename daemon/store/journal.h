#pragma once
// The journal: the acknowledgement. A site's own operations of one space, durable before they are
// answered, kept until they are sealed, elsewhere and 30 days old. Never rebuilt from anything.
//
// journal.db (SQLite, WAL, synchronous=FULL), tables:
//   operation(writer, seq, line, frontier, chain)  chain = BLAKE2b(previous chain, line): damage
//                                                  in the middle is found, not skipped
//   frontier(id, text)      each distinct frontier once
//   answer(key, text, at)   idempotency keys of clients and what was answered, kept 7 days
//   seal(...)               one row a segment: everything that decides its bytes, then its commit
//   writer(writer, opened, current, ...)   one is current
//   meta(key, value)
//
// One thread at a time (the space's writer thread).

#include "store/segment.h"

#include <functional>
#include <memory>
#include <span>

namespace dutybook::store {

struct JournalLine {
    domain::OperationId id;
    std::string line;
};
struct Answer {
    std::string key, text;
};

struct SealRow {
    std::int64_t id = 0;   // of the row, 0 before it is planned
    SegmentHeader header;  // fixes space, writer, volume, range, previous, epoch, codec, time
    domain::Frontier frontier;
    std::optional<Millis> next_heard;
    CommitId commit;  // empty until the segment is in the log and was read back
    std::uint64_t blob_bytes = 0;
};

class Journal {
public:
    virtual ~Journal() = default;

    // One transaction; durable when it returns. Lines must follow the writer's last without a gap.
    // Code::Full, Code::Io: nothing of it is kept.
    virtual Result<void> append(std::span<const JournalLine> lines,
                                const domain::Frontier& frontier, std::span<const Answer> answers,
                                Millis now) = 0;
    virtual Result<std::optional<std::string>> answered(const std::string& key) = 0;

    virtual domain::Writer current_writer() const = 0;  // empty in a new journal
    // Opens a writer and makes it current, in one transaction with the reissued lines (which may
    // be under different frontiers, oldest first).
    struct Reissue {
        std::string line;
        domain::Frontier frontier;
    };
    virtual Result<void> open_writer(const domain::Writer& writer,
                                     std::span<const Reissue> reissued, Millis now) = 0;
    virtual std::vector<domain::Writer> writers() const = 0;
    virtual std::uint64_t last_seq(std::string_view writer) const = 0;  // 0 = none

    // Lines of a writer with seq >= from, in order, each with its frontier. Stops on false.
    using Visit = std::function<bool(const JournalLine&, const domain::Frontier&)>;
    virtual Result<void> visit(const domain::Writer& writer, std::uint64_t from,
                               const Visit& visit) = 0;

    // The seal, in two steps around the log's append: plan (durable), then finish.
    virtual Result<SealRow> plan_seal(SealRow row) = 0;
    virtual Result<void> finish_seal(std::int64_t id, const CommitId& commit,
                                     std::uint64_t blob_bytes) = 0;
    virtual Result<std::optional<SealRow>> unfinished_seal() = 0;
    virtual Result<std::optional<SealRow>> last_seal(std::string_view writer) = 0;  // finished
    virtual std::uint64_t sealed_upto(std::string_view writer) const = 0;
    virtual Result<std::optional<SealRow>> find_seal(const CommitId& commit) = 0;

    // Forget lines up to seq (sealed, elsewhere, old); the chain goes on from what was cut.
    virtual Result<void> forget(const domain::Writer& writer, std::uint64_t upto) = 0;
    // Walks the chain; Code::Corrupt names the first operation that does not fit.
    virtual Result<void> check() = 0;

    virtual Result<std::string> meta(const std::string& key) = 0;  // empty if absent
    virtual Result<void> set_meta(const std::string& key, const std::string& value) = 0;
};

Result<std::unique_ptr<Journal>> open_sqlite_journal(const std::string& path);

}  // namespace dutybook::store
