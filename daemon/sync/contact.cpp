#include "sync/contact.h"

#include "core/alarms.h"
#include "sync/contact_run.h"
#include "sync/git_errors.h"

#include <algorithm>

namespace dutybook::sync {

namespace {

// Operations folded in one turn on the space's thread: tens of milliseconds.
constexpr std::size_t folded_at_once = 3000;
// A copy of this store may write under our name while we are at it; once more then settles it.
constexpr int most_turns = 3;

}  // namespace

std::string subject_at(const std::string& remote, const std::string& ref) {
    return remote + " " + ref;
}

void close_alarms_of(core::SpaceEngine& engine, const std::string& remote,
                     const std::set<std::string>& standing) {
    static const std::set<std::string> kinds = {"refused", "not-received", "strangers",
                                                "removed-site"};
    for (const core::Alarm& alarm : engine.alarms()) {
        const bool ours = kinds.contains(alarm.kind) &&
                          (alarm.subject == "more" || alarm.subject.starts_with(remote + " "));
        if (ours && !standing.contains(alarm.id)) engine.close_alarm(alarm.id);
    }
}

Outcome contact(const RemoteConfig& remote, const Transfer::Refs& remembered,
                const ContactParts& parts, const std::atomic<bool>& cancel) {
    return ContactRun(remote, remembered, parts, cancel).run();
}

void RefusedTips::judged_by(const std::string& knowledge) {
    if (knowledge != knowledge_) tips_.clear();
    knowledge_ = knowledge;
}

bool RefusedTips::holds(const store::VolumeName& volume, const store::CommitId& tip) const {
    return tips_.contains({volume, tip});
}

void RefusedTips::add(const store::VolumeName& volume, const store::CommitId& tip) {
    // A remote that lists another one every time must not fill our memory.
    constexpr std::size_t most = 10'000;
    if (tips_.size() >= most) tips_.clear();
    tips_.emplace(volume, tip);
}

void RefusedTips::forget(const domain::Writer& writer) {
    std::erase_if(tips_, [&](const auto& one) { return one.first.writer == writer; });
}

Outcome ContactRun::run() {
    const Millis begin = parts_.clock->monotonic();
    outcome_.remote = remote_.name;
    outcome_.remembered = remembered_;
    with_engine([&](core::SpaceEngine& engine) { outcome_.space = engine.facts().name; });
    const auto done = steps();
    if (!done)
        outcome_.error = done.error();
    else if (partial_)
        outcome_.error = partial_;
    outcome_.ok = !outcome_.error;
    with_engine([&](core::SpaceEngine& engine) {
        if (saw_all_) close_alarms_of(engine, remote_.name, standing_);
        if (saw_all_ && outcome_.ok) engine.look_for_silence();
    });
    remember();
    const Moved moved = parts_.transfer->moved();
    outcome_.bytes_in = moved.bytes_in;
    outcome_.bytes_out = moved.bytes_out;
    outcome_.objects_in = moved.objects_in;
    outcome_.seconds = static_cast<double>(parts_.clock->monotonic() - begin) / 1000.0;
    tell("done");
    return std::move(outcome_);
}

Result<void> ContactRun::steps() {
    TRY(list());
    for (int turn = 1;; ++turn) {
        TRY(receive_control());
        if (parts_.refused != nullptr) {
            parts_.refused->judged_by(parts_.circle != nullptr ? parts_.circle->judged_by() : "");
        }
        auto received = receive();
        // What arrived before the link dropped is shown all the same.
        const auto folded = fold();
        if (!received) return received;
        TRY(folded);
        TRY(follow_circle());
        TRY(see_to_forks());
        TRY(send());
        TRY_ASSIGN(const Plan left, plan());
        const bool own_ahead =
            std::any_of(left.decisions.begin(), left.decisions.end(),
                        [](const Decision& one) { return one.what == Do::NewWriter; });
        if (!own_ahead) return {};
        if (turn == most_turns || partial_)
            return failure(Code::Conflict, name_of_remote(remote_.name, remote_.url),
                           "another copy of this store writes there under the same name",
                           "see that only one daemon runs on this store and its copies");
    }
}

Result<void> ContactRun::list() {
    TRY(still_wanted());
    tell("list");
    TRY_ASSIGN(listed_, parts_.transfer->list(remote_, cancel_));
    list_is_fresh_ = true;
    return {};
}

Result<Holdings> ContactRun::holdings() {
    Holdings held;
    TRY_ASSIGN(held.ours, parts_.log->refs());
    held.remembered = remembered_;
    with_engine([&](core::SpaceEngine& engine) {
        held.own_site = engine.facts().site;
        held.current_writer = engine.writer();
    });
    return held;
}

Result<Plan> ContactRun::plan() {
    TRY_ASSIGN(const Holdings held, holdings());
    return plan_fetch(listed_, held, compare(), older());
}

Compare ContactRun::compare() const {
    return [log = parts_.log](const store::VolumeName& volume, const store::CommitId& theirs) {
        return log->compare(volume, theirs);
    };
}

Older ContactRun::older() const {
    return [log = parts_.log](const store::VolumeName& volume, const store::CommitId& first,
                              const store::CommitId& second) {
        const auto chain = log->chain(volume, {});
        if (!chain) return false;
        const auto at = std::find(chain->begin(), chain->end(), first);
        return at != chain->end() && std::find(at + 1, chain->end(), second) != chain->end();
    };
}

Result<void> ContactRun::fold() {
    std::uint64_t done = 0;
    with_engine([](core::SpaceEngine& engine) { engine.arrived(false); });
    if (outcome_.operations_in > 0) tell("fold", 0, outcome_.operations_in);
    for (bool more = true; more;) {
        TRY(still_wanted());
        Result<core::SpaceEngine::Folded> folded = core::SpaceEngine::Folded{};
        with_engine(
            [&](core::SpaceEngine& engine) { folded = engine.fold_received(folded_at_once); });
        if (!folded) return folded.error();
        done += folded->operations;
        more = folded->more;
        tell("fold", done, std::max(done, outcome_.operations_in));
    }
    return {};
}

Result<void> ContactRun::still_wanted() const {
    if (!cancel_.load()) return {};
    return failure(Code::Unavailable, name_of_remote(remote_.name, remote_.url),
                   "the sync was stopped", "it goes on from there with the next one");
}

void ContactRun::tell(const char* step, std::uint64_t done, std::uint64_t all) const {
    if (parts_.progress) parts_.progress({step, done, all});
}

void ContactRun::with_engine(const std::function<void(core::SpaceEngine&)>& task) const {
    parts_.engine->run(task);
}

void ContactRun::raise(const char* kind, const std::string& subject, const std::string& message) {
    outcome_.notes.push_back(message);
    with_engine([&](core::SpaceEngine& engine) { engine.raise({"", kind, subject, message, 0}); });
}

void ContactRun::remember() {
    if (listed_.empty() && !list_is_fresh_) return;  // nothing was listed at all
    // Only what we hold: what else a remote lists may be anything, and any number.
    if (const auto held = parts_.log->refs())
        for (const auto& [ref, tip] : listed_)
            if (held->contains(ref)) outcome_.listed[ref] = tip;
    outcome_.remembered = outcome_.listed;
    const auto left = plan();
    for (const std::string& ref : left ? left->gone_back : std::vector<std::string>{})
        outcome_.remembered[ref] = remembered_.at(ref);
}

Result<std::uint64_t> ContactRun::last_of(const store::VolumeInfo& volume,
                                          const store::CommitId& commit) {
    if (commit.empty()) return volume.first - 1;
    if (commit == volume.tip) return volume.last;
    TRY_ASSIGN(const store::Segment segment, parts_.log->read(commit));
    return segment.header.last;
}

}  // namespace dutybook::sync
