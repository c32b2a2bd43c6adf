#include "store/index_file.h"

#include "store/index.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"
#include "store/sqlite_wal.h"

#include <sys/stat.h>

namespace dutybook::store {
namespace {

constexpr int format_version = 4;
constexpr std::size_t index_name_bytes = 10;
constexpr const char* unknown_boot = "unknown";

constexpr const char* schema = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE totals(one INTEGER PRIMARY KEY, records INTEGER NOT NULL, operations INTEGER NOT NULL,
    conflicts INTEGER NOT NULL, ord INTEGER NOT NULL, digest TEXT NOT NULL,
    operations_digest TEXT NOT NULL, bulk INTEGER NOT NULL, findings_digest TEXT NOT NULL);
CREATE TABLE writer(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, held INTEGER NOT NULL,
    shown INTEGER NOT NULL, segment TEXT NOT NULL, waiting INTEGER NOT NULL);
CREATE TABLE frontier(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE TABLE run(id INTEGER PRIMARY KEY, writer INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, frontier INTEGER NOT NULL, segment TEXT NOT NULL);
CREATE INDEX run_place ON run(writer, first);
CREATE TABLE kind(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, traits TEXT NOT NULL,
    alive INTEGER NOT NULL);
CREATE TABLE field(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL,
    refers INTEGER NOT NULL, built INTEGER NOT NULL, UNIQUE(kind, name));
CREATE TABLE record(rec INTEGER PRIMARY KEY, id TEXT NOT NULL, bucket INTEGER,
    effective INTEGER NOT NULL, conflicts INTEGER NOT NULL, changed INTEGER NOT NULL,
    run INTEGER NOT NULL, seq INTEGER NOT NULL, arrived INTEGER NOT NULL, line TEXT NOT NULL,
    state BLOB);
CREATE UNIQUE INDEX record_id ON record(id);
CREATE TABLE op(rec INTEGER NOT NULL, ord INTEGER NOT NULL, run INTEGER NOT NULL,
    seq INTEGER NOT NULL, arrived INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY(rec, ord)) WITHOUT ROWID;
CREATE TABLE kept(writer INTEGER NOT NULL, seq INTEGER NOT NULL, run INTEGER NOT NULL,
    arrived INTEGER NOT NULL, waiting INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY(writer, seq)) WITHOUT ROWID;
CREATE TABLE field_value(field INTEGER NOT NULL, value TEXT NOT NULL, effective INTEGER NOT NULL,
    rec INTEGER NOT NULL);
CREATE VIRTUAL TABLE search USING fts5(text, content='', detail=none, columnsize=0,
    tokenize="unicode61 remove_diacritics 2");
CREATE TABLE plugin(id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE);
CREATE TABLE verdict(rec INTEGER NOT NULL, plugin INTEGER NOT NULL, kind INTEGER NOT NULL,
    version TEXT NOT NULL, findings TEXT NOT NULL, reads TEXT NOT NULL,
    PRIMARY KEY(rec, plugin)) WITHOUT ROWID;
CREATE TABLE verdict_read(read INTEGER NOT NULL, rec INTEGER NOT NULL,
    PRIMARY KEY(read, rec)) WITHOUT ROWID;
CREATE TABLE judged(kind INTEGER NOT NULL, plugin INTEGER NOT NULL, verdicts INTEGER NOT NULL,
    PRIMARY KEY(kind, plugin)) WITHOUT ROWID;
CREATE TABLE finding(id TEXT NOT NULL, hash BLOB NOT NULL, rec INTEGER NOT NULL,
    plugin INTEGER NOT NULL, rule TEXT NOT NULL, PRIMARY KEY(id, hash, rec, plugin)) WITHOUT ROWID;
CREATE INDEX finding_record ON finding(rec);
)";

Error untrusted(const std::string& path, const std::string& why) {
    return failure(Code::Corrupt, path + " cannot be trusted", why,
                   "it is rebuilt from the log and the journal");
}

std::string clean_mark(const std::string& path) {
    return path + ".clean";
}

std::string boot_id() {
    const auto text = read_file("/proc/sys/kernel/random/boot_id", 100);
    return text ? *text : unknown_boot;
}

Result<std::string> identity_of(const std::string& path, bool with_content) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return failure(Code::Io, "cannot look at " + path);
    std::string text = std::to_string(info.st_dev) + " " + std::to_string(info.st_ino);
    if (!with_content) return text;
    text += " " + std::to_string(info.st_size);
    for (const timespec& time : {info.st_mtim, info.st_ctim}) {
        text += " " + std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec);
    }
    return text;
}

bool not_empty(const std::string& path) {
    std::error_code none;
    const auto size = fs::file_size(path, none);
    return !none && size > 0;
}

Result<void> set_meta(Database& db, std::string_view key, std::string_view value) {
    return db.run("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)", key, value);
}

Result<std::string> get_meta(Database& db, std::string_view key) {
    TRY_ASSIGN(auto value, db.string("SELECT value FROM meta WHERE key = ?1", key));
    return value.value_or("");
}

