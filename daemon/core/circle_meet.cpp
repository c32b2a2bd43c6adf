// What a remote's control log changes here, and what follows for logs.

#include "core/circle.h"

#include <algorithm>

namespace dutybook::core {

namespace {

Error not_counting(const domain::SignedEntry& entry, const std::string& why) {
    return failure(Code::Forbidden,
                   "control entry " + std::to_string(entry.entry.number) + " (" + entry.commit +
                       ") does not count",
                   why, "see who can write to refs/heads/control there");
}

}  // namespace

Result<Circle::Met> Circle::meet(store::Quarantine& quarantine, const store::CommitId& tip) {
    const std::lock_guard acting(acting_);
    TRY_ASSIGN(store::ControlLog * control_log, control());
    TRY_ASSIGN(const auto offer, control_log->offered(quarantine, tip));
    Met met;
    met.refused = offer.refused;
    if (offer.entries.empty()) return met;

    std::unique_lock lock(mutex_);
    // A site that was removed once held the pen, perhaps, or a key that was replaced: what these
    // append beside entries that are known here would undo that.
    const auto& first = offer.entries.front();
    if (membership_ && first.entry.previous != held_.head) {
        if (const auto* member = membership_->given_up(first.entry.by)) {
            const bool removed = member->standing == domain::Standing::Removed;
            met.refused = not_counting(
                first, "it is by " + member->name +
                           (removed ? ", who was removed," : ", with a key that it replaced,") +
                           " beside what is known");
            return met;
        }
    }
    std::vector<domain::SignedEntry> all = held_.entries;
    all.insert(all.end(), offer.entries.begin(), offer.entries.end());
    auto keys = keys_;
    TRY_ASSIGN(const domain::Membership members, fold(all, keys));
    const auto counts = [&](const domain::SignedEntry& entry) {
        return entry.commit == members.head ||
               std::ranges::find(members.lost_unread, entry.commit) != members.lost_unread.end() ||
               std::ranges::any_of(members.lost,
                                   [&](const auto& lost) { return lost.commit == entry.commit; });
    };
    const auto last = std::find_if(offer.entries.rbegin(), offer.entries.rend(), counts);
    if (last == offer.entries.rend() || last != offer.entries.rbegin()) {
        const auto& wrong = last == offer.entries.rend() ? offer.entries.front() : *(last - 1);
        const bool unreadable =
            std::ranges::find(members.unreadable, wrong.commit) != members.unreadable.end();
        if (unreadable && members.shut_out) {
            // The alarm that this site is outside says all.
        } else if (unreadable) {
            met.refused = failure(Code::Unavailable,
                                  "the space went on with a key that this site was not given",
                                  "it was removed from the space, or its invitation was",
                                  "ask an administrator; what was here stays readable");
        } else if (std::ranges::find(members.newer, wrong.commit) != members.newer.end()) {
            met.refused =
                failure(Code::NewerFormat, "update needed: a newer Dutybook wrote the control log",
                        "an entry does what this version does not know",
                        "update this site; until then it follows no change of who belongs");
        } else {
            met.refused = not_counting(wrong, "its signer does not hold the pen there");
        }
    }
    if (last == offer.entries.rend()) return met;
    lock.unlock();
    TRY(control_log->take(quarantine, last->commit, members.head));
    TRY(reload());
    TRY(save_control());
    met.changed = true;
    return met;
}

Result<std::vector<Circle::Cut>> Circle::cuts() const {
    std::vector<Cut> out;
    const auto members = membership();
    if (!members || log_ == nullptr) return out;
    TRY_ASSIGN(const auto volumes, log_->volumes());
    std::map<domain::Writer, store::VolumeInfo> held;  // the last volume of each
    for (const auto& volume : volumes) {
        auto& known = held[volume.name.writer];
        if (known.tip.empty() || known.name < volume.name) known = volume;
    }
    for (const auto& [site, member] : members->sites) {
        if (member.keys.size() > 1) TRY(cuts_of_renewed(member, held, out));
    }
    for (const auto& [writer, volume] : held) {
        const std::uint64_t last = volume.last;
        const auto* member = members->find(domain::site_of(writer));
        if (domain::site_of(writer) == parts_.site.id) continue;
        if (member == nullptr) {
            if (!members->shut_out) out.push_back({writer, {}});
            continue;
        }
        if (member->standing != domain::Standing::Removed) continue;
        const auto until = member->until.find(writer);
        const domain::Position after =
            until == member->until.end() ? domain::Position{} : until->second;
        const bool unnamed = until == member->until.end();
        if (unnamed || last > after.seq) out.push_back({writer, after});
    }
    return out;
}

Result<void> Circle::cut(const Cut& cut) {
    TRY_ASSIGN(store::ControlLog * control_log, control());
    return control_log->cut(cut.writer, cut.after.segment);
}

}  // namespace dutybook::core
