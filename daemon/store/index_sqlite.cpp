#include "store/index_sqlite.h"

namespace dutybook::store {

Result<std::unique_ptr<Index>> open_sqlite_index(const std::string& path,
                                                 const domain::KindCatalog& kinds) {
    return SqliteIndex::open(path, kinds);
}

SqliteIndex::SqliteIndex(std::string path, std::unique_ptr<Database> db,
                         const domain::KindCatalog& kinds)
    : path_(std::move(path)),
      db_(std::move(db)),
      catalog_(kinds),
      records_(*db_),
      readers_(std::make_unique<ReaderPool>(path_)) {}

SqliteIndex::~SqliteIndex() {
    readers_->close();
}

Result<std::unique_ptr<Index>> SqliteIndex::open(const std::string& path,
                                                 const domain::KindCatalog& kinds) {
    TRY_ASSIGN(auto db, open_index_file(path));
    std::unique_ptr<SqliteIndex> index(new SqliteIndex(path, std::move(db), kinds));
    TRY(index->load());
    // What an earlier version could not read, and kinds whose schema has changed meanwhile.
    const auto caught_up = index->transact([&]() -> Result<void> {
        Batch batch;
        std::deque<std::string> lines;
        for (auto& [name, state] : index->writers_) {
            if (state.waiting != 0) TRY(index->resume_waiting(name, state, batch, lines));
        }
        TRY(index->fold_batch(batch));
        for (auto& [name, kind] : index->kinds_) TRY(index->kind_of(name));
        return {};
    });
    TRY(caught_up);
    return std::unique_ptr<Index>(std::move(index));
}

Result<void> SqliteIndex::load() {
    TRY_ASSIGN(Rows rows, db_->query("SELECT records, operations, conflicts, ord, digest, "
                                     "operations_digest, findings_digest FROM totals "
                                     "WHERE one = 1"));
    TRY_ASSIGN(const bool found, rows.next());
    if (!found) return failure(Code::Corrupt, path_ + " is damaged", "its totals are missing");
    totals_.records = static_cast<std::uint64_t>(rows.integer(0));
    totals_.operations = static_cast<std::uint64_t>(rows.integer(1));
    totals_.conflicts = static_cast<std::uint64_t>(rows.integer(2));
    totals_.order = static_cast<std::uint64_t>(rows.integer(3));
    const auto digest = domain::Digest::parse(rows.text(4));
    const auto operations_digest = domain::Digest::parse(rows.text(5));
    const auto findings_digest = domain::Digest::parse(rows.text(6));
    if (!digest || !operations_digest || !findings_digest) {
        return failure(Code::Corrupt, path_ + " is damaged", "its digests are unreadable");
    }
    totals_.digest = *digest;
    totals_.operations_digest = *operations_digest;
    totals_.findings_digest = *findings_digest;
    last_frontier_.reset();
    TRY_ASSIGN(const auto searched, db_->number("SELECT value FROM meta WHERE key = 'searched'"));
    searched_ = searched.value_or(everything);
    TRY(load_writers());
    TRY(load_verdicts());
    return load_kinds();
}

Result<void> SqliteIndex::load_writers() {
    writers_.clear();
    changed_writers_.clear();
    TRY_ASSIGN(Rows rows, db_->query("SELECT name, id, held, shown, segment, waiting FROM writer"));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return {};
        WriterState state;
        state.row = rows.integer(1);
        state.held = static_cast<std::uint64_t>(rows.integer(2));
        state.shown = static_cast<std::uint64_t>(rows.integer(3));
        state.segment = rows.text(4);
        state.waiting = static_cast<std::uint64_t>(rows.integer(5));
        writers_.emplace(rows.text(0), std::move(state));
    }
}

Result<void> SqliteIndex::load_kinds() {
    kinds_.clear();
    recounted_kinds_.clear();
    TRY_ASSIGN(Rows rows, db_->query("SELECT k.name, k.id, k.traits, f.name, f.id, f.refers, "
                                     "f.built, k.alive "
                                     "FROM kind k LEFT JOIN field f ON f.kind = k.id"));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return {};
        Kind& kind = kinds_[std::string(rows.text(0))];
        kind.row = rows.integer(1);
        kind.traits = rows.text(2);
        kind.alive = static_cast<std::uint64_t>(rows.integer(7));
        if (rows.null(3)) continue;
        kind.fields[std::string(rows.text(3))] = {rows.integer(4), rows.integer(5) != 0,
                                                  rows.integer(6)};
    }
}

Result<void> SqliteIndex::save() {
    for (const domain::Writer& name : changed_writers_) {
        const WriterState& state = writers_.find(name)->second;
        TRY(
            db_->run("UPDATE writer SET held = ?2, shown = ?3, segment = ?4, waiting = ?5 "
                     "WHERE id = ?1",
                     state.row, state.held, state.shown, state.segment, state.waiting));
    }
    changed_writers_.clear();
    for (const auto& [name, kind] : kinds_) {
        if (!recounted_kinds_.contains(kind.row)) continue;
        TRY(db_->run("UPDATE kind SET alive = ?2 WHERE id = ?1", kind.row, kind.alive));
    }
    recounted_kinds_.clear();
    TRY(save_judged());
    return db_->run(
        "UPDATE totals SET records = ?1, operations = ?2, conflicts = ?3, ord = ?4, "
        "digest = ?5, operations_digest = ?6, bulk = ?7, findings_digest = ?8 WHERE one = 1",
        totals_.records, totals_.operations, totals_.conflicts, totals_.order,
        totals_.digest.text(), totals_.operations_digest.text(), bulk_ ? 1 : 0,
        totals_.findings_digest.text());
}

Result<SqliteIndex::WriterState*> SqliteIndex::writer_state(const domain::Writer& name) {
    changed_writers_.insert(name);
    const auto found = writers_.find(name);
    if (found != writers_.end()) return &found->second;
    TRY(
        db_->run("INSERT INTO writer(name, held, shown, segment, waiting) "
                 "VALUES(?1, 0, 0, '', 0)",
                 name));
    WriterState state;
    state.row = db_->last_rowid();
    return &writers_.emplace(name, state).first->second;
}

Result<std::int64_t> SqliteIndex::intern(const domain::Frontier& frontier) {
    if (last_frontier_ && last_frontier_->first == frontier) return last_frontier_->second;
    const std::string text = frontier.text();
    const Hash hash = blake2b(text);
    const Blob key{{reinterpret_cast<const char*>(hash.data()), 16}};
    TRY_ASSIGN(auto row, db_->number("SELECT id FROM frontier WHERE hash = ?1", key));
    if (!row) {
        TRY(db_->run("INSERT INTO frontier(hash, text) VALUES(?1, ?2)", key, text));
        row = db_->last_rowid();
    }
    last_frontier_ = {frontier, *row};
    return *row;
}

domain::Frontier SqliteIndex::frontier() const {
    domain::Frontier frontier;
    for (const auto& [name, state] : writers_) {
        if (state.shown != 0) frontier.advance(name, state.shown, state.segment);
    }
    return frontier;
}

std::vector<domain::OperationId> SqliteIndex::waiting() const {
    std::vector<domain::OperationId> ids;
    for (const auto& [name, state] : writers_) {
        if (state.waiting != 0) ids.push_back({name, state.waiting});
    }
    return ids;
}

Result<void> SqliteIndex::close_cleanly() {
    if (bulk_) TRY(end_bulk());
    readers_->close();
    TRY(db_->checkpoint());
    db_->forget_statements();
    db_->keep_wal_on_close(false);
    db_ = nullptr;
    return mark_index_clean(path_);
}

}  // namespace dutybook::store