Result<void> make_tables(Database& db) {
    TRY_ASSIGN(Transaction transaction, Transaction::begin(db));
    TRY(db.script(schema));
    TRY(create_late_indexes(db));
    const std::string zero = domain::Digest().text();
    TRY(db.run("INSERT INTO totals VALUES(1, 0, 0, 0, 0, ?1, ?1, 0, ?1)", zero));
    TRY(set_meta(db, "format", std::to_string(format_version)));
    TRY(set_meta(db, "fold", std::to_string(domain::fold_version)));
    TRY(set_meta(db, index_name_key, random_base32(index_name_bytes)));
    return transaction.commit();
}

Result<void> check_versions(Database& db, const std::string& path) {
    TRY_ASSIGN(const std::string format, get_meta(db, "format"));
    TRY_ASSIGN(const std::string fold, get_meta(db, "fold"));
    if (format != std::to_string(format_version) || fold != std::to_string(domain::fold_version)) {
        return untrusted(path, "another version of Dutybook made it");
    }
    TRY_ASSIGN(const auto bulk, db.number("SELECT bulk FROM totals WHERE one = 1"));
    if (bulk != 0) return untrusted(path, "a bulk load into it was cut off");
    return {};
}

Result<void> check_last_run(Database& db, const std::string& path) {
    TRY_ASSIGN(const std::string boot, get_meta(db, "boot"));
    TRY_ASSIGN(const std::string file, get_meta(db, "file"));
    TRY_ASSIGN(const std::string identity, identity_of(path, false));
    if (boot == unknown_boot || boot != boot_id()) {
        return untrusted(path, "the machine was restarted while it was in use");
    }
    if (file != identity) return untrusted(path, "it is a copy made while it was in use");
    return {};
}

Result<void> check_file(const std::string& path, bool clean) {
    if (clean) {
        const auto mark = read_file(clean_mark(path));
        if (!mark) return untrusted(path, mark.error().text());
        TRY_ASSIGN(const std::string identity, identity_of(path, true));
        if (*mark != identity) return untrusted(path, "it was changed since it was closed");
    } else if (!not_empty(path + "-wal")) {
        return untrusted(path, "it was in use and its write-ahead log is gone");
    } else {
        TRY(check_wal(path + "-wal"));
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Database>> open_index_file(const std::string& path) {
    std::error_code ignored;
    const bool clean = fs::exists(clean_mark(path), ignored);
    const bool fresh = !fs::exists(path, ignored);
    if (fresh) {
        TRY(delete_index(path));
    } else {
        TRY(check_file(path, clean));
    }
    TRY_ASSIGN(auto db, Database::open(path, Database::Mode::Create));
    db->keep_wal_on_close(true);
    TRY(
        db->script("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; "
                   "PRAGMA secure_delete = OFF; PRAGMA journal_size_limit = 67108864; "
                   "PRAGMA wal_autocheckpoint = 4000; PRAGMA mmap_size = 0"));
    TRY(db->set_cache(index_cache_kib));
    if (fresh) {
        TRY(make_tables(*db));
    } else {
        TRY(check_versions(*db, path));
        if (!clean) TRY(check_last_run(*db, path));
    }
    TRY_ASSIGN(const std::string identity, identity_of(path, false));
    TRY(set_meta(*db, "boot", boot_id()));
    TRY(set_meta(*db, "file", identity));
    // The mark goes before any page of the file itself is written (so far all is in the log).
    if (fs::remove(clean_mark(path), ignored)) TRY(sync_directory(fs::path(path).parent_path()));
    return db;
}

Result<void> mark_index_clean(const std::string& path) {
    TRY(sync_file(path));
    TRY_ASSIGN(const std::string identity, identity_of(path, true));
    return write_file_atomically(clean_mark(path), identity);
}

Result<void> delete_index(const std::string& path) {
    for (const std::string& name : {path, path + "-wal", path + "-shm", clean_mark(path)}) {
        std::error_code error;
        // What somebody put in its place is not ours to delete.
        if (fs::is_directory(name, error)) {
            TRY(move_aside(name));
            continue;
        }
        error.clear();  // of a link that leads round in a circle
        fs::remove(name, error);
        if (error) return failure(Code::Io, "cannot delete " + name, error.message());
    }
    return {};
}

Result<void> create_late_indexes(Database& db) {
    return db.script(
        "CREATE INDEX IF NOT EXISTS record_list ON record(bucket, effective) "
        "WHERE bucket IS NOT NULL;"
        "CREATE INDEX IF NOT EXISTS record_conflict ON record(id) WHERE conflicts > 0;"
        "CREATE INDEX IF NOT EXISTS field_lookup ON field_value(field, value, effective, rec);");
}

Result<void> drop_late_indexes(Database& db) {
    return db.script(
        "DROP INDEX IF EXISTS record_list; DROP INDEX IF EXISTS record_conflict;"
        "DROP INDEX IF EXISTS field_lookup;");
}

}  // namespace dutybook::store
