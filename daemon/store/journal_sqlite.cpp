#include "store/journal_sqlite.h"

#include "store/journal_chain.h"
#include "store/sqlite_sums.h"
#include "store/sqlite_wal.h"

#include "base/file.h"
#include "base/kept_file.h"
#include "base/log.h"

#include <array>

namespace dutybook::store {
namespace {

constexpr int schema_version = 2;
constexpr int version_without_sums = 1;
constexpr Millis answers_kept = 7LL * 24 * 3600 * 1000;
constexpr Millis purge_every = 3600LL * 1000;

constexpr const char* schema = R"(
CREATE TABLE writer(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, opened INTEGER NOT NULL,
    current INTEGER NOT NULL, cut_seq INTEGER NOT NULL DEFAULT 0, cut_chain BLOB NOT NULL);
CREATE TABLE frontier(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE operation(writer INTEGER NOT NULL, seq INTEGER NOT NULL, line TEXT NOT NULL,
    frontier INTEGER NOT NULL, chain BLOB NOT NULL, PRIMARY KEY(writer, seq)) WITHOUT ROWID;
CREATE TABLE answer(key TEXT PRIMARY KEY, text TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE seal(id INTEGER PRIMARY KEY, writer TEXT NOT NULL, format INTEGER NOT NULL,
    codec TEXT NOT NULL, space TEXT NOT NULL, volume INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, previous TEXT NOT NULL, epoch INTEGER NOT NULL, time INTEGER NOT NULL,
    frontier INTEGER NOT NULL, next_heard INTEGER, commit_id TEXT, blob_bytes INTEGER);
CREATE INDEX seal_writer ON seal(writer, id);
CREATE INDEX seal_commit ON seal(commit_id);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 2;
)";

Result<void> make_schema(Database& db, const std::string& path) {
    TRY_ASSIGN(Transaction transaction, Transaction::begin(db));
    TRY(db.script(schema));
    TRY(transaction.commit());
    // The file's name must survive a power loss as well as its content.
    return sync_directory(fs::path(path).parent_path());
}

// What was acknowledged and is missing is told by compare_last().
void tell_end(WalEnd end, const std::string& wal) {
    if (end == WalEnd::Torn) {
        note_healed(
            {wal,
             "its end does not fit its sums: the power went while it was written, or it was "
             "damaged since",
             "left out; what was acknowledged and is missing is told beside this"});
    }
    if (end == WalEnd::Unfinished) {
        log_info("store", "the process ended while it wrote; what was not acknowledged is left out",
                 {{"file", wal}});
    }
}

constexpr std::size_t rows_at_once = 16;

std::string rows_of(std::size_t count) {
    std::string sql = "INSERT INTO operation(writer, seq, line, frontier, chain) VALUES";
    for (std::size_t i = 0; i < count; ++i) sql += i == 0 ? "(?,?,?,?,?)" : ",(?,?,?,?,?)";
    return sql;
}

Error out_of_place(std::string_view writer, std::uint64_t expected, std::uint64_t got) {
    return failure(Code::Conflict, "cannot append to the journal",
                   std::string(writer) + " goes on at " + std::to_string(expected) + ", not at " +
                       std::to_string(got));
}

}  // namespace

Result<std::unique_ptr<Journal>> open_sqlite_journal(const std::string& path) {
    TRY_ASSIGN(auto journal, SqliteJournal::open(path));
    return std::unique_ptr<Journal>(std::move(journal));
}

Result<void> write_journal_anew(Database& db) {
    TRY(give_page_sums(db));
    TRY(db.script("VACUUM"));
    TRY(db.script(("PRAGMA user_version = " + std::to_string(schema_version)).c_str()));
    return db.checkpoint();
}

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(const std::string& path, Pages pages) {
    TRY_ASSIGN(const WalEnd end, check_wal(path + "-wal"));
    tell_end(end, path + "-wal");
    TRY_ASSIGN(auto db, Database::open(path, Database::Mode::Create));
    if (pages == Pages::AsTheyAre) ignore_page_sums(*db);
    const auto before = pages == Pages::Compared ? check_page_sums(*db) : Result<void>{};
    TRY(give_page_sums(*db));
    TRY(
        db->script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                   "PRAGMA journal_size_limit = 16777216"));
    // Empties the write-ahead log, as check_wal() asks for.
    TRY(db->checkpoint());
    TRY_ASSIGN(const auto held, db->number("PRAGMA user_version"));
    const auto version = held.value_or(0);
    if (version > schema_version) {
        if (has_page_sums(*db)) TRY(check_page_sums(*db));
        return failure(Code::NewerFormat, path + " was written by a newer Dutybook", {},
                       "install the newer version again");
    }
    if (version == 0) {
        std::error_code ignored;
        if (fs::exists(path + ".head", ignored)) {
            return failure(Code::Corrupt, path + " or " + path + "-wal is missing or empty",
                           "its head file says that it held operations",
                           "restore the store from a backup, or accept the loss by moving " + path +
                               ".head away");
        }
        TRY(make_schema(*db, path));
    }
    std::unique_ptr<SqliteJournal> journal(new SqliteJournal(path, std::move(db), pages));
    TRY(journal->load());
    TRY(journal->compare_head(version != version_without_sums));
    if (version == version_without_sums) TRY(write_journal_anew(*journal->db_));
    if (!before && version == schema_version && journal->check_pages())
        note_healed({path, before.error().why, "written again from its write-ahead log"});
    if (pages != Pages::AsTheyAre) TRY(journal->compare_last());
    return journal;
}

Result<void> SqliteJournal::load() {
    struct Row {
        std::string name;
        std::int64_t id;
        bool current;
        std::uint64_t cut;
        Hash cut_chain;
    };
    std::vector<Row> found;
    TRY_ASSIGN(Rows rows,
               db_->query("SELECT name, id, current, cut_seq, cut_chain FROM writer ORDER BY id"));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) break;
        TRY_ASSIGN(const Hash chain, hash_from(rows.text(4)));
        found.push_back({std::string(rows.text(0)), rows.integer(1), rows.integer(2) != 0,
                         static_cast<std::uint64_t>(rows.integer(3)), chain});
    }
    for (const Row& row : found) {
        TRY(load_writer(row.name, row.id, row.cut, row.cut_chain));
        if (row.current) current_ = row.name;
    }
    return {};
}

