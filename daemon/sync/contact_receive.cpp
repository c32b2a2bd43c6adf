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
        if (decision.what == Do::Evidence) meet_known_fork(decision.seen);
    TRY_ASSIGN(const auto held, parts_.log->volumes());
    for (const Decision& decision : todo.decisions) strangers_.insert(decision.seen.volume.writer);
    for (const auto& volume : held) strangers_.erase(volume.name.writer);
    std::deque<std::vector<Wanted>> queue;
    std::set<domain::Writer> coming;  // of whom something is fetched now
    for (const auto& group : todo.fetches) {
        TRY_ASSIGN(auto rest, without_refused(group, coming));
        if (!rest.empty()) queue.push_back(std::move(rest));
    }
    if (!queue.empty()) TRY(receive_volumes(std::move(queue)));
    TRY(receive_forks());
    saw_all_ = true;
    if (!quarantine_) return {};
    TRY(quarantine_->clear());
    quarantine_.reset();
    return {};
}

// What a remote lists is held here, but perhaps as another log's: that stops nothing else.
void ContactRun::meet_known_fork(const Seen& seen) {
    const auto settled = settle_fork(seen.volume, seen.theirs);
    if (settled) return;
    stuck_.insert(seen.volume.writer);
    raise_for_log("refused", seen.volume,
                  "what it offers was not taken over: " + settled.error().text() +
                      ". What was held before still counts. Find out who can write there");
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
        const std::vector<Wanted> group = worth_fetching(queue.front());
        queue.pop_front();
        if (group.empty()) continue;
        const auto fetched = fetch_group(group);
        came_whole_ = fetched.has_value();
        TRY(take_over_group(group));
        with_engine([&](core::SpaceEngine& engine) { engine.arrived(!queue.empty()); });
        if (fetched) {
            volumes -= std::min<std::uint64_t>(volumes, group.size());
            if (++slices % slices_kept == 0) TRY(quarantine_->clear());
            continue;
        }
        TRY(still_wanted());
        // What was cut off lies there and would add up; what came whole was taken over.
        TRY(quarantine_->clear());
        if (ends_contact(fetched.error(), group.size() == 1)) {
            tell_undelivered(group, fetched.error());
            return fetched.error();
        }
        if (group.size() > 1) {
            auto halves = split(group);
            queue.insert(queue.begin(), halves.begin(), halves.end());
            continue;
        }
        partial_ = fetched.error();
        tell_undelivered(group, fetched.error());
        if (const auto name = store::VolumeName::parse(group[0].ref)) stuck_.insert(name->writer);
    }
    return {};
}

// Anybody who may write to the remote can list logs without end. Those of writers that nobody here
// knows are looked at as long as some of them prove to be good: a site that joins knows nobody.
std::vector<Wanted> ContactRun::worth_fetching(const std::vector<Wanted>& wanted) {
    constexpr std::size_t most_useless = 64;
    std::vector<Wanted> worth;
    for (const Wanted& one : wanted) {
        const auto name = store::VolumeName::parse(one.ref);
        if (!name || (useless_ >= most_useless && strangers_.contains(name->writer))) continue;
        worth.push_back(one);
    }
    if (worth.size() < wanted.size() && !std::exchange(strangers_told_, true)) {
        raise_for_log(
            "strangers", *store::VolumeName::parse(wanted.front().ref),
            "lists more than " + std::to_string(most_useless) +
                " logs of sites that nobody here knows, and none of them is any good; the "
                "rest of them is left alone. Find out who else can write there, and have "
                "those logs removed");
    }
    return worth;
}

void ContactRun::note_use(const store::VolumeName& volume, bool use) {
    if (!strangers_.contains(volume.writer)) return;
    if (use) {
        strangers_.erase(volume.writer);
        useless_ = 0;
    } else {
        ++useless_;
    }
}

