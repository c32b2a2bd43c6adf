// Who belongs: the control log is fetched before the writers' logs, which are judged by it, and
// pushed with the relay.

#include "core/alarms.h"
#include "sync/contact_run.h"
#include "sync/git_errors.h"

#include <algorithm>

namespace dutybook::sync {

namespace {

// Branches of the control log that gave way, looked at in one contact; anybody who can write to
// the remote can make such names.
constexpr std::size_t most_lost = 16;

// The remote answered, and what it lists there is no well-formed object or none at all. Else the
// link or this machine failed.
bool worth_nothing(const Error& error) {
    switch (error.code) {
        case Code::Corrupt:
        case Code::Conflict:
        case Code::Malformed:
        case Code::TooLarge:
            return true;
        default:
            return false;
    }
}

}  // namespace

Result<void> ContactRun::receive_control() {
    core::Circle* const circle = parts_.circle;
    if (circle == nullptr) return {};
    TRY(still_wanted());
    look_for_lost_control();
    control_replaceable_ = control_unread_ = other_space_ = false;
    std::vector<Wanted> wanted;
    const auto listed = listed_.find(store::control_ref);
    if (listed != listed_.end() && !circle->holds(listed->second))
        wanted.push_back({listed->first, listed->second, circle->head()});
    for (const auto& [ref, tip] : listed_)
        if (ref == std::string(store::lost_control_prefix) + tip && !circle->holds(tip) &&
            wanted.size() <= most_lost)
            wanted.push_back({ref, tip, circle->head()});
    if (wanted.empty()) {
        control_is_good();
        return {};
    }
    TRY_ASSIGN(quarantine_, parts_.log->open_quarantine());
    for (const Wanted& one : wanted) {
        tell("fetch");
        TRY(still_wanted());
        meet_control(one);
    }
    const auto cleared = quarantine_->clear();
    quarantine_.reset();
    TRY(cleared);
    if (other_space_ && never_ours()) {
        return failure(
            Code::Conflict, name_of_remote(remote_.name, remote_.url),
            "it holds another space; nothing was sent there",
            "see its URL with `dutybook remote list`: each space has a remote of its own");
    }
    return follow_circle();
}

// A host that puts another space's control log over ours is replaced; a remote that was named by
// mistake must not lose its own.
bool ContactRun::never_ours() const {
    if (remembered_.contains(std::string(store::control_ref))) return false;
    const auto members = parts_.circle->membership();
    return members != nullptr && std::ranges::none_of(listed_, [&](const auto& listed) {
               const auto volume = store::VolumeName::parse(listed.first);
               return volume && members->find(domain::site_of(volume->writer)) != nullptr;
           });
}

// A control log that cannot be used stops nothing else of the contact.
void ContactRun::meet_control(const Wanted& wanted) {
    const bool main = wanted.ref == store::control_ref;
    const auto refuse = [&](const Error& error) {
        if (!main) return;
        control_refused_ = true;
        raise(error.code == Code::NewerFormat ? "update-needed" : "control-refused", remote_.name,
              name_of_remote(remote_.name, remote_.url) + " offers for " + wanted.ref +
                  " what was not taken over: " + error.text());
    };
    const auto fetched = parts_.transfer->fetch(remote_, {wanted}, *quarantine_, cancel_);
    if (!fetched) {
        if (!main) return;
        // Others who hold a later one send it again if we replace what only seems damaged.
        const bool useless = worth_nothing(fetched.error());
        (useless ? control_replaceable_ : control_unread_) = true;
        if (useless)
            refuse(fetched.error());
        else
            partial_ = fetched.error();
        return;
    }
    const auto met = parts_.circle->meet(*quarantine_, wanted.tip);
    if (!met || met->refused) {
        const Error& why = met ? *met->refused : met.error();
        const bool worthless = why.code == Code::Forbidden || why.code == Code::Malformed;
        if (main) (worthless ? control_replaceable_ : control_unread_) = true;
        other_space_ = other_space_ || (main && why.pointer == "/space");
        refuse(why);
        return;
    }
    if (main) control_is_good();
}

// A person is to see what was refused, though this contact has replaced it.
void ContactRun::control_is_good() {
    if (control_refused_) return;
    with_engine([&](core::SpaceEngine& engine) {
        engine.close_alarm(core::alarm_id("control-refused", remote_.name));
        engine.close_alarm(core::alarm_id("update-needed", remote_.name));
    });
}

// The remote showed a later entry before than it shows now. It is sent again by this contact.
void ContactRun::look_for_lost_control() {
    const auto before = remembered_.find(store::control_ref);
    const auto now = listed_.find(store::control_ref);
    core::Circle& circle = *parts_.circle;
    const bool back = before != remembered_.end() && circle.number_of(before->second) &&
                      (now == listed_.end() ||
                       (now->second != before->second && circle.number_of(now->second) &&
                        *circle.number_of(now->second) < *circle.number_of(before->second)));
    const std::string subject = remote_.name + "/control";
    if (back)
        raise("gone-back", subject,
              name_of_remote(remote_.name, remote_.url) +
                  " shows an older control log than before; old entries change nothing here, and "
                  "the later ones are sent again");
    else
        with_engine([&](core::SpaceEngine& engine) {
            engine.close_alarm(core::alarm_id("gone-back", subject));
        });
}

void ContactRun::offer_control(Pushes& pushes) const {
    if (parts_.circle == nullptr) return;
    const core::Circle& circle = *parts_.circle;
    const auto head = circle.head();
    if (head.empty()) return;
    const auto at = listed_.find(store::control_ref);
    const store::CommitId there = at == listed_.end() ? store::CommitId{} : at->second;
    const bool known = there.empty() || circle.holds(there);
    if (there != head && (known || control_replaceable_) && !control_unread_) {
        Offered offered{store::control_ref, head, there};
        offered.replace = !there.empty() && !circle.before_head(there);
        pushes.relay.push_back({offered});
    }
    for (const auto& tip : circle.lost()) {
        const auto ref = std::string(store::lost_control_prefix) + tip;
        if (!listed_.contains(ref)) pushes.relay.push_back({{ref, tip, {}}});
    }
}

Result<void> ContactRun::follow_circle() {
    Result<void> followed;
    with_engine([&](core::SpaceEngine& engine) { followed = engine.follow_circle(); });
    return followed;
}

// What a removed site wrote after its position: kept where it does not count, and listed.
void ContactRun::set_aside(const Incoming& incoming, const Error& why) {
    core::Circle& circle = *parts_.circle;
    store::ControlLog* const control = parts_.log->control();
    if (control == nullptr) return;
    const auto kept = control->keep_later(*quarantine_, incoming);
    const std::string site(domain::site_of(incoming.volume.writer));
    const auto later = circle.quarantined(site);
    if (kept && later == 0) return;  // receipts alone
    raise_for_log("removed-site", incoming.volume,
                  circle.name_of(site) + " was removed and goes on writing there: " +
                      (kept ? std::to_string(later) +
                                  " operations are set aside and count for nothing; take its "
                                  "access to the remote away; `dutybook members adopt " +
                                  site + "` takes them in all the same"
                            : why.text()));
}

}  // namespace dutybook::sync
