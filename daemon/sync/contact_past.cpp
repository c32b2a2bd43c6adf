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

// The remote holds more of our own log than we do, or another continuation of it: this store was
// restored from a backup, or a copy of it runs elsewhere. What the remote holds is applied (most
// often nobody else knows our branch; if a remote does, settle_fork comes next), and what
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
    if (!taken->fork || taken->fork->tip != incoming.tip) judge_refusal(incoming, *taken);
    return {};
}

Result<void> ContactRun::take_over_own_here(core::SpaceEngine& engine, const Incoming& incoming,
                                            Result<store::TakenOver>& taken) {
    TRY_ASSIGN(const Standing before, standing(incoming.volume));
    taken = take_all(incoming);
    if (!taken) return {};
    if (taken->fork) {
        TRY(parts_.log->keep_evidence(*quarantine_, checked_part(incoming, *taken->fork)));
        TRY_ASSIGN(const Branches parted, branches(incoming.volume.writer, taken->fork->tip));
        TRY(switch_to(parted));
        return engine.open_new_writer(parted.common_last, "another copy of this store wrote to " +
                                                              remote_.name + " under its name");
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
