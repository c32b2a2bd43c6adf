#include "store/journal_mark.h"

#include "store/journal_sqlite.h"
#include "store/sqlite_sums.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"
#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

namespace dutybook::store {
namespace {

constexpr std::size_t block_bytes = 1 << 20;
constexpr std::size_t most_readers = 4;

struct Mark {
    std::string journal;  // hash
    std::string head;     // text
};

fs::path mark_path(const std::string& path) {
    return path + ".clean";
}

// Blocks `first`, `first` + `step` and so on, each into its place of `hashes`.
bool hash_blocks(const std::string& path, std::size_t first, std::size_t step,
                 std::vector<Hash>& hashes) {
    std::ifstream in(path, std::ios::binary);
    std::string block(block_bytes, '\0');
    for (std::size_t i = first; i < hashes.size(); i += step) {
        in.seekg(static_cast<std::streamoff>(i * block_bytes));
        in.read(block.data(), static_cast<std::streamsize>(block.size()));
        const auto count = static_cast<std::size_t>(in.gcount());
        if (in.bad() || count == 0) return false;
        in.clear();  // the last block is short
        hashes[i] = blake2b(std::string_view(block).substr(0, count));
    }
    return true;
}

// The hash of the hashes of its blocks, so that all processors share the work: half a gigabyte is
// read at each start.
Result<std::string> hash_of_file(const std::string& path) {
    std::error_code failed;
    const std::uintmax_t size = fs::file_size(path, failed);
    if (failed) return failure(Code::Io, "cannot read " + path, failed.message());
    std::vector<Hash> hashes((size + block_bytes - 1) / block_bytes);
    const std::size_t step =
        std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_readers);
    std::vector<std::future<bool>> others;
    for (std::size_t first = 1; first < std::min(step, hashes.size()); ++first) {
        others.push_back(
            std::async(std::launch::async, hash_blocks, path, first, step, std::ref(hashes)));
    }
    bool whole = hash_blocks(path, 0, step, hashes);
    for (auto& other : others) whole = other.get() && whole;
    if (!whole) return failure(Code::Io, "cannot read " + path);
    std::string text = std::to_string(size) + "\n";
    for (const Hash& hash : hashes) {
        text.append(reinterpret_cast<const char*>(hash.data()), hash.size());
    }
    return hex(blake2b(text));
}

std::string head_text(const std::string& path) {
    const auto text = read_file(path + ".head");
    return text ? *text : std::string();
}

std::string lines_of(const Mark& mark) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(mark.head.data());
    return "journal " + mark.journal + "\nhead " + hex({bytes, mark.head.size()}) + "\n";
}

std::string checksum_of(const std::string& lines) {
    return "blake2b " + hex(blake2b(lines)) + "\n";
}

std::string from_hex(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
    }
    return out;
}

std::optional<Mark> read_mark(const std::string& text) {
    const auto last = text.rfind("blake2b ");
    if (last == std::string::npos) return std::nullopt;
    const std::string lines = text.substr(0, last);
    if (checksum_of(lines) != text.substr(last)) return std::nullopt;
    std::istringstream in(lines);
    std::string word, head;
    Mark mark;
    in >> word >> mark.journal >> word >> head;
    mark.head = from_hex(head);
    return mark;
}

// What of a damaged file proves whole: the chain of its operations and the structure of its pages,
// whatever their sums say. Then it is written anew, so that nothing of what changed stays in it.
Result<void> prove(const std::string& path) {
    TRY_ASSIGN(auto journal, SqliteJournal::open(path, SqliteJournal::Pages::AsTheyAre));
    TRY(journal->check());
    journal.reset();
    TRY_ASSIGN(const auto db, Database::open(path, Database::Mode::Write));
    ignore_page_sums(*db);
    TRY_ASSIGN(const auto verdict, db->string("PRAGMA integrity_check(1)"));
    if (verdict.value_or("") != "ok") {
        std::string why = verdict.value_or("no sound page");
        std::ranges::replace(why, '\n', ' ');
        return failure(Code::Corrupt, path + " is damaged", std::move(why));
    }
    return write_journal_anew(*db);
}

Error with_advice(Error error, const std::string& path) {
    if (error.code == Code::Corrupt && error.fix.empty()) {
        error.fix = "keep a copy of " + path + " and restore the store from a backup";
    }
    return error;
}

