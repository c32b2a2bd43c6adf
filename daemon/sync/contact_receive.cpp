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
        if (decision.what == Do::Evidence) TRY(settle_known_fork(decision.seen));
    std::deque<std::vector<Wanted>> queue;
    for (auto group : todo.fetches) {
        std::erase_if(group, [this](const Wanted& one) { return not_again(one); });
        if (!group.empty()) queue.push_back(std::move(group));
    }
    if (queue.empty()) return {};
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
    TRY(quarantine_->clear());
    quarantine_.reset();
    return {};
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
    if (taken.fork) return settle_fork(incoming, *taken.fork);
    judge_refusal(incoming, taken);
    return {};
}

// Takes over piece by piece; `segments` of the answer stays empty (they are in the log).
Result<store::TakenOver> ContactRun::take_all(const Incoming& incoming) {
    for (;;) {
        TRY_ASSIGN(store::TakenOver taken,
                   parts_.log->take_over(*quarantine_, incoming, *parts_.judge));
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
    if (taken.newer) {
        raise("update-needed", incoming.volume.writer,
              "the log of " + incoming.volume.writer +
                  " was written by a newer Dutybook from here on; it is kept, and waits until this "
                  "site is updated");
        return;
    }
    if (parts_.circle != nullptr &&
        parts_.circle->removed(domain::site_of(incoming.volume.writer))) {
        set_aside(incoming, *taken.refused);
        return;
    }
    raise("refused", ref,
          name_of_remote(remote_.name, remote_.url) + " offers for " + ref +
              " what was not taken over: " + taken.refused->text());
}

}  // namespace dutybook::sync
