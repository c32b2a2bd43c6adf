// When the past changes: a remote that went back, a log with two histories, a store that was
// restored or cloned.

#include "core/alarms.h"
#include "sync/contact_run.h"
#include "sync/git_errors.h"

#include <algorithm>

namespace dutybook::sync {

// The remote listed these heads before and has lost them (an administrator restored a backup).
// What it holds is taken over as ever, what it lacks is pushed again by this very contact. The
// alarm stands until a later contact finds the heads there, so that somebody can notice it.
void ContactRun::look_for_lost_heads(const std::vector<std::string>& lost) {
    if (looked_for_lost_) return;
    looked_for_lost_ = true;
    if (lost.empty()) {
        with_engine([&](core::SpaceEngine& engine) {
            engine.close_alarm(core::alarm_id("gone-back", remote_.name));
        });
        return;
    }
    const bool one = lost.size() == 1;
    raise(
        "gone-back", remote_.name,
        name_of_remote(remote_.name, remote_.url) + " has lost what it held before (" +
            std::to_string(lost.size()) + (one ? " log, " : " logs, ") + lost[0] +
            (one ? "" : " and others") +
            "), perhaps an older copy was restored there; everything that it lacks is sent again");
}

// Everybody applies the branch with the lower commit id at the fork; the other is evidence.
Result<void> ContactRun::settle_fork(const Incoming& incoming, const store::Fork& fork) {
    TRY(parts_.log->keep_evidence(*quarantine_, incoming));
    if (fork.theirs < fork.ours) TRY(parts_.log->switch_volume(incoming.volume, incoming.tip));
    tell_fork(incoming.volume, fork);
    return {};
}

// Both branches are held. The rule is applied again: an own log's branch was chosen without it
// (take_over_own), and here a remote shows that the other one is known elsewhere.
Result<void> ContactRun::settle_known_fork(const Seen& seen) {
    TRY_ASSIGN(const store::Fork fork, find_fork(seen));
    if (fork.theirs < fork.ours) TRY(parts_.log->switch_volume(seen.volume, seen.theirs));
    tell_fork(seen.volume, fork);
    return {};
}

Result<store::Fork> ContactRun::find_fork(const Seen& seen) {
    TRY_ASSIGN(const auto ours, parts_.log->chain(seen.volume, {}));
    store::Fork fork;
    for (store::CommitId at = seen.theirs; !at.empty();) {
        const auto common = std::find(ours.begin(), ours.end(), at);
        if (common != ours.end()) {
            fork.common = at;
            fork.ours = common + 1 == ours.end() ? store::CommitId{} : *(common + 1);
            return fork;
        }
        TRY_ASSIGN(const store::Segment segment, parts_.log->read(at));
        if (segment.header.volume != seen.volume.number) break;  // they share nothing of it
        fork.theirs = at;
        at = segment.header.previous;
    }
    fork.ours = ours.empty() ? store::CommitId{} : ours.front();
    return fork;
}

void ContactRun::tell_fork(const store::VolumeName& volume, const store::Fork& fork) {
    raise("fork", volume.ref(),
          "the log of " + volume.writer + " has two histories, from " +
              std::min(fork.ours, fork.theirs) + " (applied) and from " +
              std::max(fork.ours, fork.theirs) + " (kept as evidence) on, one of them at " +
              name_of_remote(remote_.name, remote_.url) +
              ". That store was restored or copied: its site should sync with every remote");
}

// The remote holds more of our own log than we do, or another continuation of it: this store was
// restored from a backup, or a copy of it runs elsewhere. What the remote holds is applied (most
// often nobody else knows our branch; if a remote does, settle_known_fork comes next), and what
// only we hold is issued again under a new writer. All of it in one turn of the space's thread:
// nothing may be sealed under the old name in between.
//
// Only what passed every check counts: a remote that merely lists rubbish under our name changes
// nothing here.
Result<void> ContactRun::take_over_own(const Incoming& incoming) {
    Result<store::TakenOver> taken = store::TakenOver{};
    Result<void> opened;
    with_engine(
        [&](core::SpaceEngine& engine) { opened = take_over_own_here(engine, incoming, taken); });
    TRY(opened);
    if (!taken) return taken.error();
    if (taken->fork)
        outcome_.notes.push_back("this store was restored or copied; it goes on under a new name");
    else
        judge_refusal(incoming, *taken);
    return {};
}

Result<void> ContactRun::take_over_own_here(core::SpaceEngine& engine, const Incoming& incoming,
                                            Result<store::TakenOver>& taken) {
    TRY_ASSIGN(const Standing before, standing(incoming.volume));
    taken = take_all(incoming);
    if (!taken) return {};
    if (taken->fork) {
        std::uint64_t shared = before.first - 1;
        if (!taken->fork->common.empty()) {
            TRY_ASSIGN(const store::Segment common, parts_.log->read(taken->fork->common));
            shared = common.header.last;
        }
        TRY(parts_.log->keep_evidence(*quarantine_, incoming));
        TRY(parts_.log->switch_volume(incoming.volume, incoming.tip));
        return engine.open_new_writer(
            shared, "another copy of this store wrote to " + remote_.name + " under its name");
    }
    TRY_ASSIGN(const Standing after, standing(incoming.volume));
    if (after.tip == before.tip) return {};
    return engine.open_new_writer(
        before.last, remote_.name + " holds more of this store's log than the store itself");
}

// Where our copy of a volume stands; without one, where the writer's volumes before it end.
Result<ContactRun::Standing> ContactRun::standing(const store::VolumeName& name) {
    TRY_ASSIGN(const auto volumes, parts_.log->volumes());
    Standing at;
    for (const auto& volume : volumes) {
        if (volume.name.writer != name.writer || volume.name.number > name.number) continue;
        at.last = volume.last;
        at.first = volume.name == name ? volume.first : volume.last + 1;
        if (volume.name == name) at.tip = volume.tip;
    }
    return at;
}

}  // namespace dutybook::sync
