// Seal rows: everything that decides a segment's bytes, fixed before the segment is made.

#include "store/journal_sqlite.h"

namespace dutybook::store {
namespace {

constexpr std::string_view select_seal =
    "SELECT s.id, s.writer, s.format, s.codec, s.space, s.volume, s.first, s.last, s.previous, "
    "s.epoch, s.time, s.next_heard, s.commit_id, s.blob_bytes, f.text "
    "FROM seal s JOIN frontier f ON f.id = s.frontier ";

std::string seals(std::string_view where) {
    return std::string(select_seal).append(where);
}

}  // namespace

Result<std::optional<SealRow>> SqliteJournal::read_seal(Result<Rows> found) {
    TRY_ASSIGN(Rows rows, std::move(found));
    TRY_ASSIGN(const bool any, rows.next());
    if (!any) return std::optional<SealRow>{};
    SealRow row;
    row.id = rows.integer(0);
    row.header.writer = rows.text(1);
    row.header.format = static_cast<int>(rows.integer(2));
    row.header.codec = rows.text(3);
    row.header.space = rows.text(4);
    row.header.volume = static_cast<std::uint32_t>(rows.integer(5));
    row.header.first = static_cast<std::uint64_t>(rows.integer(6));
    row.header.last = static_cast<std::uint64_t>(rows.integer(7));
    row.header.previous = rows.text(8);
    row.header.epoch = static_cast<std::uint32_t>(rows.integer(9));
    row.header.time = rows.integer(10);
    if (!rows.null(11)) row.next_heard = rows.integer(11);
    row.commit = rows.text(12);
    row.blob_bytes = static_cast<std::uint64_t>(rows.integer(13));
    TRY_ASSIGN(row.frontier, domain::Frontier::parse(rows.text(14)));
    return std::optional<SealRow>{std::move(row)};
}

Result<SealRow> SqliteJournal::plan_seal(SealRow row) {
    const SegmentHeader& header = row.header;
    const auto found = writers_.find(header.writer);
    if (found == writers_.end()) {
        return failure(Code::Conflict, "cannot plan a segment",
                       header.writer + " is not a writer of this journal");
    }
    const WriterState& state = found->second;
    if (header.first != state.sealed + 1 || header.last > state.last ||
        header.last + 1 < header.first) {
        return failure(Code::Conflict, "cannot plan a segment",
                       header.writer + " is sealed up to " + std::to_string(state.sealed) +
                           " and holds up to " + std::to_string(state.last) + "; asked for " +
                           std::to_string(header.first) + " to " + std::to_string(header.last));
    }
    TRY_ASSIGN(const auto open, unfinished_seal());
    if (open) {
        return failure(Code::Conflict, "cannot plan a segment",
                       "another one is planned and not finished", "finish it first");
    }
    TRY_ASSIGN(Transaction transaction, Transaction::begin(*db_));
    TRY_ASSIGN(const LastFrontier interned, intern(row.frontier));
    TRY(db_->run(
        "INSERT INTO seal(writer, format, codec, space, volume, first, last, previous, "
        "epoch, time, frontier, next_heard) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        header.writer, header.format, header.codec, header.space, header.volume, header.first,
        header.last, header.previous, header.epoch, header.time, interned.row, row.next_heard));
    row.id = db_->last_rowid();
    row.commit.clear();
    row.blob_bytes = 0;
    TRY(transaction.commit());
    TRY_ASSIGN(const Hash chain, chain_at(header.writer, header.last));
    TRY(write_head(header.writer, header.last, chain));
    return row;
}

Result<void> SqliteJournal::finish_seal(std::int64_t id, const CommitId& commit,
                                        std::uint64_t blob_bytes) {
    TRY_ASSIGN(const auto row, read_seal(db_->query(seals("WHERE s.id = ?1"), id)));
    if (!row) return failure(Code::NotFound, "no such seal row", std::to_string(id));
    if (!row->commit.empty() && row->commit != commit) {
        return failure(Code::Conflict, "cannot finish a seal",
                       "the segment is " + row->commit + ", not " + commit);
    }
    TRY(db_->run("UPDATE seal SET commit_id = ?2, blob_bytes = ?3 WHERE id = ?1", id, commit,
                 blob_bytes));
    WriterState& state = writers_.find(row->header.writer)->second;
    state.sealed = std::max(state.sealed, row->header.last);
    return {};
}

Result<std::optional<SealRow>> SqliteJournal::unfinished_seal() {
    return read_seal(db_->query(seals("WHERE s.commit_id IS NULL ORDER BY s.id LIMIT 1")));
}

Result<std::optional<SealRow>> SqliteJournal::last_seal(std::string_view writer) {
    return read_seal(db_->query(seals("WHERE s.writer = ?1 AND s.commit_id IS NOT NULL "
                                      "ORDER BY s.id DESC LIMIT 1"),
                                writer));
}

std::uint64_t SqliteJournal::sealed_upto(std::string_view writer) const {
    const auto found = writers_.find(writer);
    return found == writers_.end() ? 0 : found->second.sealed;
}

Result<std::optional<SealRow>> SqliteJournal::find_seal(const CommitId& commit) {
    return read_seal(db_->query(seals("WHERE s.commit_id = ?1"), commit));
}

}  // namespace dutybook::store
