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

Outcome contact(const RemoteConfig& remote, const Transfer::Refs& remembered,
                const ContactParts& parts, const std::atomic<bool>& cancel) {
    return ContactRun(remote, remembered, parts, cancel).run();
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
        auto received = receive();
        // What arrived before the link dropped is shown all the same.
        const auto folded = fold();
        if (!received) return received;
        TRY(folded);
        TRY(follow_circle());
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
    if (outcome_.operations_in > 0) tell("fold", 0, outcome_.operations_in);
    for (bool more = true; more;) {
        TRY(still_wanted());
        Result<core::SpaceEngine::Folded> folded = core::SpaceEngine::Folded{};
        with_engine([&](core::SpaceEngine& engine) {
            for (const auto& ref : taken_refs_)
                for (const char* kind : {"refused", "removed-site"})
                    engine.close_alarm(core::alarm_id(kind, ref));
            taken_refs_.clear();
            folded = engine.fold_received(folded_at_once);
        });
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
    outcome_.listed = listed_;
    if (listed_.empty() && !list_is_fresh_) return;  // nothing was listed at all
    outcome_.remembered = listed_;
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
