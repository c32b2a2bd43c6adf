#include "core/receiver.h"

#include "core/circle.h"
#include "core/stamps.h"

#include "base/log.h"

#include <algorithm>
#include <charconv>

namespace dutybook::core {

std::string cap_key(const domain::Writer& writer) {
    return "cap:" + writer;
}

Result<std::optional<std::uint64_t>> cap_of(store::Journal& journal, const domain::Writer& writer) {
    TRY_ASSIGN(const std::string text, journal.meta(cap_key(writer)));
    std::uint64_t cap = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cap);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return std::optional<std::uint64_t>{};
    }
    return std::optional<std::uint64_t>{cap};
}

Result<store::CommitId> own_segment_of(store::Journal& journal, const domain::OperationId& id) {
    TRY_ASSIGN(auto seal, journal.last_seal(id.writer));
    while (seal && seal->header.first > id.seq && !seal->header.previous.empty()) {
        TRY_ASSIGN(seal, journal.find_seal(seal->header.previous));
    }
    if (!seal || id.seq < seal->header.first || id.seq > seal->header.last) {
        return store::CommitId{};
    }
    return seal->commit;
}

Result<SpaceEngine::Folded> Receiver::fold(std::size_t limit, domain::HybridClock& hlc,
                                           bool own_too) {
    SpaceEngine::Folded folded;
    if (plan_.empty()) {
        given_up_.clear();
        TRY(plan(own_too));
        if (more_comes_ && !bulk_) {
            plan_.clear();
            return folded;
        }
    }
    TRY_ASSIGN(const auto loaded, load(bulk_ ? std::max(limit, bulk_slice) : limit));
    // Not of a bulk load: who joins has nothing yet to hold a claim against.
    for (const Loaded& one : loaded)
        if (!bulk_) TRY(claims_.note(one.writer, one.segment.frontier));
    TRY(apply(loaded, hlc, folded));
    if (plan_.empty()) {
        if (!more_comes_) {
            // Before planning again: until then the index shows nothing of the load.
            TRY(leave_bulk());
            no_bulk_ = false;
        }
        TRY(plan(own_too));  // what was taken over meanwhile
    }
    folded.more = !plan_.empty();
    folded.records.insert(folded.records.end(), std::make_move_iterator(retracted_.begin()),
                          std::make_move_iterator(retracted_.end()));
    retracted_.clear();
    return folded;
}

Result<void> Receiver::leave_bulk() {
    if (!bulk_) return {};
    TRY(parts_.index->end_bulk());
    loaded_ = {};
    bulk_ = false;
    no_bulk_ = true;
    return {};
}

Result<void> Receiver::forget_plan() {
    TRY(leave_bulk());
    plan_.clear();
    given_up_.clear();
    backlog_ = 0;
    no_bulk_ = false;
    return {};
}

domain::Frontier Receiver::reached() const {
    auto frontier = parts_.index->frontier();
    frontier.merge(loaded_);
    return frontier;
}

Result<void> Receiver::plan(bool own_too) {
    TRY_ASSIGN(const auto volumes, parts_.log->volumes());
    const auto current = parts_.journal->current_writer();
    std::map<domain::Writer, std::vector<store::VolumeInfo>> by_writer;
    for (const auto& volume : volumes) by_writer[volume.name.writer].push_back(volume);
    if (!own_too) by_writer.erase(current);
    for (const auto& id : parts_.index->waiting()) by_writer.erase(id.writer);
    for (const auto& writer : given_up_) by_writer.erase(writer);
    backlog_ = 0;
    for (auto& [writer, held] : by_writer) {
        std::sort(held.begin(), held.end(),
                  [](const auto& a, const auto& b) { return a.name.number < b.name.number; });
        const auto planned = plan_writer(writer, held);
        if (!planned) give_up(writer, planned.error());
    }
    if (backlog_ > parts_.bulk_from && !bulk_ && !no_bulk_) {
        TRY(parts_.index->begin_bulk());
        bulk_ = true;
    }
    return {};
}

