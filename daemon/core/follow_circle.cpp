// What a change of the circle of members means for the space: logs and index are cut where a
// removed site's count ends, retired sites are recorded by whoever holds the pen, alarms follow.

#include "core/circle.h"
#include "core/engine_state.h"
#include "core/space_engine.h"

#include "base/log.h"

#include <algorithm>
#include <array>

namespace dutybook::core {

namespace {

constexpr std::array<std::string_view, 7> kinds{
    "control-missing", "invite-used-twice",  "control-lost",  "key-replaced",
    "outside",         "key-replaced-twice", "format-too-old"};

// What a site said of itself as its last word, the pen's holder writes down.
void record_retired(Circle& circle, const std::vector<SpaceEngine::Peer>& peers) {
    const auto members = circle.membership();
    if (!members || !circle.holds_pen()) return;
    for (const auto& peer : peers) {
        const auto* member = members->find(peer.site);
        if (!peer.next_heard || *peer.next_heard != never_again || member == nullptr ||
            member->standing != domain::Standing::Active) {
            continue;
        }
        domain::ControlAct act;
        act.kind = domain::ControlKind::Retire;
        act.site = peer.site;
        const auto done = circle.append(std::move(act), false);
        if (!done) log_warning("core", "a retired site is not recorded: " + done.error().text());
    }
}

}  // namespace

// New keys are for new writers: a log bears one key, and the old one's ends where all know it.
Result<void> SpaceEngine::follow_own_keys() {
    Circle& circle = *parts_.circle;
    if (circle.renewal_due()) {
        Seal all;
        all.force = true;
        all.introduce = !circle.introduction(writer()).empty();
        TRY(seal(all));
        TRY_ASSIGN(const auto last, parts_.journal->last_seal(writer()));
        const auto end =
            last ? domain::Position{last->header.last, last->commit} : domain::Position{};
        TRY(circle.announce(writer(), end));
    }
    if (circle.has_ended(writer()))
        return reissue(parts_.journal->sealed_upto(writer()) + 1, "this site has new keys");
    TRY_ASSIGN(const bool introduced, introduced_as_now());
    if (introduced) return {};
    return reissue(parts_.journal->sealed_upto(writer()) + 1, "this site was invited again");
}

// The first segment of a log tells by which invite its site came; another one takes another log.
Result<bool> SpaceEngine::introduced_as_now() {
    const auto own = writer();
    const std::string now = parts_.circle->introduction(own);
    if (now.empty() || now == state_->introduction || parts_.circle->outside()) return true;
    TRY_ASSIGN(const auto last, parts_.journal->last_seal(own));
    if (!last) return true;
    // A log that is damaged must not keep the space from opening: verify tells of it.
    const auto chain = parts_.log->chain({own, 1}, {});
    if (!chain || chain->empty()) return true;
    const auto first = parts_.log->read(chain->front());
    if (!first) return true;
    if (first->header.introduction != now) return false;
    state_->introduction = now;
    return true;
}

Result<void> SpaceEngine::follow_circle() {
    if (parts_.circle == nullptr) return {};
    Circle& circle = *parts_.circle;
    state_->peers.refresh();
    TRY(follow_own_keys());
    const auto recorded = circle.record_renewals();
    if (!recorded) {
        log_warning("core", "new keys are not recorded: " + recorded.error().text());
    }
    record_retired(circle, peers());
    const auto shared = circle.share_keys();
    if (!shared) log_warning("core", "keys are not passed on: " + shared.error().text());
    const auto cuts = circle.cuts();
    for (const auto& cut : cuts ? *cuts : std::vector<Circle::Cut>{}) {
        const auto done = circle.cut(cut);
        if (!done && done.error().code == Code::NotFound) continue;  // not held up to there yet
        TRY(done);
        TRY(state_->receiver.forget_plan());
        TRY_ASSIGN(const auto changed, parts_.index->retract_from(cut.writer, cut.after.seq + 1));
        state_->rechecks.note(changed);
        log_info("core", "a removed site's later operations are set aside",
                 {{"space", facts_.name}, {"writer", cut.writer}, {"after", cut.after.seq}});
        state_->changed.many = true;
    }
    refresh_frontier();
    const auto standing = circle.alarms();
    for (const Alarm& alarm : alarms()) {
        if (std::ranges::find(kinds, alarm.kind) == kinds.end()) continue;
        const bool still = std::ranges::any_of(standing, [&](const Alarm& one) {
            return alarm_id(one.kind, one.subject) == alarm.id;
        });
        if (!still) close_alarm(alarm.id);
    }
    for (const Alarm& alarm : standing) raise(alarm);
    return {};
}

}  // namespace dutybook::core