Result<void> SqliteJournal::load_writer(const domain::Writer& name, std::int64_t row,
                                        std::uint64_t cut, const Hash& cut_chain) {
    WriterState state{row, cut, cut_chain, 0};
    TRY_ASSIGN(Rows last, db_->query("SELECT seq, chain FROM operation WHERE writer = ?1 "
                                     "ORDER BY seq DESC LIMIT 1",
                                     row));
    TRY_ASSIGN(const bool found, last.next());
    if (found) {
        state.last = static_cast<std::uint64_t>(last.integer(0));
        TRY_ASSIGN(state.chain, hash_from(last.text(1)));
    }
    TRY_ASSIGN(const auto sealed,
               db_->number("SELECT max(last) FROM seal WHERE writer = ?1 AND commit_id IS NOT NULL",
                           name));
    state.sealed = static_cast<std::uint64_t>(sealed.value_or(0));
    writers_[name] = state;
    return {};
}

Result<SqliteJournal::LastFrontier> SqliteJournal::intern(const domain::Frontier& frontier) {
    if (last_frontier_ && last_frontier_->frontier == frontier) return *last_frontier_;
    const std::string text = frontier.text();
    LastFrontier interned{frontier, 0, blake2b(text)};
    TRY(db_->run("INSERT OR IGNORE INTO frontier(text) VALUES(?1)", text));
    TRY_ASSIGN(const auto row, db_->number("SELECT id FROM frontier WHERE text = ?1", text));
    interned.row = row.value_or(0);
    return interned;
}

// Behind the last one. Several rows a statement: that spares a third of the insert.
Result<void> SqliteJournal::insert(WriterState& state, std::span<const std::string_view> lines,
                                   const LastFrontier& frontier) {
    static const std::string many = rows_of(rows_at_once), one = rows_of(1);
    while (!lines.empty()) {
        const auto part = lines.first(lines.size() < rows_at_once ? 1 : rows_at_once);
        std::array<Hash, rows_at_once> chains;
        TRY(db_->run_with(part.size() == 1 ? one : many, [&](auto bind) {
            for (std::size_t i = 0; i < part.size(); ++i) {
                state.chain = chains[i] = next_chain(state.chain, frontier.hash, part[i]);
                bind(state.row);
                bind(++state.last);
                bind(part[i]);
                bind(frontier.row);
                bind(Blob{view_of(chains[i])});
            }
        }));
        lines = lines.subspan(part.size());
    }
    return {};
}

Result<void> SqliteJournal::put_answers(std::span<const Answer> answers, Millis now) {
    for (const Answer& answer : answers) {
        // The first answer stands: it is what the client was told.
        TRY(db_->run("INSERT OR IGNORE INTO answer(key, text, at) VALUES(?1, ?2, ?3)", answer.key,
                     answer.text, now));
    }
    if (now - purged_ >= purge_every || now < purged_) {
        TRY(db_->run("DELETE FROM answer WHERE at < ?1", now - answers_kept));
        purged_ = now;
    }
    return {};
}

Result<void> SqliteJournal::append(std::span<const JournalLine> lines,
                                   const domain::Frontier& frontier,
                                   std::span<const Answer> answers, Millis now) {
    auto write = [&]() -> Result<void> {
        if (current_.empty()) return failure(Code::Conflict, "the journal has no writer yet");
        WriterState state = writers_.find(current_)->second;
        TRY_ASSIGN(Transaction transaction, Transaction::begin(*db_));
        TRY_ASSIGN(const LastFrontier interned, intern(frontier));
        std::vector<std::string_view> texts;
        texts.reserve(lines.size());
        for (const JournalLine& line : lines) {
            if (line.id.writer != current_) {
                return failure(Code::Conflict, "cannot append to the journal",
                               line.id.writer + " is not its current writer");
            }
            const std::uint64_t next = state.last + texts.size() + 1;
            if (line.id.seq != next) return out_of_place(current_, next, line.id.seq);
            texts.push_back(line.line);
        }
        TRY(insert(state, texts, interned));
        TRY(put_answers(answers, now));
        TRY(transaction.commit());
        writers_.find(current_)->second = state;
        last_frontier_ = interned;
        if (last_acknowledged_) last_acknowledged_->put({current_, state.last});
        return {};
    };
    auto written = write();
    // What a failed commit left in the write-ahead log must not be there when the next one goes
    // behind it (see sqlite_wal.h).
    if (!written && written.error().code != Code::Conflict) (void)db_->checkpoint();
    return written;
}

