#pragma once
// A thin layer over SQLite: RAII, prepared statements kept and used again, errors as Result. One
// Database is one connection and belongs to one thread at a time.
//
//   TRY(db.run("INSERT INTO t VALUES(?1, ?2)", 7, text));
//   TRY_ASSIGN(auto rows, db.query("SELECT a FROM t WHERE b = ?1", text));
//   while (true) {
//       TRY_ASSIGN(const bool more, rows.next());
//       if (!more) break;
//       use(rows.text(0));
//   }
//
// Errors: Full (free some space), Io, Corrupt (also: not a database), Unavailable (locked),
// Exists (a constraint), TooLarge, else Internal.

#include "base/result.h"

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace dutybook::store {

struct Blob {
    std::string_view bytes;
};

// A running statement; goes back to its connection when it dies. Must not outlive the Database.
class Rows {
public:
    Rows(Rows&& other) noexcept;
    Rows& operator=(Rows&&) = delete;
    ~Rows();

    Result<bool> next();  // true: a row stands ready
    std::int64_t integer(int column) const;
    // Text and blobs; valid until next().
    std::string_view text(int column) const;
    bool null(int column) const;

private:
    friend class Database;
    using Spare = std::vector<sqlite3_stmt*>;
    Rows(sqlite3* db, sqlite3_stmt* statement, Spare* spare)
        : db_(db), statement_(statement), spare_(spare) {}

    sqlite3* db_;
    sqlite3_stmt* statement_;
    Spare* spare_;
};

class Database {
public:
    enum class Mode : std::uint8_t { Read, Write, Create };
    static Result<std::unique_ptr<Database>> open(const std::string& path, Mode mode);
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    // Arguments are copied: the rows may outlive them.
    template <class... Arguments>
    Result<Rows> query(std::string_view sql, const Arguments&... arguments) {
        TRY_ASSIGN(Rows rows, take(sql));
        int place = 0;
        (bind(rows, ++place, arguments, true), ...);
        return rows;
    }
    // A statement whose rows, if any, are of no interest.
    template <class... Arguments>
    Result<void> run(std::string_view sql, const Arguments&... arguments) {
        TRY_ASSIGN(Rows rows, take(sql));
        int place = 0;
        (bind(rows, ++place, arguments, false), ...);
        TRY(rows.next());
        return {};
    }
    // The same for any number of arguments: `give` binds them one after the other.
    template <class Give>
    Result<void> run_with(std::string_view sql, const Give& give) {
        TRY_ASSIGN(Rows rows, take(sql));
        give([&rows, place = 0](const auto& argument) mutable {
            bind(rows, ++place, argument, false);
        });
        TRY(rows.next());
        return {};
    }
    // The first column of the first row; nothing if there is no row or it is null.
    template <class... Arguments>
    Result<std::optional<std::int64_t>> number(std::string_view sql,
                                               const Arguments&... arguments) {
        TRY_ASSIGN(Rows rows, query(sql, arguments...));
        TRY_ASSIGN(const bool found, rows.next());
        if (!found || rows.null(0)) return std::optional<std::int64_t>{};
        return std::optional<std::int64_t>{rows.integer(0)};
    }
    template <class... Arguments>
    Result<std::optional<std::string>> string(std::string_view sql, const Arguments&... arguments) {
        TRY_ASSIGN(Rows rows, query(sql, arguments...));
        TRY_ASSIGN(const bool found, rows.next());
        if (!found || rows.null(0)) return std::optional<std::string>{};
        return std::optional<std::string>{std::string(rows.text(0))};
    }
    Result<void> script(const char* sql);  // several statements, no arguments

    std::int64_t changes() const;  // rows of the last statement
    std::int64_t last_rowid() const;
    bool in_transaction() const;
    // Moves the write-ahead log into the file and cuts it to nothing.
    Result<void> checkpoint();
    Result<void> set_cache(std::int64_t kib);
    // Gives page memory back.
    void shrink();
    // Closing leaves the write-ahead log where it is, as a crash would.
    void keep_wal_on_close(bool keep);
    sqlite3* handle() { return db_; }
    // Drops kept statements (needed before the schema changes).
    void forget_statements();

private:
    explicit Database(sqlite3* db) : db_(db) {}
    Result<Rows> take(std::string_view sql);

    static void bind(Rows& rows, int place, std::string_view text, bool copy);
    static void bind(Rows& rows, int place, const Blob& blob, bool copy);
    static void bind(Rows& rows, int place, std::nullptr_t, bool copy);
    static void bind_integer(Rows& rows, int place, std::int64_t value);
    template <std::integral Integer>
    static void bind(Rows& rows, int place, Integer value, bool) {
        bind_integer(rows, place, static_cast<std::int64_t>(value));
    }
    template <class T>
    static void bind(Rows& rows, int place, const std::optional<T>& value, bool copy) {
        if (value) {
            bind(rows, place, *value, copy);
        } else {
            bind(rows, place, nullptr, copy);
        }
    }
    static void bind(Rows& rows, int place, const std::string& text, bool copy) {
        bind(rows, place, std::string_view(text), copy);
    }
    static void bind(Rows& rows, int place, const char* text, bool copy) {
        bind(rows, place, std::string_view(text), copy);
    }

    struct HashText {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    sqlite3* db_;
    std::unordered_map<std::string, Rows::Spare, HashText, std::equal_to<>> kept_;
};

// Rolled back unless committed.
class Transaction {
public:
    static Result<Transaction> begin(Database& db);          // for writing, at once
    static Result<Transaction> begin_reading(Database& db);  // one snapshot
    Transaction(Transaction&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();

private:
    explicit Transaction(Database& db) : db_(&db) {}
    Database* db_;
};

}  // namespace dutybook::store
