// Fetching slices and taking them over.

#include "core/alarms.h"
#include "sync/contact_run.h"
#include "sync/git_errors.h"

#include <deque>

namespace dutybook::sync {

namespace {

// The quarantine is emptied after so many slices: it holds what the log holds by then.
constexpr std::size_t slices_kept = 16;

// The link or this machine failed, not one volume: the others would fail as well.
bool ends_contact(const Error& error, bool single) {
    switch (error.code) {
        case Code::Timeout:
        case Code::Full:
        case Code::Forbidden:
            return true;
        case Code::Unavailable:
        case Code::Io:
            return single;
        default:
            return false;
    }
}

}  // namespace

Result<void> ContactRun::receive() {
    TRY_ASSIGN(const Plan todo, plan());
    look_for_lost_heads(todo.gone_back);
    for (const Decision& decision : todo.decisions)
        if (decision.what == Do::Evidence)
            TRY(settle_fork(decision.seen.volume, decision.seen.theirs));
    std::deque<std::vector<Wanted>> queue;
    for (const auto& group : todo.fetches) {
        TRY_ASSIGN(auto rest, without_refused(group));
        if (!rest.empty()) queue.push_back(std::move(rest));
    }
    if (!queue.empty()) TRY(receive_volumes(std::move(queue)));
    TRY(receive_forks());
    if (!quarantine_) return {};
    TRY(quarantine_->clear());
    quarantine_.reset();
    return {};
}

Result<void> ContactRun::receive_volumes(std::deque<std::vector<Wanted>> queue) {
    TRY_ASSIGN(quarantine_, parts_.log->open_quarantine());
    std::uint64_t volumes = 0;
    for (const auto& group : queue) volumes += group.size();
    const std::uint64_t all = volumes;
    std::size_t slices = 0;
    while (!queue.empty()) {
        TRY(still_wanted());
        tell("fetch", all - volumes, all);
        const std::vector<Wanted> group = std::move(queue.front());
        queue.pop_front();
        const auto fetched = fetch_group(group);
        came_whole_ = fetched.has_value();
        TRY(take_over_group(group));
        if (fetched) {
            volumes -= std::min<std::uint64_t>(volumes, group.size());
            if (++slices % slices_kept == 0) TRY(quarantine_->clear());
            continue;
        }
        TRY(still_wanted());
        if (ends_contact(fetched.error(), group.size() == 1)) return fetched.error();
        if (group.size() > 1) {
            auto halves = split(group);
            queue.insert(queue.begin(), halves.begin(), halves.end());
            continue;
        }
        partial_ = fetched.error();
        if (const auto name = store::VolumeName::parse(group[0].ref)) stuck_.insert(name->writer);
    }
    return {};
}

// What was judged before and would be judged the same is not even transferred, and the volumes that
// follow it wait with it. A branch that is kept as evidence is settled without a transfer.
Result<std::vector<Wanted>> ContactRun::without_refused(const std::vector<Wanted>& wanted) {
    std::vector<Wanted> rest;
    for (const Wanted& one : wanted) {
        const auto name = store::VolumeName::parse(one.ref);
        if (name && refused_before(*name, one.tip)) {
            stuck_.insert(name->writer);
            continue;
        }
        if (name) {
            TRY_ASSIGN(const bool settled, settle_held_fork(*name, one.tip));
            if (settled) continue;
        }
        rest.push_back(one);
    }
    return rest;
}

bool ContactRun::refused_before(const store::VolumeName& volume, const store::CommitId& tip) const {
    return parts_.refused != nullptr && parts_.refused->holds(volume, tip);
}

// What was refused of a writer may follow from what came of it now.
void ContactRun::came(const domain::Writer& writer) {
    if (parts_.refused != nullptr) parts_.refused->forget(writer);
}

void ContactRun::remember_refusal(const store::VolumeName& volume, const store::CommitId& tip) {
    if (parts_.refused != nullptr) parts_.refused->add(volume, tip);
}

// Volumes that follow one that failed are left for another contact.
Result<void> ContactRun::fetch_group(const std::vector<Wanted>& wanted) {
    std::vector<Wanted> possible;
    for (const Wanted& one : wanted) {
        const auto name = store::VolumeName::parse(one.ref);
        if (name && !stuck_.contains(name->writer)) possible.push_back(one);
    }
    if (possible.empty()) return {};
    list_is_fresh_ = false;
    return parts_.transfer->fetch(remote_, possible, *quarantine_, cancel_);
}

// Also after a failed fetch: a volume that came whole before the link dropped is kept.
Result<void> ContactRun::take_over_group(const std::vector<Wanted>& wanted) {
    for (const Wanted& one : wanted) {
        const auto name = store::VolumeName::parse(one.ref);
        if (!name || stuck_.contains(name->writer)) continue;
        tell("check", 0, 0);
        TRY(take_over({*name, one.tip, one.have}));
    }
    return {};
}

Result<void> ContactRun::take_over(const Incoming& incoming) {
    bool own = false;
    with_engine(
        [&](core::SpaceEngine& engine) { own = engine.writer() == incoming.volume.writer; });
    if (own) return take_over_own(incoming);
    TRY_ASSIGN(const store::TakenOver taken, take_all(incoming));
    if (!taken.fork) {
        judge_refusal(incoming, taken);
        return {};
    }
    const Incoming good = checked_part(incoming, *taken.fork);
    TRY(parts_.log->keep_evidence(*quarantine_, good));
    came(good.volume.writer);
    if (good.tip != incoming.tip) judge_refusal(incoming, taken);
    return settle_fork(good.volume, good.tip);
}

// Of a branch only what passed every check is kept.
Incoming ContactRun::checked_part(const Incoming& incoming, const store::Fork& fork) {
    Incoming good = incoming;
    good.tip = fork.tip;
    return good;
}

// Takes over piece by piece; `segments` of the answer stays empty (they are in the log).
Result<store::TakenOver> ContactRun::take_all(const Incoming& incoming) {
    for (;;) {
        TRY_ASSIGN(store::TakenOver taken,
                   parts_.log->take_over(*quarantine_, incoming, *parts_.judge));
        if (!taken.segments.empty()) came(incoming.volume.writer);
        for (const auto& accepted : taken.segments)
            outcome_.operations_in += accepted.segment.lines.size();
        if (taken.more) continue;
        taken.segments.clear();
        return taken;
    }
}

void ContactRun::judge_refusal(const Incoming& incoming, const store::TakenOver& taken) {
    const std::string ref = incoming.volume.ref();
    if (!taken.refused) {
        taken_refs_.push_back(ref);
        return;
    }
    // Not in the quarantine: the fetch failed, and its own error says so.
    if (taken.refused->code == Code::NotFound) return;
    stuck_.insert(incoming.volume.writer);
    // What waits for the volume before it is judged when that has come.
    const bool waits = taken.refused->code == Code::Unavailable;
    if (came_whole_ && !waits) remember_refusal(incoming.volume, incoming.tip);
    if (taken.newer) {
        raise("update-needed", incoming.volume.writer,
              "the log of " + incoming.volume.writer +
                  " was written by a newer Dutybook from here on; it is kept, and waits until this "
                  "site is updated");
        return;
    }
    raise("refused", ref,
          name_of_remote(remote_.name, remote_.url) + " offers for " + ref +
              " what was not taken over: " + taken.refused->text());
}

}  // namespace dutybook::sync
