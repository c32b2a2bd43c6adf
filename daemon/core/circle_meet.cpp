// What a remote's control log changes here, and what follows for logs and for people.

#include "core/circle.h"

#include "core/alarms.h"

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

std::optional<Error> Circle::waits() const {
    const std::lock_guard lock(mutex_);
    if (!membership_ || membership_->minimum_format <= domain::known_format) return std::nullopt;
    return failure(Code::NewerFormat, "update needed in the space " + parts_.space.name,
                   "it demands format " + std::to_string(membership_->minimum_format) +
                       ", and this version knows format " + std::to_string(domain::known_format) +
                       "; what is written here stays in the journal and is sent then",
                   "update this site");
}

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
               std::ranges::any_of(members.lost,
                                   [&](const auto& lost) { return lost.commit == entry.commit; });
    };
    const auto last = std::find_if(offer.entries.rbegin(), offer.entries.rend(), counts);
    if (last == offer.entries.rend() || last != offer.entries.rbegin()) {
        const auto& wrong = last == offer.entries.rend() ? offer.entries.front() : *(last - 1);
        const bool unreadable =
            std::ranges::find(members.unreadable, wrong.commit) != members.unreadable.end();
        if (unreadable) {
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
        if (member == nullptr || member->standing != domain::Standing::Removed ||
            member->site == parts_.site.id) {
            continue;
        }
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

bool Circle::removed(std::string_view site) const {
    const std::lock_guard lock(mutex_);
    const auto* member = membership_ ? membership_->find(site) : nullptr;
    return member != nullptr && member->standing == domain::Standing::Removed;
}

std::vector<Alarm> Circle::alarms() const {
    const std::lock_guard lock(mutex_);
    std::vector<Alarm> out;
    if (!membership_) {
        out.push_back({"", "control-missing", parts_.space.name,
                       "the control log of the space is not here, so nothing by others is taken "
                       "over; sync with a remote that has it, or restore a backup",
                       0});
        return out;
    }
    if (const auto why = waits()) out.push_back({"", "format-too-old", "format", why->text(), 0});
    for (const auto& [id, member] : membership_->sites) {
        if (!member.invite_used_twice || member.standing != domain::Standing::Active) continue;
        out.push_back({"", "invite-used-twice", id,
                       "more than one site came with the invite of " + member.name +
                           ", among them " + id +
                           "; if it is the right one: dutybook members confirm " + id +
                           "; else: dutybook members remove " + id,
                       0});
    }
    for (const auto& [id, member] : membership_->sites) {
        if (member.standing != domain::Standing::Active || member.announced.empty()) continue;
        const auto& first = member.announced.front();
        const auto rivals = std::ranges::count_if(
            member.announced, [&](const auto& one) { return one.by == first.by; });
        if (rivals < 2) continue;
        out.push_back({"", "key-replaced-twice", id,
                       "two key pairs claim to replace the keys of " + member.name + " (" + id +
                           "): somebody else has its old key. dutybook members remove " + id +
                           ", then invite it again into a new store",
                       0});
    }
    if (!in_force()) {
        out.push_back({"", "key-replaced", parts_.site.id,
                       "this site's keys were replaced in the space " + parts_.space.name +
                           ", and this store has not got the new ones: it was restored from an "
                           "older backup, or it is a copy. What is written here stays here. "
                           "Restore a later backup; or have an administrator remove this site, "
                           "and join with a new invitation in a new store",
                       0});
    }
    for (const auto& lost : membership_->lost) {
        if (membership_->done_again(lost)) continue;
        const std::string what(domain::name_of(lost.act.kind));
        const std::string target = lost.act.kind == domain::ControlKind::Add ? lost.act.name
                                   : lost.act.site.empty() ? std::string("the space")
                                                           : name_of(lost.act.site);
        out.push_back({"", "control-lost", lost.commit,
                       "two administrators' sites acted apart: entry " +
                           std::to_string(lost.number) + " (" + what + " " + target +
                           ") gave way to another and has no effect; do it again if it is still "
                           "wanted",
                       0});
    }
    return out;
}

// The longest branch of each log that was set aside, and how many of its operations do not count.
Result<std::vector<std::pair<store::SetAside, std::uint64_t>>> Circle::later_of(
    const domain::Member& member) const {
    std::map<domain::Writer, std::pair<store::SetAside, std::uint64_t>> longest;
    if (member.standing == domain::Standing::Removed && !member.site.empty()) {
        TRY_ASSIGN(store::ControlLog * control_log, control());
        TRY_ASSIGN(const auto aside, control_log->set_aside(member.site));
        for (const auto& one : aside) {
            const auto until = member.until.find(one.volume.writer);
            const std::uint64_t counted = until == member.until.end() ? 0 : until->second.seq;
            auto& [known, operations] = longest[one.volume.writer];
            if (one.last <= counted + operations) continue;
            known = one;
            operations = one.last - counted;
        }
    }
    std::vector<std::pair<store::SetAside, std::uint64_t>> out;
    for (auto& [writer, one] : longest) {
        if (one.second > 0) out.push_back(std::move(one));
    }
    return out;
}

std::uint64_t Circle::quarantined(std::string_view site) const {
    const auto members = membership();
    const auto* member = members ? members->find(site) : nullptr;
    if (member == nullptr) return 0;
    std::uint64_t sum = 0;
    const auto later = later_of(*member);
    if (later) {
        for (const auto& [one, operations] : *later) sum += operations;
    }
    return sum;
}

Result<Json> Circle::members_json() const {
    Json out = Json::array();
    const auto members = membership();
    if (!members) return Result<Json>(boost::system::in_place_value, std::move(out));
    std::map<std::string, std::pair<std::size_t, Millis>> logs;  // by site: writers, last heard
    const auto volumes =
        log_ != nullptr ? log_->volumes()
                        : Result<std::vector<store::VolumeInfo>>(std::vector<store::VolumeInfo>{});
    if (volumes) {
        std::map<domain::Writer, store::CommitId> tips;
        for (const auto& volume : *volumes) tips[volume.name.writer] = volume.tip;
        for (const auto& [writer, tip] : tips) {
            auto& [count, heard] = logs[std::string(domain::site_of(writer))];
            ++count;
            const auto segment = log_->read(tip);
            if (segment) heard = std::max(heard, segment->header.time);
        }
    }
    for (const auto& [id, member] : members->sites) {
        Json keys = Json::array();
        for (const auto& key : member.keys) keys.push_back(store::ssh_public_key(key.sign));
        for (const auto& one : member.announced) keys.push_back(store::ssh_public_key(one.sign));
        const auto seen = logs.find(id);
        Json aside = Json::array();
        const auto later = later_of(member);
        if (later) {
            for (const auto& [one, operations] : *later) {
                aside.push_back(
                    {{"log", one.volume.ref()}, {"operations", operations}, {"tip", one.tip}});
            }
        }
        const bool open = member.site.empty();
        out.push_back({{"site", id},
                       {"name", printable(member.name, 64)},
                       {"role", domain::name_of(member.role)},
                       {"state", domain::name_of(member.standing)},
                       {"own", id == parts_.site.id},
                       {"pen", id == members->pen},
                       {"key", open || keys.empty() ? Json() : keys.back()},
                       {"keys", open ? Json::array() : std::move(keys)},
                       {"invite_used_twice", member.invite_used_twice},
                       {"new_keys", !member.announced.empty()},
                       {"logs", seen == logs.end() ? 0 : seen->second.first},
                       {"last_heard", seen == logs.end() || seen->second.second == 0
                                          ? Json()
                                          : Json(format_utc(seen->second.second))},
                       {"quarantined", std::move(aside)}});
    }
    return Result<Json>(boost::system::in_place_value, std::move(out));
}

}  // namespace dutybook::core
