// Sealing, and pushing until the remote's list leaves nothing to push.

#include "sync/contact_run.h"
#include "sync/git_errors.h"

#include <algorithm>

namespace dutybook::sync {

namespace {

// Segments sealed in one turn on the space's thread.
constexpr std::size_t sealed_at_once = 4;
// Rounds of list and push in which nothing got through, before the refusal is believed. Others
// push the same refs at the same time: what a refusal means, the next list tells.
constexpr int idle_rounds = 3;
constexpr int most_rounds = 100;

bool same(const Pushes& a, const Pushes& b) {
    const auto flat = [](const Pushes& pushes) {
        std::set<std::string> texts;
        const auto add = [&](const std::vector<Offered>& offered) {
            for (const Offered& one : offered)
                texts.insert(one.ref + " " + one.tip + " " + one.expected);
        };
        add(pushes.constant);
        for (const auto& slice : pushes.relay) add(slice);
        for (const auto& slice : pushes.own) add(slice);
        return texts;
    };
    return flat(a) == flat(b);
}

}  // namespace

Result<void> ContactRun::send() {
    TRY(still_wanted());
    TRY(seal());
    TRY(push_until_nothing_is_left());
    return note_shared();
}

Result<void> ContactRun::seal() {
    tell("seal");
    const auto next = parts_.next_heard ? parts_.next_heard() : std::nullopt;
    const bool receipt = parts_.receipt_due && parts_.receipt_due();
    for (std::size_t sealed = sealed_at_once; sealed == sealed_at_once;) {
        Result<std::size_t> done = std::size_t{0};
        with_engine([&](core::SpaceEngine& engine) {
            const bool introduce =
                parts_.circle != nullptr && !parts_.circle->introduction(engine.writer()).empty();
            done = engine.seal({true, receipt, next, sealed_at_once, introduce});
        });
        // Others' logs and what gave way go on all the same.
        if (!done && outside()) partial_ = done.error();
        if (!done) return outside() ? Result<void>{} : done.error();
        sealed = *done;
        outcome_.receipt = outcome_.receipt || (receipt && sealed > 0);
        TRY(still_wanted());
    }
    return {};
}

bool ContactRun::outside() const {
    return parts_.circle != nullptr && parts_.circle->outside().has_value();
}

Result<void> ContactRun::push_until_nothing_is_left() {
    TRY_ASSIGN(const bool mended, mend());
    if (mended) list_is_fresh_ = false;
    std::optional<Pushes> before;
    int idle = 0;
    for (int round = 0; round < most_rounds; ++round) {
        if (!list_is_fresh_) TRY(list());
        TRY_ASSIGN(const Holdings held, holdings());
        TRY_ASSIGN(const store::CommitId readme, parts_.log->readme_commit());
        Pushes pushes = plan_push(listed_, held, compare(), readme);
        if (outside()) pushes.own.clear();  // nobody would take it over yet
        offer_control(pushes);
        if (pushes.empty()) return {};
        idle = before && same(*before, pushes) ? idle + 1 : 0;
        if (idle == idle_rounds) return refused();
        before = pushes;
        TRY(push_round(pushes));
    }
    return failure(Code::Conflict, name_of_remote(remote_.name, remote_.url),
                   "its list keeps changing while we push", "sync again");
}

Error ContactRun::refused() const {
    const auto said = [&](const char* words) { return refusal_.find(words) != std::string::npos; };
    std::string fix =
        "let this account push to refs/heads/log/*, refs/heads/control and refs/heads/dutybook "
        "there";
    if (said(".lock'"))
        fix =
            "a transfer that was cut off left a lock there: in a folder it is removed after an "
            "hour, elsewhere remove it if nothing writes there";
    return failure(
        Code::Conflict, name_of_remote(remote_.name, remote_.url),
        "it refuses what is sent" + (refusal_.empty() ? std::string() : " (" + refusal_ + ")"),
        std::move(fix));
}

Result<void> ContactRun::push_round(const Pushes& pushes) {
    std::vector<std::vector<Offered>> slices;
    if (!pushes.constant.empty()) slices.push_back(pushes.constant);
    slices.insert(slices.end(), pushes.relay.begin(), pushes.relay.end());
    slices.insert(slices.end(), pushes.own.begin(), pushes.own.end());
    list_is_fresh_ = false;
    for (std::size_t done = 0; done < slices.size(); ++done) {
        TRY(still_wanted());
        tell("push", done, slices.size());
        const auto pushed = push_slice(slices[done]);
        if (pushed) continue;
        // A directory whose repository turns out to be damaged only now.
        if (pushed.error().code != Code::Corrupt) return pushed.error();
        TRY_ASSIGN(const bool mended, mend());
        return mended ? Result<void>{} : pushed.error();
    }
    tell("verify");
    return {};
}

Result<void> ContactRun::push_slice(const std::vector<Offered>& offered) {
    TRY_ASSIGN(const PushOutcome outcome, parts_.transfer->push(remote_, offered, cancel_));
    TRY_ASSIGN(const auto volumes, parts_.log->volumes());
    for (const Offered& one : offered) {
        const auto verdict = outcome.refs.find(one.ref);
        if (verdict == outcome.refs.end() || verdict->second == Pushed::Refused) {
            const auto reason = outcome.reasons.find(one.ref);
            if (reason != outcome.reasons.end()) refusal_ = reason->second;
            continue;
        }
        if (verdict->second != Pushed::Done) continue;
        for (const auto& volume : volumes) {
            if (volume.name.ref() != one.ref) continue;
            TRY_ASSIGN(const std::uint64_t last, last_of(volume, one.tip));
            TRY_ASSIGN(const std::uint64_t there, last_of(volume, one.expected));
            outcome_.operations_out += last - std::min(last, there);
        }
    }
    return {};
}

Result<bool> ContactRun::mend() {
    TRY_ASSIGN(const std::string sentence, parts_.transfer->mend(remote_, cancel_));
    if (sentence.empty()) return false;
    outcome_.notes.push_back(sentence);
    return true;
}

// What the list shows of our own logs is elsewhere now: for each writer, as far as its volumes
// are there without a gap.
Result<void> ContactRun::note_shared() {
    TRY_ASSIGN(const auto volumes, parts_.log->volumes());
    std::string site;
    with_engine([&](core::SpaceEngine& engine) { site = engine.facts().site; });
    std::map<domain::Writer, std::uint64_t> upto;
    std::set<domain::Writer> ended;
    for (const auto& volume : volumes) {
        const domain::Writer& writer = volume.name.writer;
        if (domain::site_of(writer) != site || ended.contains(writer)) continue;
        const auto there = listed_.find(volume.name.ref());
        const auto stands = there == listed_.end()
                                ? store::Ancestry::Unknown
                                : parts_.log->compare(volume.name, there->second);
        if (stands != store::Ancestry::Same) ended.insert(writer);
        if (stands != store::Ancestry::Same && stands != store::Ancestry::Behind) continue;
        TRY_ASSIGN(upto[writer], last_of(volume, there->second));
    }
    with_engine([&](core::SpaceEngine& engine) {
        for (const auto& [writer, last] : upto) engine.note_shared(writer, last);
    });
    return {};
}

}  // namespace dutybook::sync
