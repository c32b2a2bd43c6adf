// What people are told of the circle: alarms, the list of members, why this site has to wait.

#include "base/printable.h"
#include "core/alarms.h"
#include "core/circle.h"

#include <algorithm>

namespace dutybook::core {

namespace {

Alarm recovered_apart(const domain::Lost& lost) {
    const bool known = !lost.act.site.empty();
    return {"", "control-lost", lost.commit,
            "the space was recovered at two machines apart: entry " + std::to_string(lost.number) +
                (known ? " (recover " + lost.act.name + ", " + lost.act.site + ")"
                       : std::string(" (by the recovery key)")) +
                " gave way to another and has no effect. If that machine is to belong, there: "
                "dutybook recover --key KEY; what was written there comes in then. If nobody "
                "knows of it, somebody else has the recovery key",
            0};
}

}  // namespace

std::optional<Error> Circle::waits() const {
    const std::lock_guard lock(mutex_);
    if (!membership_) return std::nullopt;
    if (const auto out = outside()) return out;
    if (membership_->minimum_format <= domain::known_format) return std::nullopt;
    return failure(Code::NewerFormat, "update needed in the space " + parts_.space.name,
                   "it demands format " + std::to_string(membership_->minimum_format) +
                       ", and this version knows format " + std::to_string(domain::known_format) +
                       "; what is written here stays in the journal and is sent then",
                   "update this site");
}

std::optional<Error> Circle::outside() const {
    const std::lock_guard lock(mutex_);
    if (!membership_ || membership_->find(parts_.site.id) != nullptr) return std::nullopt;
    const bool recovered = std::ranges::any_of(membership_->lost, [&](const domain::Lost& lost) {
        return lost.act.kind == domain::ControlKind::Recover && lost.act.site == parts_.site.id;
    });
    return failure(
        Code::Forbidden, "this site is no member of the space " + parts_.space.name,
        recovered ? "the space was recovered at another machine too, apart from this one, and that "
                    "recovery counts at every site; what is written here stays here until then"
                  : "the entry that made it one gave way to what another administrator did apart; "
                    "what is written here stays here until then",
        "with the recovery key, here: dutybook recover --key KEY; without it, have an "
        "administrator "
        "invite this site again, and here: dutybook join FILE. What was written is sent then");
}

std::string Circle::judged_by() const {
    const std::lock_guard lock(mutex_);
    return held_.head + " " + std::to_string(introductions_.size());
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
    if (const auto why = outside())
        out.push_back({"", "outside", parts_.site.id, why->text(), 0});
    else if (const auto old = waits())
        out.push_back({"", "format-too-old", "format", old->text(), 0});
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
        if (lost.act.kind == domain::ControlKind::Recover) {
            const bool told = outside() && lost.act.site == parts_.site.id;
            if (!told) out.push_back(recovered_apart(lost));
            continue;
        }
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

// This site's own row while it is no member.
Json Circle::outsider() const {
    return {{"site", parts_.site.id},
            {"name", printable(parts_.site.name, 64)},
            {"role", "none"},
            {"state", "outside"},
            {"own", true},
            {"pen", false},
            {"key", nullptr},
            {"keys", Json::array()},
            {"invite_used_twice", false},
            {"new_keys", false},
            {"logs", 0},
            {"last_heard", nullptr},
            {"quarantined", Json::array()}};
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
    if (outside()) out.push_back(outsider());
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