void ContactRun::raise_for_log(const char* kind, const store::VolumeName& volume,
                               const std::string& what) {
    const std::string subject = subject_at(remote_.name, volume.ref());
    standing_.insert(core::alarm_id(kind, subject));
    standing_.insert(core::alarm_id(kind, "more"));
    raise(kind, subject,
          name_of_remote(remote_.name, remote_.url) + ", log " + volume.ref() + " of site " +
              std::string(domain::site_of(volume.writer)) + ": " + what);
}

// A link that drops is no alarm; a remote that answers and then sends what cannot be used is.
void ContactRun::tell_undelivered(const std::vector<Wanted>& wanted, const Error& error) {
    if (error.code == Code::Unavailable || error.code == Code::Full) return;
    const auto name = store::VolumeName::parse(wanted.front().ref);
    if (!name) return;
    const auto others = wanted.size() - 1;
    raise_for_log(
        "not-received", *name,
        "it is listed" +
            (others > 0 ? ", with " + std::to_string(others) + " others," : std::string()) +
            " and could not be fetched: " + error.why +
            (error.fix.empty() ? std::string() : "; " + error.fix) +
            ". Everything else goes on, and the next sync tries again");
}

// What was judged before and would be judged the same is not even transferred, and the volumes that
// follow it wait with it. Where an earlier volume of that log comes now, it may be judged
// otherwise. A branch that is kept as evidence is settled without a transfer.
Result<std::vector<Wanted>> ContactRun::without_refused(const std::vector<Wanted>& wanted,
                                                        std::set<domain::Writer>& coming) {
    std::vector<Wanted> rest;
    for (const Wanted& one : wanted) {
        const auto name = store::VolumeName::parse(one.ref);
        if (name && refused_before(*name, one.tip) && !coming.contains(name->writer)) {
            stuck_.insert(name->writer);
            note_use(*name, false);
            // Its alarm was raised when it was judged, and stands.
            standing_.insert(core::alarm_id("refused", subject_at(remote_.name, one.ref)));
            standing_.insert(core::alarm_id("refused", "more"));
            standing_.insert(core::alarm_id("removed-site", subject_at(remote_.name, one.ref)));
            continue;
        }
        if (name) {
            TRY_ASSIGN(const bool settled, settle_held_fork(*name, one.tip));
            if (settled) continue;
            coming.insert(name->writer);
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

// git takes the end of a shallow clone's history for no failure, and leaves it out.
void ContactRun::not_handed_out(const Incoming& incoming) {
    const Error error =
        failure(Code::Conflict, name_of_remote(remote_.name, remote_.url),
                "it lists what it does not hand out, as a shallow clone does",
                "make that repository anew with `git clone --mirror`, or sync with another remote");
    partial_ = error;
    stuck_.insert(incoming.volume.writer);
    tell_undelivered({{incoming.volume.ref(), incoming.tip, incoming.have}}, error);
}

void ContactRun::judge_refusal(const Incoming& incoming, const store::TakenOver& taken) {
    if (!taken.refused) {
        note_use(incoming.volume, true);
        return;
    }
    if (taken.refused->code == Code::NotFound) {  // not in the quarantine
        if (came_whole_) not_handed_out(incoming);
        return;  // else the fetch failed, and its own error says so
    }
    if (came_whole_) note_use(incoming.volume, false);
    stuck_.insert(incoming.volume.writer);
    // Who may write there is told in a control log that this site cannot read on.
    if (outside() && taken.refused->code == Code::Forbidden) return;
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
    if (taken.refused->code == Code::Denied) {  // by its author, after it was removed
        set_aside(incoming, *taken.refused);
        return;
    }
    raise_for_log("refused", incoming.volume,
                  "what it offers was not taken over: " + taken.refused->text() +
                      ". What was held before still counts. Find out who can write there, and ask "
                      "that site to sync with another remote; if its own store is damaged, run "
                      "verify there");
}

}  // namespace dutybook::sync
