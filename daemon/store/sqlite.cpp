#include "store/sqlite.h"

#include "store/sqlite_sums.h"

#include <sqlite3.h>

#include <cerrno>

namespace dutybook::store {
namespace {

std::string file_of(sqlite3* db) {
    const char* name = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
    return name != nullptr && *name != '\0' ? name : "the database";
}

bool out_of_space(sqlite3* db, int primary) {
    if (primary == SQLITE_FULL) return true;
    const int system = db != nullptr ? sqlite3_system_errno(db) : 0;
    return primary == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT);
}

Code code_of(int primary) {
    switch (primary) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Code::Corrupt;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Code::Unavailable;
        case SQLITE_CONSTRAINT:
            return Code::Exists;
        case SQLITE_TOOBIG:
            return Code::TooLarge;
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_READONLY:
        case SQLITE_NOMEM:
            return Code::Io;
        default:
            return Code::Internal;
    }
}

// The message is copied here: SQLite overwrites it at its next call.
Error error_of(sqlite3* db, int status) {
    const int primary = status & 0xff;
    std::string why = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(status);
    const std::string file = file_of(db);
    if (out_of_space(db, primary)) {
        return failure(Code::Full, "cannot write " + file, "the disk is full",
                       "free some space and try again");
    }
    const Code code = status == SQLITE_IOERR_DATA ? Code::Corrupt : code_of(primary);
    if (status == SQLITE_IOERR_DATA) why = "a page of it is not what was written";
    switch (code) {
        case Code::Corrupt:
            return failure(code, file + " is damaged", std::move(why));
        case Code::Unavailable:
            return failure(code, file + " is in use", std::move(why), "try again");
        case Code::Io:
            if (const int system = db != nullptr ? sqlite3_system_errno(db) : 0; system != 0) {
                why += " (errno " + std::to_string(system) + ")";
            }
            return failure(code, "cannot read or write " + file, std::move(why),
                           "check the disk and the file's permissions");
        default:
            return failure(code, "a statement failed on " + file, std::move(why));
    }
}

}  // namespace

Rows::Rows(Rows&& other) noexcept
    : db_(other.db_), statement_(other.statement_), spare_(other.spare_) {
    other.statement_ = nullptr;
}

Rows::~Rows() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    spare_->push_back(statement_);
}

Result<bool> Rows::next() {
    const int status = sqlite3_step(statement_);
    if (status == SQLITE_ROW) return true;
    if (status == SQLITE_DONE) return false;
    return error_of(db_, status);
}

std::int64_t Rows::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string_view Rows::text(int column) const {
    const void* bytes = sqlite3_column_blob(statement_, column);
    if (bytes == nullptr) return {};
    return {static_cast<const char*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Rows::null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Mode mode) {
    start_page_sums();
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= mode == Mode::Read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (mode == Mode::Create) flags |= SQLITE_OPEN_CREATE;
    sqlite3* db = nullptr;
    const int status = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
    std::unique_ptr<Database> result(new Database(db));
    if (status != SQLITE_OK) return error_of(db, status);
    sqlite3_busy_timeout(db, 5000);
    // A file from elsewhere must not run functions of its own through its schema.
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    return result;
}

void Database::forget_statements() {
    for (auto& [sql, spare] : kept_) {
        for (sqlite3_stmt* statement : spare) sqlite3_finalize(statement);
        spare.clear();
    }
}

Database::~Database() {
    forget_statements();
    sqlite3_close_v2(db_);
}

Result<Rows> Database::take(std::string_view sql) {
    auto place = kept_.find(sql);
    if (place == kept_.end()) place = kept_.emplace(std::string(sql), Rows::Spare{}).first;
    Rows::Spare& spare = place->second;
    if (!spare.empty()) {
        sqlite3_stmt* statement = spare.back();
        spare.pop_back();
        return Rows(db_, statement, &spare);
    }
    sqlite3_stmt* statement = nullptr;
    const int status = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (status != SQLITE_OK) return error_of(db_, status);
    return Rows(db_, statement, &spare);
}

Result<void> Database::script(const char* sql) {
    const int status = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    if (status != SQLITE_OK) return error_of(db_, status);
    return {};
}

void Database::bind(Rows& rows, int place, std::string_view text, bool copy) {
    // A null pointer would bind NULL, not the empty string.
    const char* bytes = text.data() != nullptr ? text.data() : "";
    sqlite3_bind_text64(rows.statement_, place, bytes, text.size(),
                        copy ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
}

void Database::bind(Rows& rows, int place, const Blob& blob, bool copy) {
    const char* bytes = blob.bytes.data() != nullptr ? blob.bytes.data() : "";
    sqlite3_bind_blob64(rows.statement_, place, bytes, blob.bytes.size(),
                        copy ? SQLITE_TRANSIENT : SQLITE_STATIC);
}

void Database::bind(Rows& rows, int place, std::nullptr_t, bool) {
    sqlite3_bind_null(rows.statement_, place);
}

void Database::bind_integer(Rows& rows, int place, std::int64_t value) {
    sqlite3_bind_int64(rows.statement_, place, value);
}

std::int64_t Database::changes() const {
    return sqlite3_changes64(db_);
}
std::int64_t Database::last_rowid() const {
    return sqlite3_last_insert_rowid(db_);
}
bool Database::in_transaction() const {
    return sqlite3_get_autocommit(db_) == 0;
}

Result<void> Database::checkpoint() {
    const int status =
        sqlite3_wal_checkpoint_v2(db_, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    // Busy: a reader still looks at old pages. Nothing is lost; the next one does it.
    if (status != SQLITE_OK && (status & 0xff) != SQLITE_BUSY) return error_of(db_, status);
    return {};
}

Result<void> Database::set_cache(std::int64_t kib) {
    return script(("PRAGMA cache_size = -" + std::to_string(kib)).c_str());
}

void Database::keep_wal_on_close(bool keep) {
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

void Database::shrink() {
    sqlite3_db_release_memory(db_);
}

Result<Transaction> Transaction::begin(Database& db) {
    TRY(db.run("BEGIN IMMEDIATE"));
    return Transaction(db);
}

Result<Transaction> Transaction::begin_reading(Database& db) {
    TRY(db.run("BEGIN"));
    return Transaction(db);
}

Transaction::~Transaction() {
    // Some errors (a full disk among them) have rolled back already; then this has nothing to do.
    if (db_ != nullptr && db_->in_transaction()) (void)db_->run("ROLLBACK");
}

Result<void> Transaction::commit() {
    TRY(db_->run("COMMIT"));
    db_ = nullptr;
    return {};
}

}  // namespace dutybook::store
