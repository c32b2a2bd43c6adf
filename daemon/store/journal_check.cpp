// What finds a damaged journal: the walk along the hash chain, and the head kept outside SQLite.

#include "store/journal_chain.h"
#include "store/journal_sqlite.h"
#include "store/sqlite_sums.h"

#include "base/file.h"
#include "base/kept_file.h"

#include <sstream>

namespace dutybook::store {
namespace {

struct Head {
    std::uint64_t seq = 0;
    std::string chain;  // hex
};
using Heads = std::map<std::string, Head>;

constexpr std::string_view hash_word = "blake2b ";

std::string with_hash(const std::string& lines) {
    return lines + std::string(hash_word) + hex(blake2b(lines)) + "\n";
}

struct HeadFile {
    bool there = false, sound = false;
    Heads heads;
};

HeadFile read_heads(const std::string& path, bool summed) {
    HeadFile out;
    const auto text = read_file(path);
    out.there = text || text.error().code != Code::NotFound;
    if (!text) return out;
    const auto end = summed ? text->rfind(hash_word) : text->size();
    out.sound = !summed || (end != std::string::npos && with_hash(text->substr(0, end)) == *text);
    if (!out.sound) return out;
    std::istringstream lines(text->substr(0, end));
    std::string writer;
    Head head;
    while (lines >> writer >> head.seq >> head.chain) out.heads[writer] = head;
    return out;
}

std::string text_of(const Heads& heads) {
    std::string text;
    for (const auto& [name, head] : heads) {
        text += name + " " + std::to_string(head.seq) + " " + head.chain + "\n";
    }
    return with_hash(text);
}

}  // namespace

Error SqliteJournal::damaged(const std::string& why) const {
    return failure(Code::Corrupt, path_ + " is damaged", why,
                   "keep a copy of it and restore the store from a backup");
}

Error SqliteJournal::lost(const std::string& writer, std::uint64_t held, std::uint64_t head) const {
    return failure(
        Code::Corrupt, path_ + " has lost operations",
        "it holds " + writer + " up to " + std::to_string(held) + ", but up to " +
            std::to_string(head) + " were acknowledged and planned into segments: " + path_ +
            "-wal was cut or emptied, or an older copy was put back",
        "restore the store from a backup, or accept the loss by moving " + path_ + ".head away");
}

Result<void> put_head_file(const std::string& journal, const std::string& text) {
    const std::string path = journal + ".head";
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) TRY(move_aside(path));
    return write_file_atomically(path, text);
}

Result<void> SqliteJournal::compare_head(bool summed) {
    const HeadFile file = read_heads(path_ + ".head", summed);
    if (!file.sound) return make_head_again(file.there);
    for (const auto& [writer, head] : file.heads) {
        const auto found = writers_.find(writer);
        if (found == writers_.end()) {
            if (head.seq == 0) continue;  // a crash before the writer was open
            return lost(writer, 0, head.seq);
        }
        const WriterState& state = found->second;
        if (state.last < head.seq) return lost(writer, state.last, head.seq);
        // The chain of an operation that was forgotten since is not held any more.
        TRY_ASSIGN(const auto chain,
                   db_->string("SELECT chain FROM operation WHERE writer = ?1 AND seq = ?2",
                               state.row, head.seq));
        if (!chain) continue;
        TRY_ASSIGN(const Hash hash, hash_from(*chain));
        if (hex(hash) != head.chain) {
            return damaged(writer + ":" + std::to_string(head.seq) +
                           " is not the operation that was planned into a segment");
        }
    }
    if (summed) return {};
    return put_head_file(path_, text_of(file.heads));
}

Result<void> SqliteJournal::make_head_again(bool was_there) {
    Heads heads;
    for (const auto& [writer, state] : writers_) {
        TRY_ASSIGN(const auto planned,
                   db_->number("SELECT max(last) FROM seal WHERE writer = ?1", writer));
        const auto seq = static_cast<std::uint64_t>(planned.value_or(0));
        TRY_ASSIGN(const Hash chain, chain_at(writer, seq));
        heads[writer] = {seq, hex(chain)};
    }
    if (heads.empty() && !was_there) return {};
    TRY(put_head_file(path_, text_of(heads)));
    note_healed({path_ + ".head", was_there ? "was not what was written" : "was missing",
                 "made again from the journal"});
    return {};
}