Result<std::unique_ptr<Journal>> open_proven(const std::string& path,
                                             const std::string& suspicion) {
    if (auto proven = prove(path); !proven) {
        Error error = proven.error();
        if (error.code == Code::Io || error.code == Code::NewerFormat) {
            error = failure(Code::Corrupt, path + " is damaged", suspicion + ": " + error.text());
        }
        return with_advice(std::move(error), path);
    }
    auto journal = open_sqlite_journal(path);
    if (!journal) return with_advice(journal.error(), path);
    note_healed({path, suspicion, "every operation in it proved whole; it was written anew"});
    return journal;
}

// No mark: the last run ended without a clean stop, or somebody took the mark away. Then the sums
// of the pages tell.
Result<std::unique_ptr<Journal>> open_unmarked(const std::string& path) {
    auto journal = SqliteJournal::open(path);
    const auto pages = journal ? (*journal)->check_pages() : journal.error();
    if (!pages && pages.error().code == Code::Corrupt) {
        if (journal) journal->reset();
        return open_proven(path, pages.error().why);
    }
    if (!journal) return with_advice(journal.error(), path);
    TRY_ASSIGN(const std::string left, (*journal)->meta(left_in_order_key));
    if (!left.empty()) {
        log_warning("store", "the mark of a clean stop is missing: the journal is checked whole",
                    {{"file", mark_path(path).string()}});
        TRY((*journal)->check());
    }
    return std::unique_ptr<Journal>(std::move(*journal));
}

using Pages = SqliteJournal::Pages;

Result<std::unique_ptr<Journal>> open_as(const std::string& path, Pages pages) {
    TRY_ASSIGN(auto journal, SqliteJournal::open(path, pages));
    return std::unique_ptr<Journal>(std::move(journal));
}

// A folder, or a link that leads to no file.
bool stands_in_place_of_file(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored)) && !fs::is_regular_file(path, ignored);
}

// SQLite would not say which of its files it is.
Result<void> check_access(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
        const std::string file = path + suffix;
        if (::euidaccess(file.c_str(), R_OK | W_OK) == 0 || errno != EACCES) continue;
        return failure(Code::Io, "cannot open " + file, "this account may not read and write it",
                       "chmod 600 it, or chown it to the account of the daemon");
    }
    return {};
}

// SQLite could not open its files there. What the write-ahead log held is missed as if it were
// gone.
Result<void> clear_places(const std::string& path) {
    std::error_code ignored;
    for (const char* suffix : {"-wal", "-shm"}) {
        const std::string file = path + suffix;
        // SQLite follows no link there.
        if (!stands_in_place_of_file(file) && !fs::is_symlink(file, ignored)) continue;
        TRY(move_aside(file));
        note_healed({file, "something else was in its place", "moved aside"});
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Journal>> open_marked_journal(const std::string& path) {
    std::error_code ignored;
    TRY(clear_places(path));
    TRY(check_access(path));
    if (stands_in_place_of_file(path)) {
        return failure(Code::Corrupt, path + " is no file", "something else is in its place",
                       "move it aside and restore the store from a backup");
    }
    const auto text = read_file(mark_path(path));
    if (!text && text.error().code == Code::NotFound) return open_unmarked(path);
    const auto mark = text ? read_mark(*text) : std::nullopt;
    std::string suspicion;
    bool known = false;
    if (!mark) {
        suspicion =
            "the mark of its clean stop, " + mark_path(path).filename().string() + ", was damaged";
    } else if (fs::exists(path, ignored)) {
        if (head_text(path) != mark->head) {
            TRY(put_head_file(path, mark->head));
            note_healed({path + ".head", "was missing or changed", "made again"});
        }
        TRY_ASSIGN(const std::string hash, hash_of_file(path));
        known = hash == mark->journal;
        if (!known) suspicion = "its bytes changed since it was closed";
    }
    auto journal = suspicion.empty() ? open_as(path, known ? Pages::Known : Pages::Compared)
                                     : open_proven(path, suspicion);
    if (!journal) return with_advice(journal.error(), path);
    fs::remove(mark_path(path), ignored);
    TRY(sync_directory(fs::path(path).parent_path()));
    return journal;
}

Result<void> mark_journal_closed(const std::string& path) {
    TRY_ASSIGN(const std::string hash, hash_of_file(path));
    const std::string lines = lines_of({hash, head_text(path)});
    TRY(write_file_atomically(mark_path(path), lines + checksum_of(lines)));
    std::error_code ignored;
    fs::remove(LastAcknowledged::path_of(path), ignored);
    return {};
}

}  // namespace dutybook::store
