// What follows from who belongs: who may sign what, who reads, who is meant.

#include "domain/membership.h"

#include <algorithm>

namespace dutybook::domain {

namespace {

bool before_or_at(std::uint64_t seq, const Position& position) {
    return seq <= position.seq;
}

// Positions name every writer that counts; a writer that is not named counts for nothing.
bool counts(const std::map<Writer, Position, std::less<>>& positions, std::string_view writer,
            std::uint64_t last, std::string_view segment) {
    const auto found = positions.find(writer);
    if (found == positions.end()) return false;
    // The named segment itself, or one that ends before it. A receipt after it has the same last.
    return last < found->second.seq ||
           (before_or_at(last, found->second) &&
            (segment.empty() || segment == found->second.segment || found->second.segment.empty()));
}

// Nothing of the log after `end` counts. A judge sees one segment, so the receipts before it are
// told from those after it by what they follow: whatever came later stands on the first of these.
bool within(const Position& end, const Membership::Place& place) {
    if (end.segment.empty()) return false;
    return place.last <= end.seq && place.previous != end.segment;
}

// Whether `key` is the one with which the member signs at that place.
Result<void> signs_there(const Member& member, const Membership::Place& place,
                         const PublicKey& key) {
    const auto another = [&] {
        return failure(Code::Forbidden, "it is not by site " + member.name,
                       "it is signed with another key");
    };
    const auto replaced = [&] {
        return failure(Code::Forbidden, "it is not by site " + member.name,
                       "it is signed with a key that the site had replaced: whoever has that key "
                       "may have stolen it");
    };
    for (const SiteKey& one : member.keys) {
        const auto end = one.until.find(place.writer);
        if (end == one.until.end()) continue;
        if (one.sign != key) return another();
        return within(end->second, place) ? Result<void>{} : replaced();
    }
    const auto same = [&](const auto& one) { return one.sign == key; };
    if (member.keys.empty()) return another();
    if (same(member.keys.back()) || std::ranges::any_of(member.announced, same)) return {};
    return std::ranges::any_of(member.keys, same) ? replaced() : another();
}

}  // namespace

bool Membership::done_again(const Lost& one) const {
    const ControlAct& act = one.act;
    // Whoever holds the pen begins another epoch when it takes the lost one's key into the line.
    if (act.kind == ControlKind::Epoch) return true;
    if (act.kind == ControlKind::Recover) {
        const Member* member = find(act.site);
        return member != nullptr && member->standing == Standing::Active &&
               (member->since >= one.number || pen == act.site);
    }
    return std::any_of(applied.begin(), applied.end(), [&](const Applied& done) {
        const bool same_target =
            act.kind == ControlKind::Add ? done.name == act.name : done.site == act.site;
        return done.number >= one.number && done.kind == act.kind && same_target;
    });
}

const Member* Membership::find(std::string_view site) const {
    const auto found = sites.find(site);
    return found == sites.end() ? nullptr : &found->second;
}

Result<const Member*> Membership::find_by_person(std::string_view words) const {
    std::vector<const Member*> fits;
    std::string candidates;
    for (const auto& [id, member] : sites) {
        if (id == words) return &member;
        if (member.name != words && (words.empty() || !id.starts_with(words))) continue;
        fits.push_back(&member);
        candidates += (candidates.empty() ? "" : ", ") + member.name + " (" + id + ")";
    }
    if (fits.empty()) {
        return failure(Code::NotFound, "no member \"" + std::string(words) + "\"", {},
                       "`dutybook members` lists them");
    }
    if (fits.size() > 1) {
        return failure(Code::Ambiguous, "\"" + std::string(words) + "\" fits several members",
                       candidates, "name one by its id");
    }
    return fits.front();
}

std::size_t Membership::administrators() const {
    return static_cast<std::size_t>(std::count_if(sites.begin(), sites.end(), [](const auto& each) {
        return each.second.standing == Standing::Active && each.second.role == Role::Administers;
    }));
}

Result<void> Membership::may_sign(const Place& place, const PublicKey& key) const {
    const std::string site(site_of(place.writer));
    const Member* member = find(site);
    if (member == nullptr) {
        return failure(Code::Forbidden, "site " + site + " is no member of the space", {},
                       "if it should be, invite it");
    }
    TRY(signs_there(*member, place, key));
    if (member->standing == Standing::Removed &&
        !counts(member->until, place.writer, place.last, place.segment)) {
        return failure(Code::Denied, "site " + member->name + " was removed before it wrote this",
                       {}, "`dutybook members adopt` takes it in all the same");
    }
    if (member->role == Role::Reads && place.last >= place.first) {
        return failure(Code::Forbidden, "site " + member->name + " may read, not write");
    }
    return {};
}

std::optional<Position> Membership::end_of(const Writer& writer) const {
    const Member* member = find(site_of(writer));
    if (member == nullptr) return std::nullopt;
    if (member->standing == Standing::Removed) {
        const auto until = member->until.find(writer);
        return until == member->until.end() ? Position{} : until->second;
    }
    for (const SiteKey& key : member->keys) {
        const auto until = key.until.find(writer);
        if (until != key.until.end()) return until->second;
    }
    return std::nullopt;
}

const Member* Membership::given_up(const PublicKey& key) const {
    for (const auto& [id, member] : sites) {
        const bool removed = member.standing == Standing::Removed;
        for (const SiteKey& one : member.keys) {
            if (one.sign == key && (removed || &one != &member.keys.back())) return &member;
        }
    }
    return nullptr;
}

std::vector<PublicKey> Membership::readers() const {
    std::vector<PublicKey> all{recovery_box};
    for (const auto& [id, member] : sites) {
        const bool reads =
            member.standing == Standing::Active || member.standing == Standing::Invited;
        if (reads && !member.keys.empty()) all.push_back(member.keys.back().box);
    }
    return all;
}

}  // namespace dutybook::domain
