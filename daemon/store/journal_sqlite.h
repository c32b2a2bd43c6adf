#pragma once
// The journal in SQLite: what stands in the file, and how it is guarded.
//
//   writer(id, name, opened, current, cut_seq, cut_chain)
//       cut_seq, cut_chain: the last operation that was forgotten, 0 and the root if none
//   frontier(id, text)            each distinct frontier once
//   operation(writer, seq, line, frontier, chain)
//       chain = BLAKE2b("dutybook.journal", chain of seq - 1 | BLAKE2b(frontier text) | line); the
//       root is BLAKE2b("dutybook.journal", writer's name)
//   answer(key, text, at)
//   seal(id, writer, ..., frontier, next_heard, commit_id, blob_bytes)
//       commit_id is NULL until the segment was read back
//   meta(key, value)
//
// Beside journal.db stands journal.db.head: for each writer one line "<writer> <seq> <chain hex>",
// the last operation that was planned into a segment, and "blake2b <hash of the lines above>". It
// is outside of SQLite, so that a journal that lost its write-ahead log, or was put back from an
// older copy, is found at the next start. One that is missing or damaged is made again and noted
// (base/kept_file.h). While the journal is open journal.db.last names the last operation that was
// acknowledged (journal_last.h).
// The log of SQLite itself is checked frame by frame before it is used (sqlite_wal.h), the pages of
// the file have sums (sqlite_sums.h) from user_version 2 on; a journal of version 1 gets them when
// it is opened.
//
// A journal whose head file is there but whose database is not is Corrupt, not new.

#include "store/journal.h"
#include "store/journal_last.h"
#include "store/sqlite.h"

#include "base/crypto.h"

#include <map>

namespace dutybook::store {

// The meta key that core sets at a clean stop and clears at a start.
inline constexpr const char* left_in_order_key = "left-in-order";

class SqliteJournal final : public Journal {
public:
    // What is done about the sums of the pages when the file is opened: all are compared, the
    // caller compared every byte already (a page is still looked at when it is read), none is ever.
    enum class Pages : std::uint8_t { Compared, Known, AsTheyAre };
    static Result<std::unique_ptr<SqliteJournal>> open(const std::string& path,
                                                       Pages pages = Pages::Compared);
    // Every byte of the file; the rest of check() is the chain.
    Result<void> check_pages();

    Result<void> append(std::span<const JournalLine> lines, const domain::Frontier& frontier,
                        std::span<const Answer> answers, Millis now) override;
    Result<std::optional<std::string>> answered(const std::string& key) override;
    domain::Writer current_writer() const override { return current_; }
    Result<void> open_writer(const domain::Writer& writer, std::span<const Reissue> reissued,
                             Millis now) override;
    std::vector<domain::Writer> writers() const override;
    std::uint64_t last_seq(std::string_view writer) const override;
    Result<void> visit(const domain::Writer& writer, std::uint64_t from,
                       const Visit& visit) override;
    Result<SealRow> plan_seal(SealRow row) override;
    Result<void> finish_seal(std::int64_t id, const CommitId& commit,
                             std::uint64_t blob_bytes) override;
    Result<std::optional<SealRow>> unfinished_seal() override;
    Result<std::optional<SealRow>> last_seal(std::string_view writer) override;
    std::uint64_t sealed_upto(std::string_view writer) const override;
    Result<std::optional<SealRow>> find_seal(const CommitId& commit) override;
    Result<void> forget(const domain::Writer& writer, std::uint64_t upto) override;
    Result<void> check() override;
    Result<std::string> meta(const std::string& key) override;
    Result<void> set_meta(const std::string& key, const std::string& value) override;

private:
    struct WriterState {
        std::int64_t row = 0;
        std::uint64_t last = 0;    // seq of the last operation
        Hash chain{};              // of that one
        std::uint64_t sealed = 0;  // last operation in a finished seal
    };
    using Writers = std::map<domain::Writer, WriterState, std::less<>>;
    // The frontier most writes are made under: looked up once.
    struct LastFrontier {
        domain::Frontier frontier;
        std::int64_t row = 0;
        Hash hash{};
    };

    SqliteJournal(std::string path, std::unique_ptr<Database> db, Pages pages)
        : path_(std::move(path)), db_(std::move(db)), pages_(pages) {}

    Result<void> load();
    Result<void> load_writer(const domain::Writer& name, std::int64_t row, std::uint64_t cut,
                             const Hash& cut_chain);
    // journal_check.cpp. `summed`: the head file has its own hash (from version 2 on).
    Result<void> compare_head(bool summed);
    Result<void> make_head_again(bool was_there);
    Result<void> write_head(const domain::Writer& writer, std::uint64_t seq, const Hash& chain);
    Result<Hash> chain_at(const domain::Writer& writer, std::uint64_t seq);
    Result<void> compare_last();
    Error damaged(const std::string& why) const;
    Error lost(const std::string& writer, std::uint64_t held, std::uint64_t head) const;

    Result<LastFrontier> intern(const domain::Frontier& frontier);
    Result<void> insert(WriterState& state, std::span<const std::string_view> lines,
                        const LastFrontier& frontier);
    Result<void> put_answers(std::span<const Answer> answers, Millis now);
    Result<void> check_writer(const domain::Writer& name, const WriterState& state,
                              const std::map<std::int64_t, Hash>& frontiers);
    Result<std::optional<SealRow>> read_seal(Result<Rows> rows);

    std::string path_;
    std::unique_ptr<Database> db_;
    const Pages pages_;
    Writers writers_;
    domain::Writer current_;
    std::optional<LastFrontier> last_frontier_;
    std::optional<LastAcknowledged> last_acknowledged_;  // while there is a writer
    Millis purged_ = 0;                                  // when old answers were last deleted
};

// Pages in order, with their sums.
Result<void> write_journal_anew(Database& db);
// Whatever stands in the place of the head file is replaced, a folder moved aside.
Result<void> put_head_file(const std::string& journal, const std::string& text);

}  // namespace dutybook::store