Result<void> Receiver::plan_writer(const domain::Writer& writer,
                                   const std::vector<store::VolumeInfo>& volumes) {
    const auto frontier = reached();
    const auto shown = frontier.entries().find(writer);
    std::uint64_t seq = shown == frontier.entries().end() ? 0 : shown->second.seq;
    store::CommitId segment = seq == 0 ? store::CommitId{} : shown->second.segment;
    store::CommitId held_in = segment;
    if (held_in.empty() && domain::site_of(writer) == facts_.site) {
        TRY_ASSIGN(held_in, own_segment_of(*parts_.journal, {writer, seq}));
    }
    TRY_ASSIGN(const bool left, left_our_branch(volumes, seq, held_in));
    if (left) {
        if (bulk_) return {};  // after the load: nothing can be taken out of it
        // Where the branches part is not known here; a fork is rare, so all of it is made again.
        TRY_ASSIGN(auto changed, parts_.index->retract_from(writer, 1));
        retracted_.insert(retracted_.end(), std::make_move_iterator(changed.begin()),
                          std::make_move_iterator(changed.end()));
        seq = 0;
        segment.clear();
    }
    std::uint64_t next = seq + 1;
    std::deque<store::CommitId> commits;
    for (const auto& volume : volumes) {
        if (volume.last < next) continue;
        if (volume.first > next) break;  // what lies between has not come yet
        const bool goes_on = !segment.empty() && volume.first <= seq;
        TRY_ASSIGN(auto chain, parts_.log->chain(volume.name, goes_on ? segment : ""));
        commits.insert(commits.end(), chain.begin(), chain.end());
        next = volume.last + 1;
    }
    if (commits.empty()) return {};
    backlog_ += next - seq - 1;
    plan_[writer] = std::move(commits);
    return {};
}

// Whether the log no longer follows the branch of which the index shows `seq`, in `segment`.
Result<bool> Receiver::left_our_branch(const std::vector<store::VolumeInfo>& volumes,
                                       std::uint64_t seq, const store::CommitId& segment) {
    if (segment.empty()) return false;
    for (const auto& volume : volumes) {
        if (seq < volume.first || seq > volume.last) continue;
        const auto stands = parts_.log->compare(volume.name, segment);
        return stands != store::Ancestry::Same && stands != store::Ancestry::Behind;
    }
    return shorter_branch(volumes, segment);
}

// The log ends before what the index shows. Either it lost something of the same branch, which a
// repair or the next contact brings back, or it follows a branch that is shorter.
Result<bool> Receiver::shorter_branch(const std::vector<store::VolumeInfo>& volumes,
                                      store::CommitId at) {
    for (bool later = false; !at.empty(); later = true) {
        const auto segment = parts_.log->read(at);
        if (!segment) return false;  // lost, as it seems
        const auto& header = segment->header;
        const auto held = std::find_if(volumes.begin(), volumes.end(), [&](const auto& volume) {
            return volume.name.number == header.volume;
        });
        if (held != volumes.end()) {
            const auto stands = parts_.log->compare(held->name, at);
            if (stands == store::Ancestry::Same) return false;
            // A later volume went on from here, and this one goes on otherwise.
            if (stands == store::Ancestry::Behind) return later;
            return stands != store::Ancestry::Ahead;
        }
        at = header.previous;
    }
    return false;
}

Result<std::deque<Receiver::Loaded>> Receiver::load(std::size_t limit) {
    std::deque<Loaded> out;
    std::size_t operations = 0;
    const auto frontier = reached();
    while (!plan_.empty() && operations < limit) {
        auto& [writer, commits] = *plan_.begin();
        const domain::Writer name = writer;
        if (commits.empty()) {
            plan_.erase(plan_.begin());
            continue;
        }
        Loaded one{name, {}, commits.front()};
        commits.pop_front();
        auto segment = parts_.log->read(one.commit);
        if (!segment) {
            give_up(name, segment.error());
            continue;
        }
        one.segment = std::move(*segment);
        const auto& header = one.segment.header;
        if (header.last < header.first || header.last <= frontier.seq_of(name)) continue;
        operations += one.segment.lines.size();
        out.push_back(std::move(one));
    }
    if (!plan_.empty() && plan_.begin()->second.empty()) plan_.erase(plan_.begin());
    return out;
}

