// What finds a damaged journal: the walk along the hash chain, and the head kept outside SQLite.

#include "store/journal_chain.h"
#include "store/journal_sqlite.h"

#include "base/file.h"

#include <sstream>

namespace dutybook::store {
namespace {

struct Head {
    std::uint64_t seq = 0;
    std::string chain;  // hex
};
using Heads = std::map<std::string, Head>;

Result<Heads> read_heads(const std::string& path) {
    Heads heads;
    if (!fs::exists(path)) return heads;
    TRY_ASSIGN(const std::string text, read_file(path));
    std::istringstream lines(text);
    std::string writer;
    Head head;
    while (lines >> writer >> head.seq >> head.chain) heads[writer] = head;
    return heads;
}

Error damaged(const std::string& why) {
    return failure(Code::Corrupt, "the journal is damaged", why,
                   "keep a copy of journal.db; restore the store from a backup, or run repair");
}

Error lost(const std::string& writer, std::uint64_t held, std::uint64_t head) {
    return failure(Code::Corrupt, "the journal has lost operations",
                   "it holds " + writer + " up to " + std::to_string(held) + ", but up to " +
                       std::to_string(head) + " were acknowledged and planned into segments",
                   "restore the store from a backup, or accept the loss by moving "
                   "journal.db.head away");
}

}  // namespace

Result<void> SqliteJournal::compare_head() {
    TRY_ASSIGN(const Heads heads, read_heads(path_ + ".head"));
    for (const auto& [writer, head] : heads) {
        const auto found = writers_.find(writer);
        if (found == writers_.end()) return lost(writer, 0, head.seq);
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
    return {};
}

Result<void> SqliteJournal::write_head(const domain::Writer& writer, std::uint64_t seq) {
    TRY_ASSIGN(Heads heads, read_heads(path_ + ".head"));
    Hash chain = root_chain(writer);
    TRY_ASSIGN(const auto stored,
               db_->string("SELECT chain FROM operation WHERE writer = ?1 AND seq = ?2",
                           writers_.find(writer)->second.row, seq));
    if (stored) {
        TRY_ASSIGN(chain, hash_from(*stored));
    }
    heads[writer] = {seq, hex(chain)};
    std::string text;
    for (const auto& [name, head] : heads) {
        text += name + " " + std::to_string(head.seq) + " " + head.chain + "\n";
    }
    return write_file_atomically(path_ + ".head", text);
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

Result<void> SqliteJournal::check() {
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
