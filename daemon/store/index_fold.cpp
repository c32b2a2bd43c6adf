// Touched records are folded again, and rows, digest and counts follow.

#include "store/index_sqlite.h"
#include "store/index_state.h"
#include "store/index_values.h"

#include <algorithm>

namespace dutybook::store {
namespace {

constexpr int seq_bits = 21;
constexpr std::uint64_t most_attempts = 10'000;
constexpr Millis latest = (std::int64_t{1} << 42) - 1;  // the year 2109

// Where the record is tried to be put. First by its time and seq, so that what one writer makes in
// a millisecond lies in order; if that place is taken, by a hash of the id.
std::int64_t place_of(const domain::Operation& operation, std::uint64_t attempt) {
    constexpr std::uint64_t low_bits = (1u << seq_bits) - 1;
    std::uint64_t low = operation.identity().seq;
    if (attempt > 0) {
        low = 14695981039346656037u + attempt;  // FNV-1a
        for (const char c : operation.record) {
            low = (low ^ static_cast<unsigned char>(c)) * 1099511628211u;
        }
        low ^= low >> 32;
    }
    return std::clamp<Millis>(operation.at, 0, latest) << seq_bits |
           static_cast<std::int64_t>(low & low_bits);
}

std::uint64_t open_conflicts(const domain::RecordState& state) {
    return state.born && !state.deleted ? state.conflicts.size() : 0;
}

bool alive(const domain::RecordState& state) {
    return state.born && !state.deleted;
}

// Null where the fold of the first operation says the same.
std::optional<std::string> kept_state(const domain::RecordState& state, std::size_t operations) {
    if (operations == 1 && !state.alarm) return std::nullopt;
    return encode_state(state);
}

}  // namespace

Result<void> SqliteIndex::fold_batch(Batch& batch) {
    std::unordered_map<std::string_view, std::size_t> places;
    std::vector<std::vector<const Arrival*>> groups;
    for (const Arrival& arrival : batch.arrivals) {
        const auto [place, added] = places.try_emplace(arrival.operation().record, groups.size());
        if (added) groups.emplace_back();
        groups[place->second].push_back(&arrival);
    }
    for (const auto& group : groups) TRY(fold_record(group, batch.applied));
    return {};
}

Result<void> SqliteIndex::fold_record(std::span<const Arrival* const> arrivals, Applied& applied) {
    // A create is nearly always of a new record: inserting finds out without looking first.
    const bool likely_new = arrivals.front()->operation().verb == domain::Verb::Create;
    if (likely_new) {
        TRY_ASSIGN(const bool inserted, insert_record(arrivals, applied));
        if (inserted) return {};
    }
    TRY_ASSIGN(const auto row, records_.by_id(arrivals.front()->operation().record));
    if (!row) {
        TRY(insert_record(arrivals, applied));
        return {};
    }
    if (staging_) {
        for (const Arrival* arrival : arrivals) TRY(insert_operation(row->rec, *arrival));
        unfolded_.insert(row->rec);
        applied.records.push_back(row->id);
        return {};
    }
    TRY_ASSIGN(History history, records_.history(*row));
    for (const Arrival* arrival : arrivals) {
        TRY(insert_operation(row->rec, *arrival));
        history.rows.emplace_back();
        history.operations.push_back(arrival->operation());
        history.frontiers.push_back(arrival->frontier);
    }
    return refold(*row, history, applied);
}

Result<void> SqliteIndex::insert_operation(std::int64_t rec, const Arrival& arrival) {
    return db_->run(
        "INSERT INTO op(rec, ord, run, seq, arrived, line) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        rec, arrival.order, arrival.run, arrival.operation().id.seq, arrival.arrived, arrival.line);
}

Result<std::optional<std::int64_t>> SqliteIndex::bucket_of(const domain::RecordState& state) {
    if (!state.born) return std::optional<std::int64_t>{};
    TRY_ASSIGN(const Kind* kind, kind_of(state.kind));
    return std::optional<std::int64_t>{kind->row * 2 + (state.deleted ? 1 : 0)};
}

// False if the record is there already.
Result<bool> SqliteIndex::insert_record(std::span<const Arrival* const> arrivals,
                                        Applied& applied) {
    std::vector<domain::Known> known;
    known.reserve(arrivals.size());
    for (const Arrival* arrival : arrivals) {
        known.push_back({&arrival->operation(), arrival->frontier.get()});
    }
    const Arrival& first = *arrivals.front();
    const bool alone = arrivals.size() == 1;
    domain::RecordState made;
    const bool folded = alone && first.known.alone != nullptr;
    if (!folded) made = domain::fold(known);
    const domain::RecordState& state = folded ? *first.known.alone : made;
    TRY_ASSIGN(const auto bucket, bucket_of(state));
    const auto* traits = state.born ? catalog_.find(state.kind) : nullptr;
    Change change;
    change.after = &state;
    if (alone && first.known.hash) change.hash_after = &*first.known.hash;
    change.effective_after = effective_key(state, traits);
    const auto stored = kept_state(state, arrivals.size());

    for (std::uint64_t attempt = 0;; ++attempt) {
        change.rec = place_of(first.operation(), attempt);
        const auto inserted = db_->run(
            "INSERT INTO record(rec, id, bucket, effective, conflicts, changed, run, "
            "seq, arrived, line, state) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
            "?11) ON CONFLICT(id) DO NOTHING",
            change.rec, first.operation().record, bucket, change.effective_after,
            open_conflicts(state), totals_.order, first.run, first.operation().id.seq,
            first.arrived, first.line, stored);
        if (inserted) break;
        if (inserted.error().code != Code::Exists || attempt == most_attempts) {
            return inserted.error();
        }
    }
    if (db_->changes() == 0) return false;
    for (const Arrival* arrival : arrivals.subspan(1)) {
        TRY(insert_operation(change.rec, *arrival));
    }
    TRY(write_change(change));
    applied.lying_frontier = applied.lying_frontier || state.alarm;
    applied.records.push_back(state.id);
    return true;
}

// `history` holds all operations of the record, those that have just come included.
Result<void> SqliteIndex::refold(const RecordRow& row, const History& history, Applied& applied) {
    TRY_ASSIGN(const domain::RecordState before, records_.state(row));
    const domain::RecordState after = domain::fold(history.known());
    TRY_ASSIGN(const auto bucket, bucket_of(after));
    Change change{row.rec, &before, &after, row.effective, 0};
    change.effective_after = effective_key(after, after.born ? catalog_.find(after.kind) : nullptr);
    TRY(
        db_->run("UPDATE record SET bucket = ?2, effective = ?3, conflicts = ?4, changed = ?5, "
                 "state = ?6 WHERE rec = ?1",
                 row.rec, bucket, change.effective_after, open_conflicts(after), totals_.order,
                 kept_state(after, history.operations.size())));
    TRY(write_change(change));
    applied.lying_frontier = applied.lying_frontier || after.alarm;
    applied.records.push_back(row.id);
    return {};
}

Result<void> SqliteIndex::remove_record(const RecordRow& row) {
    TRY_ASSIGN(const domain::RecordState before, records_.state(row));
    TRY(db_->run("DELETE FROM op WHERE rec = ?1", row.rec));
    TRY(db_->run("DELETE FROM record WHERE rec = ?1", row.rec));
    return write_change({row.rec, &before, nullptr, row.effective, 0});
}

Result<void> SqliteIndex::count_alive(const domain::RecordState& state, int change) {
    if (!alive(state)) return {};
    TRY_ASSIGN(Kind * kind, kind_of(state.kind));
    kind->alive = change < 0 ? kind->alive - 1 : kind->alive + 1;
    recounted_kinds_.insert(kind->row);
    return {};
}

Result<void> SqliteIndex::write_change(const Change& change) {
    if (change.before != nullptr && change.before->born) {
        totals_.digest.remove(domain::hash_of(*change.before));
        totals_.records -= alive(*change.before) ? 1 : 0;
        totals_.conflicts -= open_conflicts(*change.before);
        TRY(count_alive(*change.before, -1));
        TRY(drop_verdicts_of(change.rec));
    }
    if (change.after != nullptr && change.after->born) {
        totals_.digest.add(change.hash_after != nullptr ? *change.hash_after
                                                        : domain::hash_of(*change.after));
        totals_.records += alive(*change.after) ? 1 : 0;
        totals_.conflicts += open_conflicts(*change.after);
        TRY(count_alive(*change.after, 1));
    }
    TRY(write_values(change));
    return note_search(change);
}

}  // namespace dutybook::store