Result<std::optional<std::string>> SqliteJournal::answered(const std::string& key) {
    return db_->string("SELECT text FROM answer WHERE key = ?1", key);
}

Result<void> SqliteJournal::open_writer(const domain::Writer& writer,
                                        std::span<const Reissue> reissued, Millis now) {
    if (writers_.contains(writer)) {
        return failure(Code::Exists, "cannot open writer " + writer, "the journal has it already");
    }
    // Before the writer, so that one without its line has lost it.
    if (reissued.empty()) TRY(write_head(writer, 0, root_chain(writer)));
    TRY_ASSIGN(Transaction transaction, Transaction::begin(*db_));
    TRY(db_->run("UPDATE writer SET current = 0"));
    WriterState state{0, 0, root_chain(writer), 0};
    TRY(db_->run("INSERT INTO writer(name, opened, current, cut_chain) VALUES(?1, ?2, 1, ?3)",
                 writer, now, Blob{view_of(state.chain)}));
    state.row = db_->last_rowid();
    for (const Reissue& again : reissued) {
        TRY_ASSIGN(const LastFrontier interned, intern(again.frontier));
        const std::string_view line = again.line;
        TRY(insert(state, {&line, 1}, interned));
    }
    TRY(transaction.commit());
    writers_[writer] = state;
    current_ = writer;
    TRY_ASSIGN(last_acknowledged_, LastAcknowledged::make(path_, {writer, state.last}));
    return reissued.empty() ? Result<void>{} : write_head(writer, state.last, state.chain);
}

std::vector<domain::Writer> SqliteJournal::writers() const {
    std::vector<domain::Writer> names;
    for (const auto& [name, state] : writers_) names.push_back(name);
    return names;
}

std::uint64_t SqliteJournal::last_seq(std::string_view writer) const {
    const auto found = writers_.find(writer);
    return found == writers_.end() ? 0 : found->second.last;
}

Result<void> SqliteJournal::visit(const domain::Writer& writer, std::uint64_t from,
                                  const Visit& visit) {
    const auto found = writers_.find(writer);
    if (found == writers_.end()) return {};
    TRY_ASSIGN(Rows rows, db_->query("SELECT o.seq, o.line, o.frontier, f.text FROM operation o "
                                     "JOIN frontier f ON f.id = o.frontier "
                                     "WHERE o.writer = ?1 AND o.seq >= ?2 ORDER BY o.seq",
                                     found->second.row, from));
    std::int64_t frontier_row = -1;
    domain::Frontier frontier;
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return {};
        if (rows.integer(2) != frontier_row) {
            TRY_ASSIGN(frontier, domain::Frontier::parse(rows.text(3)));
            frontier_row = rows.integer(2);
        }
        const JournalLine line{{writer, static_cast<std::uint64_t>(rows.integer(0))},
                               std::string(rows.text(1))};
        if (!visit(line, frontier)) return {};
    }
}

Result<void> SqliteJournal::forget(const domain::Writer& writer, std::uint64_t upto) {
    const auto found = writers_.find(writer);
    if (found == writers_.end()) return {};
    const WriterState& state = found->second;
    if (upto > state.sealed) {
        return failure(Code::Conflict, "cannot forget operations of the journal",
                       writer + " is sealed up to " + std::to_string(state.sealed) + " only");
    }
    TRY_ASSIGN(Transaction transaction, Transaction::begin(*db_));
    TRY(
        db_->run("UPDATE writer SET cut_seq = ?2, cut_chain = (SELECT chain FROM operation "
                 "WHERE writer = ?1 AND seq = ?2) WHERE id = ?1 AND EXISTS(SELECT 1 FROM "
                 "operation WHERE writer = ?1 AND seq = ?2)",
                 state.row, upto));
    if (db_->changes() == 0) return {};  // forgotten before
    TRY(db_->run("DELETE FROM operation WHERE writer = ?1 AND seq <= ?2", state.row, upto));
    TRY(
        db_->run("DELETE FROM frontier WHERE id NOT IN "
                 "(SELECT frontier FROM operation UNION SELECT frontier FROM seal)"));
    TRY(transaction.commit());
    last_frontier_.reset();
    return {};
}

Result<std::string> SqliteJournal::meta(const std::string& key) {
    TRY_ASSIGN(auto value, db_->string("SELECT value FROM meta WHERE key = ?1", key));
    return value.value_or("");
}

Result<void> SqliteJournal::set_meta(const std::string& key, const std::string& value) {
    return db_->run("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)", key, value);
}

}  // namespace dutybook::store
