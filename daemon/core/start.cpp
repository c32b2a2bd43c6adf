// Start: what a crash, a restore or a damaged file left is put in order before the first request.

#include "core/engine_state.h"
#include "core/lost_tail.h"
#include "core/space_engine.h"
#include "core/stamps.h"

#include "base/kept_file.h"
#include "base/log.h"

#include <algorithm>
#include <map>

namespace dutybook::core {

namespace {

constexpr std::size_t operations_a_transaction = 20'000;
constexpr std::uint64_t bulk_from = 50'000;
constexpr Millis check_every = 24LL * 3600 * 1000;
constexpr const char* left_key = "left-in-order";  // instant of the last clean stop, empty = none

// Runs of one frontier each, gathered into transactions.
class TailWriter {
public:
    TailWriter(const SpaceParts& parts, domain::Writer own,
               const std::function<void(std::uint64_t)>& applied)
        : parts_(parts), own_(std::move(own)), applied_(applied) {}

    Result<void> take(const store::JournalLine& line, const domain::Frontier& frontier) {
        if (!lines_.empty() && !(frontier == frontier_)) TRY(flush());
        if (lines_.empty()) {
            first_ = line.id.seq;
            frontier_ = frontier;
        }
        lines_.push_back(line.line);
        return lines_.size() < operations_a_transaction ? Result<void>{} : flush();
    }

