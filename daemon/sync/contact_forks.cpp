// A log with two histories: its store was restored or copied, and wrote on both sides before it
// noticed. Which branch is applied everywhere, how both reach everybody, and that nothing is lost.

#include "core/alarms.h"
#include "sync/contact_run.h"
#include "sync/git_errors.h"

#include <algorithm>
#include <utility>

namespace dutybook::sync {

// Both branches are held. Everybody applies the one with the lower commit id where they part; the
// other is evidence. What hangs on either is looked at once everything received is shown
// (see_to_forks).
Result<void> ContactRun::settle_fork(const store::VolumeName& volume, const store::CommitId& tip) {
    TRY_ASSIGN(const Branches parted, branches(volume.writer, tip));
    if (parted.ours.empty() || parted.theirs.empty()) return {};
    const bool theirs_wins = theirs_counts(parted);
    // Before ours gives way, for then nothing tells of it any more.
    TRY(hand_out(parted, !theirs_wins));
    if (theirs_wins) {
        Result<void> gave_way;
        with_engine([&](core::SpaceEngine& engine) {
            if (engine.is_own(volume.writer))
                gave_way = engine.give_way(volume.writer, parted.common_last);
        });
        TRY(gave_way);
        TRY(switch_to(parted));
        stuck_.erase(volume.writer);
        came(volume.writer);
    }
    forks_.push_back({volume, parted});
    return {};
}

// The one that leads to where the control log says that this log ends, for whoever is no member any
// more, or has a stolen key, can make a commit with a low id; else the lower commit id.
bool ContactRun::theirs_counts(const Branches& parted) const {
    const auto end = parts_.circle ? parts_.circle->end_of(parted.writer) : std::nullopt;
    const auto leads_there = [&](const std::vector<Branches::Step>& steps) {
        return end && std::ranges::any_of(
                          steps, [&](const auto& step) { return step.commit == end->segment; });
    };
    const bool ours = leads_there(parted.ours), theirs = leads_there(parted.theirs);
    if (ours != theirs) return theirs;
    return parted.theirs.front().commit < parted.ours.front().commit;
}

// Whether it is a branch whose commits are held already; a current writer's own log is not settled
// here but by a change of writer.
Result<bool> ContactRun::settle_held_fork(const store::VolumeName& volume,
                                          const store::CommitId& tip) {
    bool current = false;
    with_engine([&](core::SpaceEngine& engine) { current = engine.writer() == volume.writer; });
    if (current || !parts_.log->read(tip)) return false;
    const auto parted = branches(volume.writer, tip);
    // Commits of another log, listed as this one's: to be judged, and refused, as ever.
    if (!parted && parted.error().code == Code::Corrupt) return false;
    if (!parted) return parted.error();
    if (parted->ours.empty() || parted->theirs.empty()) return false;
    TRY(settle_fork(volume, tip));
    return true;
}

// A remote's ref holds one branch for good. Who comes to this remote alone must come to hold both,
// or it could never choose as everybody else does, and the author could never issue again what
// stands on ours. `applied`: ours wins; else it is handed out only if somebody may still miss it.
Result<void> ContactRun::hand_out(const Branches& parted, bool applied) {
    if (!applied) {
        Result<bool> known = false;
        with_engine([&](core::SpaceEngine& engine) {
            known = engine.issued_again(Branches::commits(parted.ours));
        });
        TRY(known);
        if (*known) return {};
    }
    std::vector<Offered> offered;
    for (std::size_t i = 0; i < parted.ours.size(); ++i) {
        const auto& [volume, tip] = parted.ours[i];
        if (i + 1 < parted.ours.size() && parted.ours[i + 1].volume == volume) continue;
        const store::VolumeName name{parted.writer, volume};
        if (listed_.contains(fork_ref(name, tip))) continue;
        // The remote's own ref holds this branch, or can still come to hold it.
        const auto own = listed_.find(name.ref());
        if (own == listed_.end() && applied) continue;
        const auto stands = own == listed_.end() ? store::Ancestry::Unknown
                                                 : parts_.log->compare(name, own->second);
        if (stands == store::Ancestry::Same || stands == store::Ancestry::Behind) continue;
        offered.push_back({fork_ref(name, tip), tip, {}});
    }
    if (offered.empty()) return {};
    list_is_fresh_ = false;
    return push_slice(offered);
}

// The branches that others handed out here. Those of the remote's own refs come first: what goes on
// from them is no fork.
Result<void> ContactRun::receive_forks() {
    std::vector<std::pair<store::VolumeName, Wanted>> wanted;
    TRY_ASSIGN(const auto held, parts_.log->refs());
    for (const auto& [ref, tip] : listed_) {
        const auto volume = volume_of_fork(ref);
        if (!volume || !ref.ends_with("/" + tip)) continue;
        const auto stands = parts_.log->compare(*volume, tip);
        if (stands == store::Ancestry::Same || stands == store::Ancestry::Behind) continue;
        if (refused_before(*volume, tip)) continue;
        TRY_ASSIGN(const bool settled, settle_held_fork(*volume, tip));
        if (settled) continue;
        const auto ours = held.find(volume->ref());
        wanted.push_back({*volume, {ref, tip, ours == held.end() ? "" : ours->second}});
    }
    if (wanted.empty()) return {};
    std::sort(wanted.begin(), wanted.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    if (!quarantine_) {
        TRY_ASSIGN(quarantine_, parts_.log->open_quarantine());
    }
    std::vector<Wanted> all;
    for (const auto& [volume, one] : wanted) all.push_back(one);
    list_is_fresh_ = false;
    TRY(parts_.transfer->fetch(remote_, all, *quarantine_, cancel_));
    came_whole_ = true;
    for (const auto& [volume, one] : wanted) {
        TRY(still_wanted());
        TRY(take_over({volume, one.tip, one.have}));
    }
    return {};
}

Result<void> ContactRun::switch_to(const Branches& parted) {
    const std::string& writer = parted.writer;
    if (!parted.common.empty() && parted.common_volume != parted.theirs.front().volume)
        TRY(switch_volume({writer, parted.common_volume}, parted.common));
    for (std::size_t i = 0; i < parted.theirs.size(); ++i) {
        const bool last =
            i + 1 == parted.theirs.size() || parted.theirs[i + 1].volume != parted.theirs[i].volume;
        if (last) TRY(switch_volume({writer, parted.theirs[i].volume}, parted.theirs[i].commit));
    }
    return {};
}

Result<void> ContactRun::switch_volume(const store::VolumeName& volume,
                                       const store::CommitId& tip) {
    TRY_ASSIGN(const auto held, parts_.log->refs());
    const auto at = held.find(volume.ref());
    if (at != held.end() && at->second == tip) {
        // It stays, but what followed it does not.
        const auto next = held.find(store::VolumeName{volume.writer, volume.number + 1}.ref());
        if (next == held.end()) return {};
    }
    return parts_.log->switch_volume(volume, tip);
}

std::vector<store::CommitId> ContactRun::Branches::commits(const std::vector<Step>& steps) {
    std::vector<store::CommitId> out;
    for (const Step& step : steps) out.push_back(step.commit);
    return out;
}

// Where the history that ends in `tip` and the applied one part, across volumes.
Result<ContactRun::Branches> ContactRun::branches(const domain::Writer& writer,
                                                  const store::CommitId& tip) {
    TRY_ASSIGN(auto volumes, parts_.log->volumes());
    std::erase_if(volumes, [&](const auto& volume) { return volume.name.writer != writer; });
    std::vector<Branches::Step> applied;
    for (const auto& volume : volumes) {
        TRY_ASSIGN(const auto chain, parts_.log->chain(volume.name, {}));
        for (const auto& commit : chain) applied.push_back({volume.name.number, commit});
    }
    Branches out;
    out.writer = writer;
    for (store::CommitId at = tip; !at.empty();) {
        const auto common = std::find_if(applied.begin(), applied.end(),
                                         [&](const auto& step) { return step.commit == at; });
        TRY_ASSIGN(const store::Segment segment, parts_.log->read(at));
        if (common != applied.end()) {
            out.common = at;
            out.common_volume = common->volume;
            out.common_last = segment.header.last;
            applied.erase(applied.begin(), common + 1);
            break;
        }
        if (segment.header.writer != writer)
            return failure(Code::Corrupt, "the history of " + writer + " leads into another log",
                           at);
        out.theirs.push_back({segment.header.volume, at});
        at = segment.header.previous;
    }
    std::reverse(out.theirs.begin(), out.theirs.end());
    out.ours = std::move(applied);
    return out;
}

// Once all that this contact brought is shown: the author issues again what stands on either
// branch; the others raise an alarm until they hold that.
Result<void> ContactRun::see_to_forks() {
    for (const auto& fork : std::exchange(forks_, {})) {
        const auto& volume = fork.first;
        const auto& parted = fork.second;
        Result<bool> settled = true;
        with_engine([&](core::SpaceEngine& engine) {
            for (const auto* branch : {&parted.ours, &parted.theirs}) {
                const auto segments = Branches::commits(*branch);
                const bool author = engine.is_own(volume.writer);
                const auto issued =
                    author ? engine.issue_again(segments) : Result<std::size_t>(std::size_t{0});
                if (!issued)
                    settled = issued.error();
                else if (settled && *settled)
                    settled = engine.issued_again(segments);
            }
        });
        if (!settled) return settled.error();
        if (*settled)
            with_engine([&](core::SpaceEngine& engine) {
                engine.close_alarm(core::alarm_id("fork", volume.ref()));
            });
        else
            tell_fork(volume, parted);
    }
    return {};
}

void ContactRun::tell_fork(const store::VolumeName& volume, const Branches& parted) {
    const std::string& ours = parted.ours.front().commit;
    const std::string& theirs = parted.theirs.front().commit;
    raise("fork", volume.ref(),
          "the log of " + volume.writer + " has two histories, from " + std::min(ours, theirs) +
              " (applied) and from " + std::max(ours, theirs) +
              " (kept as evidence) on, one of them at " +
              name_of_remote(remote_.name, remote_.url) +
              ". That store was restored or copied: its site should sync with every remote; it "
              "then issues again what is missing here");
}

}  // namespace dutybook::sync