// Kept in the journal until core has put back what it can: this file says from now on what is held.
Result<void> SqliteJournal::compare_last() {
    const auto file = LastAcknowledged::read(path_);
    const std::string name = LastAcknowledged::path_of(path_);
    const bool there = !file || *file;
    if (file && *file) {
        const auto& [writer, seq] = **file;
        const auto found = writers_.find(writer);
        if (found == writers_.end() && seq > 0) {
            return failure(
                Code::Corrupt, path_ + " has lost operations",
                writer + " had written up to " + std::to_string(seq) + ": " + path_ +
                    "-wal was cut or emptied, or an older copy was put back",
                "restore the store from a backup, or accept the loss by moving " + name + " away");
        }
        if (found != writers_.end() && found->second.last < seq)
            TRY(set_meta(acknowledged_key, writer + " " + std::to_string(seq)));
    }
    if (current_.empty()) return {};
    const std::uint64_t last = last_seq(current_);
    TRY_ASSIGN(last_acknowledged_, LastAcknowledged::make(path_, {current_, last}));
    // A clean stop takes it away; of a full disk the mark alone may tell.
    TRY_ASSIGN(const std::string stopped, meta(left_in_order_key));
    std::error_code ignored;
    const bool in_order = !stopped.empty() || fs::exists(path_ + ".clean", ignored);
    if (!file || (!there && !in_order))
        note_healed({name, there ? "was not what was written" : "was missing",
                     "made again from the journal"});
    return {};
}

// The root's where that operation is not held.
Result<Hash> SqliteJournal::chain_at(const domain::Writer& writer, std::uint64_t seq) {
    TRY_ASSIGN(const auto stored,
               db_->string("SELECT chain FROM operation WHERE writer = ?1 AND seq = ?2",
                           writers_.find(writer)->second.row, seq));
    return stored ? hash_from(*stored) : Result<Hash>(root_chain(writer));
}

Result<void> SqliteJournal::write_head(const domain::Writer& writer, std::uint64_t seq,
                                       const Hash& chain) {
    Heads heads = read_heads(path_ + ".head", true).heads;
    heads[writer] = {seq, hex(chain)};
    return put_head_file(path_, text_of(heads));
}

Result<void> SqliteJournal::check_writer(const domain::Writer& name, const WriterState& state,
                                         const std::map<std::int64_t, Hash>& frontiers) {
    TRY_ASSIGN(Rows cut,
               db_->query("SELECT cut_seq, cut_chain FROM writer WHERE id = ?1", state.row));
    TRY_ASSIGN(const bool known, cut.next());
    if (!known) return damaged("the row of " + name + " is gone");
    std::uint64_t seq = static_cast<std::uint64_t>(cut.integer(0));
    TRY_ASSIGN(Hash chain, hash_from(cut.text(1)));
    if (seq == 0 && chain != root_chain(name))
        return damaged("the chain of " + name + " has no root");

    TRY_ASSIGN(Rows rows, db_->query("SELECT seq, line, frontier, chain FROM operation "
                                     "WHERE writer = ?1 ORDER BY seq",
                                     state.row));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) break;
        ++seq;
        const std::string place = name + ":" + std::to_string(seq);
        if (static_cast<std::uint64_t>(rows.integer(0)) != seq) {
            return damaged("operation " + place + " is missing");
        }
        const auto frontier = frontiers.find(rows.integer(2));
        if (frontier == frontiers.end()) {
            return damaged("the frontier of operation " + place + " is missing");
        }
        chain = next_chain(chain, frontier->second, rows.text(1));
        if (view_of(chain) != rows.text(3)) {
            return damaged("operation " + place + " or its frontier is not what was written");
        }
    }
    if (seq != state.last)
        return damaged("operation " + name + ":" + std::to_string(seq + 1) + " is missing");
    return {};
}

// Version 2 has sums: a header that says otherwise is damaged.
Result<void> SqliteJournal::check_pages() {
    if (pages_ == Pages::AsTheyAre) return {};
    auto checked = check_page_sums(*db_);
    if (!checked && checked.error().code == Code::Corrupt) return damaged(checked.error().why);
    return checked;
}

Result<void> SqliteJournal::check() {
    TRY(check_pages());
    std::map<std::int64_t, Hash> frontiers;
    {
        TRY_ASSIGN(Rows rows, db_->query("SELECT id, text FROM frontier"));
        while (true) {
            TRY_ASSIGN(const bool more, rows.next());
            if (!more) break;
            frontiers[rows.integer(0)] = blake2b(rows.text(1));
        }
    }
    // The chain first: it names the operation, which people can act on.
    for (const auto& [name, state] : writers_) TRY(check_writer(name, state, frontiers));
    TRY_ASSIGN(const auto verdict, db_->string("PRAGMA quick_check(1)"));
    if (verdict.value_or("") != "ok")
        return damaged(verdict.value_or("SQLite finds no sound page"));
    return {};
}

}  // namespace dutybook::store