    Result<void> flush() {
        if (lines_.empty()) return {};
        const store::Run run{own_, first_, &frontier_, lines_, {}, parts_.clock->now()};
        TRY(parts_.index->apply({&run, 1}));
        if (applied_) applied_(lines_.size());
        lines_.clear();
        return {};
    }

private:
    const SpaceParts& parts_;
    const domain::Writer own_;
    const std::function<void(std::uint64_t)>& applied_;
    std::vector<std::string> lines_;
    std::uint64_t first_ = 0;
    domain::Frontier frontier_;
};

// A journal that knows of no writer, beside a log in which this site has written.
void tell_lost_journal(store::Log& log, const SpaceFacts& facts) {
    const auto volumes = log.volumes();
    if (!volumes || std::ranges::none_of(*volumes, [&](const store::VolumeInfo& volume) {
            return domain::site_of(volume.name.writer) == facts.site;
        }))
        return;
    note_healed({"spaces/" + facts.name + "/journal.db", "was missing",
                 "begun anew: what was acknowledged and not sealed is gone; restore a backup if "
                 "there is one",
                 true});
}

bool holds(store::Log& log, const store::SealRow& row) {
    const auto stands = log.compare({row.header.writer, row.header.volume}, row.commit);
    return stands == store::Ancestry::Same || stands == store::Ancestry::Behind;
}

}  // namespace

Result<void> apply_journal_tail(const SpaceParts& parts,
                                const std::function<void(std::uint64_t)>& applied) {
    const auto own = parts.journal->current_writer();
    const auto last = parts.journal->last_seq(own);
    const auto shown = parts.index->frontier().seq_of(own);
    if (shown > last) {
        TRY(parts.index->retract_from(own, last + 1));
        return {};
    }
    if (shown == last) return {};
    const bool bulk = last - shown > bulk_from;
    if (bulk) TRY(parts.index->begin_bulk());
    TailWriter tail(parts, own, applied);
    Result<void> taken;
    TRY(parts.journal->visit(own, shown + 1, [&](const auto& line, const auto& frontier) {
        taken = tail.take(line, frontier);
        return taken.has_value();
    }));
    TRY(std::move(taken));
    TRY(tail.flush());
    if (bulk) TRY(parts.index->end_bulk());
    return {};
}

Result<void> SpaceEngine::start(const Start& how) {
    TRY_ASSIGN(const std::string left, parts_.journal->meta(left_key));
    const bool recent = !left.empty() && left.size() < 16 &&
                        left.find_first_not_of("0123456789") == std::string::npos &&
                        parts_.clock->now() - std::stoll(left) < check_every;
    // After a clean stop the walk over the whole chain would only cost the start its second.
    if (!recent) TRY(parts_.journal->check());
    if (!left.empty()) TRY(parts_.journal->set_meta(left_key, ""));
    TRY_ASSIGN(const auto lost, bring_back_lost_tail(parts_, facts_));
    TRY(state_->alarms.load());
    if (lost > 0) {
        raise({"", "operations-lost", facts_.name,
               std::to_string(lost) +
                   " operations that were acknowledged are gone: the end of journal.db-wal was cut "
                   "or damaged; restore a backup if there is one, else enter them again (repair "
                   "ends this alarm)",
               0});
    }
    TRY(state_->incomplete.load());
    TRY(state_->receiver.forget_plan());

    const auto redone = finish_unfinished_seal();
    if (!redone) log_warning("core", "a seal waits", {{"error", redone.error().text()}});
    std::optional<std::uint64_t> common;
    if (!writer().empty()) {
        TRY_ASSIGN(common, log_left_us());
    }
    for (const auto& own : parts_.journal->writers()) {
        if (common && own == writer()) continue;
        const auto restored = restore_lost_segments(own);
        if (restored) {
            state_->alarms.close(alarm_id("log-damaged", own));
        } else {
            raise({"", "log-damaged", own,
                   "the log lacks segments that were sealed: " + restored.error().text() +
                       "; run verify, then repair",
                   0});
        }
    }
    if (writer().empty()) {
        tell_lost_journal(*parts_.log, facts_);
        TRY(parts_.journal->open_writer(facts_.site + "-" + parts_.incarnation(), {},
                                        parts_.clock->now()));
    } else if (common) {
        TRY(open_new_writer(*common, "another copy of this store wrote under its name"));
    } else if (how.moved) {
        TRY(reissue(parts_.journal->sealed_upto(writer()) + 1,
                    "this store was moved, copied or restored"));
    }
    TRY(drop_what_was_reissued());
    TRY(bring_index_up(how));
    refresh_frontier();
    TRY_ASSIGN(const auto last, parts_.journal->last_seal(writer()));
    state_->retired = last && last->next_heard == never_again;
    return settle_clock();
}

void SpaceEngine::stop() {
    const auto closed = parts_.index->close_cleanly();
    if (!closed) log_warning("core", "the index is not closed", {{"error", closed.error().text()}});
    const auto left = parts_.journal->set_meta(left_key, std::to_string(parts_.clock->now()));
    if (!left) log_warning("core", "the stop is not noted", {{"error", left.error().text()}});
}

// A log that went back (its files were restored, or moved aside) gets the own segments again that
// the journal still has the lines of.
Result<void> SpaceEngine::restore_lost_segments(const domain::Writer& own) {
    // A log that cannot be read lacks nothing that we could tell.
    TRY_ASSIGN(const auto volumes, parts_.log->volumes());
    // What an earlier writer sealed beyond its cap was issued again, and may have given way to
    // what another store wrote in its place.
    std::optional<std::uint64_t> cap;
    if (own != writer()) {
        TRY_ASSIGN(cap, cap_of(*parts_.journal, own));
    }
    std::vector<store::SealRow> lost;  // latest first
    TRY_ASSIGN(auto seal, parts_.journal->last_seal(own));
    while (seal && !holds(*parts_.log, *seal)) {
        const auto previous = seal->header.previous;
        const bool counts = !cap || seal->header.last <= *cap;
        if (counts) lost.push_back(std::move(*seal));
        seal.reset();
        if (previous.empty()) break;
        TRY_ASSIGN(seal, parts_.journal->find_seal(previous));
    }
    // What follows the last held one may be the branch of another store, which has won there.
    store::CommitId end;
    for (const auto& volume : volumes) {
        if (volume.name.writer == own) end = volume.tip;
    }
    if (!lost.empty() && end != lost.back().header.previous) return {};
    for (auto row = lost.rbegin(); row != lost.rend(); ++row) {
        std::vector<std::string> lines;
        TRY(parts_.journal->visit(own, row->header.first, [&](const auto& line, const auto&) {
            if (line.id.seq > row->header.last) return false;
            lines.push_back(line.line);
            return true;
        }));
        TRY_ASSIGN(const auto commit, parts_.log->append(*row, lines));
        if (commit != row->commit) {
            return failure(Code::Corrupt, "a segment made again is not the same",
                           row->commit + " became " + commit);
        }
    }
    return {};
}

// A crash right after a contact took over what another store wrote under our name: the log holds
// more than the journal, or something else in the place of a segment of ours. Gives the last
// operation that is common.
Result<std::optional<std::uint64_t>> SpaceEngine::log_left_us() {
    const auto volumes = parts_.log->volumes();
    if (!volumes) return std::optional<std::uint64_t>{};
    const auto own = writer();
    std::uint64_t held = 0;
    std::map<std::uint32_t, const store::VolumeInfo*> by_number;
    for (const auto& volume : *volumes) {
        if (volume.name.writer != own) continue;
        held = std::max(held, volume.last);
        by_number[volume.name.number] = &volume;
    }
    // Not merely beyond the last operation: what is not sealed yet was never in the log.
    bool left = held > parts_.journal->sealed_upto(own);
    TRY_ASSIGN(auto seal, parts_.journal->last_seal(own));
    while (seal && !holds(*parts_.log, *seal)) {
        // Merely missing: it is made again (restore_lost_segments). Gone another way: it is not.
        const auto volume = by_number.find(seal->header.volume);
        if (volume != by_number.end()) {
            const auto stands = parts_.log->compare(volume->second->name, seal->commit);
            left = left || stands == store::Ancestry::Forked;
        }
        const auto previous = seal->header.previous;
        if (previous.empty()) {
            seal.reset();
            break;
        }
        TRY_ASSIGN(seal, parts_.journal->find_seal(previous));
    }
    // The log goes on after the last of ours that it holds, with what is not ours.
    const auto end = by_number.empty() ? nullptr : by_number.rbegin()->second;
    left = left || (seal && end != nullptr && end->tip != seal->commit);
    if (!left) return std::optional<std::uint64_t>{};
    return std::optional<std::uint64_t>{seal ? seal->header.last : 0};
}

Result<void> SpaceEngine::bring_index_up(const Start& how) {
    const auto own = writer();
    const auto shown = parts_.index->frontier().seq_of(own);
    const bool own_too = shown < parts_.journal->sealed_upto(own);
    std::uint64_t done = 0, all = 0;
    const auto tell = [&](std::uint64_t operations) {
        done += operations;
        if (how.progress) how.progress(done, std::max(all, done));
    };
    const auto readable = parts_.log->volumes();
    if (readable) {
        state_->alarms.close(alarm_id("log-damaged", facts_.name));
        bool more = true;
        while (more) {
            TRY_ASSIGN(const Folded folded,
                       state_->receiver.fold(operations_a_transaction, state_->hlc, own_too));
            all = std::max(all, folded.operations + state_->receiver.backlog());
            if (folded.operations > 0) tell(folded.operations);
            more = folded.more;
        }
    } else {
        // Writes and reads of what the index and the journal hold go on.
        raise({"", "log-damaged", facts_.name,
               "the log cannot be read: " + readable.error().text() + "; run verify, then repair",
               0});
    }
    const auto tail = apply_journal_tail(parts_, tell);
    if (!tail) {
        state_->index_behind = true;
        raise({"", "index-behind", facts_.name,
               "operations of this site are kept but cannot be shown: " + tail.error().text() +
                   "; run verify, then repair",
               0});
    }
    return {};
}

// Our stamps go on after the last of our own, whatever the wall clock says now.
Result<void> SpaceEngine::settle_clock() {
    const auto own = writer();
    for (const auto& each : parts_.journal->writers()) {
        TRY(parts_.journal->visit(
            each, parts_.journal->last_seq(each), [&](const auto& line, const auto&) {
                const auto last = domain::read_operation(line.line, line.id).operation;
                state_->hlc.restore(last.hlc);
                judge_stamp(state_->alarms, each, facts_.site, true, last.at, parts_.clock->now());
                return true;
            }));
    }
    TRY(parts_.journal->visit(
        own, parts_.journal->sealed_upto(own) + 1, [&](const auto& line, const auto&) {
            state_->oldest_unsealed = domain::read_operation(line.line, line.id).operation.at;
            return false;
        }));
    return {};
}

}  // namespace dutybook::core