Result<void> Receiver::apply(const std::deque<Loaded>& loaded, domain::HybridClock& hlc,
                             SpaceEngine::Folded& folded) {
    if (loaded.empty()) return {};
    const Millis now = parts_.clock->now();
    std::vector<store::Run> runs;
    runs.reserve(loaded.size());
    for (const auto& one : loaded) {
        runs.push_back({one.writer, one.segment.header.first, &one.segment.frontier,
                        one.segment.lines, one.commit, now});
    }
    auto together = apply_runs(runs, hlc, folded);
    if (together || together.error().code != Code::Conflict) return together;
    // One of them does not fit. Each alone, so that it holds up nobody but its own writer.
    for (const auto& run : runs) {
        if (given_up_.count(run.writer) != 0) continue;
        auto alone = apply_runs({&run, 1}, hlc, folded);
        if (alone) continue;
        if (alone.error().code != Code::Conflict) return alone;
        give_up(run.writer, alone.error());
    }
    return {};
}

Result<void> Receiver::apply_runs(std::span<const store::Run> runs, domain::HybridClock& hlc,
                                  SpaceEngine::Folded& folded) {
    TRY_ASSIGN(auto applied, parts_.index->apply(runs));
    hlc.observe(applied.last_hlc, parts_.clock->now());
    for (const auto& run : runs) {
        if (bulk_) loaded_.advance(run.writer, run.first + run.lines.size() - 1, run.segment);
        judge_stamp_of(run);
        alarms_.close(alarm_id("log-damaged", run.writer));
        alarms_.close(alarm_id("update-needed", run.writer));
    }
    folded.operations += applied.operations;
    backlog_ -= std::min(backlog_, applied.operations);
    folded.records.insert(folded.records.end(), std::make_move_iterator(applied.records.begin()),
                          std::make_move_iterator(applied.records.end()));
    for (const auto& id : applied.malformed) {
        alarms_.raise({"", "malformed", id.writer,
                       "operation " + id.text() +
                           " is malformed and changes nothing; the rest of its log counts. Its "
                           "site should report it.",
                       parts_.clock->now()});
    }
    if (applied.lying_frontier) {
        alarms_.raise({"", "lying-frontier", facts_.name,
                       "a site claims to have seen operations that came after its own; all values "
                       "are kept and listed as conflicts",
                       parts_.clock->now()});
    }
    if (applied.newer) plan_.erase(applied.newer->writer);
    return {};
}

void Receiver::judge_stamp_of(const store::Run& run) {
    if (run.lines.empty()) return;
    const auto last =
        domain::read_operation(run.lines.back(), {run.writer, run.first + run.lines.size() - 1});
    if (last.reading != domain::Reading::Good) return;
    const std::string site(domain::site_of(run.writer));
    if (site == facts_.site) return;  // settle_clock() judges ours
    const std::string name = parts_.circle != nullptr ? parts_.circle->name_of(site) : site;
    judge_stamp(alarms_, run.writer, name, false, last.operation.at, parts_.clock->now());
}

void Receiver::give_up(const domain::Writer& writer, const Error& error) {
    plan_.erase(writer);
    given_up_.insert(writer);
    log_warning("core", "a log cannot be folded", {{"writer", writer}, {"error", error.text()}});
    const bool newer = error.code == Code::NewerFormat;
    alarms_.raise({"", newer ? "update-needed" : "log-damaged", writer,
                   newer ? "the log of " + writer + " was written by a newer Dutybook; update"
                         : "the log of " + writer + " cannot be read: " + error.text() +
                               "; run verify, then repair",
                   parts_.clock->now()});
}

}  // namespace dutybook::core
