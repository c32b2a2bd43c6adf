#include "domain/membership.h"

#include "base/json.h"

#include <algorithm>

namespace dutybook::domain {

namespace {

constexpr std::array<std::string_view, 4> standing_names{"invited", "active", "retired", "removed"};

class Folder {
public:
    Folder(const std::set<Introduction>& introductions, const EpochKey& key)
        : introductions_(introductions), key_(key) {}

    Result<Membership> fold(const std::string& space, const std::vector<SignedEntry>& entries) {
        membership_.space = space;
        std::map<std::uint64_t, std::vector<const SignedEntry*>> by_number;
        for (const SignedEntry& entry : entries) {
            if (entry.entry.space == space) by_number[entry.entry.number].push_back(&entry);
        }
        if (!take(by_number[0])) {
            return failure(Code::NotFound, "the space has no valid founding entry",
                           "its control log is not here, or is another space's");
        }
        // What the recovery key did later may open what stands before it.
        for (const SignedEntry& entry : entries) {
            if (entry.entry.by == membership_.recovery_sign) key_(entry.entry);
        }
        for (std::uint64_t number = 1; by_number.count(number) != 0; ++number) {
            introduce();
            if (!take(by_number[number])) break;
        }
        follow_lost(by_number);
        introduce();
        announce();
        return std::move(membership_);
    }

private:
    struct Candidate {
        const SignedEntry* signed_entry = nullptr;
        ControlAct act;
        bool recovery = false;
        bool unread = false;  // a recovery, of which no more is known
    };
    struct GaveWay {  // a lost entry; what it did may be unknown here
        std::string commit;
        std::uint64_t number = 0;
        std::set<PublicKey> heirs;  // who could append to it
    };

    bool take(std::vector<const SignedEntry*> of_number) {
        std::vector<Candidate> valid;
        const std::size_t unreadable = membership_.unreadable.size();
        for (const SignedEntry* entry : of_number) {
            if (entry->entry.number > 0 && entry->entry.previous != membership_.head) continue;
            if (auto candidate = judged(*entry)) valid.push_back(std::move(*candidate));
        }
        if (valid.empty()) return false;
        std::sort(valid.begin(), valid.end(), [this](const Candidate& a, const Candidate& b) {
            if (a.recovery != b.recovery) return a.recovery;
            const bool a_removes = removes_signer(a, b), b_removes = removes_signer(b, a);
            if (a_removes != b_removes) return a_removes;
            return a.signed_entry->commit < b.signed_entry->commit;
        });
        for (std::size_t i = 1; i < valid.size(); ++i) {
            if (valid[i].signed_entry->commit == valid[0].signed_entry->commit) continue;
            note_lost(*valid[i].signed_entry, valid[i].act);
        }
        // Against another one an entry that cannot be read may be the one that counts.
        for (const SignedEntry* entry : valid[0].recovery ? of_number : decltype(of_number){}) {
            const auto& all = membership_.unreadable;
            const auto from = all.begin() + static_cast<std::ptrdiff_t>(unreadable);
            if (std::find(from, all.end(), entry->commit) != all.end()) note_unread(*entry);
        }
        apply(valid[0]);
        return true;
    }

    // Takes from whoever signed the other one what it signed with: that key may be stolen.
    bool removes_signer(const Candidate& one, const Candidate& other) const {
        const bool takes =
            one.act.kind == ControlKind::Remove || one.act.kind == ControlKind::Rotate;
        const Member* target = takes ? membership_.find(one.act.site) : nullptr;
        return target != nullptr && !target->keys.empty() &&
               target->keys.back().sign == other.signed_entry->entry.by;
    }

    void note_lost(const SignedEntry& entry, const ControlAct& act) {
        for (const Lost& known : membership_.lost) {
            if (known.commit == entry.commit) return;
        }
        membership_.lost.push_back({entry.commit, entry.entry.number, act});
        std::set<PublicKey> heirs{entry.entry.by, membership_.recovery_sign};
        if (act.kind == ControlKind::Recover || act.kind == ControlKind::Rotate)
            heirs.insert(act.sign);
        const Member* pen = act.kind == ControlKind::Pen ? membership_.find(act.site) : nullptr;
        if (pen != nullptr && !pen->keys.empty()) heirs.insert(pen->keys.back().sign);
        gave_way_.push_back({entry.commit, entry.entry.number, std::move(heirs)});
    }

    void note_unread(const SignedEntry& entry) {
        for (const GaveWay& known : gave_way_) {
            if (known.commit == entry.commit) return;
        }
        gave_way_.push_back(
            {entry.commit, entry.entry.number, {entry.entry.by, membership_.recovery_sign}});
        membership_.lost_unread.push_back(entry.commit);
    }

    // What the loser appended to its entry is lost with it. A member may append there too what does
    // nothing but pass on that branch's keys to those who were not given them.
    void follow_lost(const std::map<std::uint64_t, std::vector<const SignedEntry*>>& by_number) {
        for (std::size_t at = 0; at < gave_way_.size(); ++at) {
            const GaveWay lost = gave_way_[at];
            const auto next = by_number.find(lost.number + 1);
            if (next == by_number.end()) continue;
            for (const SignedEntry* entry : next->second) {
                const bool heir = lost.heirs.contains(entry->entry.by);
                if (entry->entry.previous != lost.commit || (!heir && !of_member(entry->entry.by)))
                    continue;
                const Secret* key = key_(entry->entry);
                const auto act = key != nullptr ? open_act(entry->entry, *key)
                                                : Result<ControlAct>(malformed("no key"));
                if (act && (heir || act->kind == ControlKind::Epoch))
                    note_lost(*entry, *act);
                else if (!act)
                    note_unread(*entry);
            }
        }
    }

    bool of_member(const PublicKey& key) const {
        return std::ranges::any_of(membership_.sites, [&](const auto& each) {
            const Member& member = each.second;
            return member.standing == Standing::Active && !member.keys.empty() &&
                   member.keys.back().sign == key;
        });
    }

    std::optional<Candidate> judged(const SignedEntry& entry) {
        const bool recovery = entry.entry.number > 0 && entry.entry.by == membership_.recovery_sign;
        if (entry.entry.number > 0 && !recovery && !holds_pen(entry.entry.by)) {
            // Who holds it is told where we cannot read.
            if (membership_.shut_out) membership_.unreadable.push_back(entry.commit);
            return std::nullopt;
        }
        const Secret* key = key_(entry.entry);
        if (key == nullptr && recovery) {
            Candidate unread{&entry, {}, true, true};
            unread.act.kind = ControlKind::Recover;
            return unread;
        }
        if (key == nullptr) {
            membership_.unreadable.push_back(entry.commit);
            return std::nullopt;
        }
        auto act = open_act(entry.entry, *key);
        if (!act) {
            if (act.error().code == Code::NewerFormat) membership_.newer.push_back(entry.commit);
            return std::nullopt;
        }
        Candidate candidate{&entry, std::move(*act), false, false};
        const ControlAct& done = candidate.act;
        if (entry.entry.number == 0) {
            const bool founds =
                done.kind == ControlKind::Found && entry.entry.by == done.sign &&
                site_id_of(done.sign) == done.site &&
                space_id_of(done.sign, done.recovery_sign, done.salt) == entry.entry.space;
            if (!founds) return std::nullopt;
            return candidate;
        }
        candidate.recovery = recovery;
        if (done.kind == ControlKind::Found) return std::nullopt;
        if (const auto brought = read_introduction(done.introduction)) {
            introductions_.insert(*brought);
            introduce();
        }
        if (done.kind == ControlKind::Recover) {
            const bool fits = candidate.recovery && site_id_of(done.sign) == done.site;
            return fits ? std::optional(std::move(candidate)) : std::nullopt;
        }
        if (!sensible(done)) return std::nullopt;
        return candidate;
    }

    bool holds_pen(const PublicKey& by) const {
        const Member* holder = membership_.find(membership_.pen);
        return holder != nullptr && holder->standing == Standing::Active && !holder->keys.empty() &&
               holder->keys.back().sign == by;
    }

    // An act about a site that is not there, or that would leave nobody to act, is void.
    bool sensible(const ControlAct& act) const {
        if (act.kind == ControlKind::Add || act.kind == ControlKind::Epoch ||
            act.kind == ControlKind::Format) {
            return true;
        }
        const Member* member = membership_.find(act.site);
        if (member == nullptr) return false;
        if (act.kind == ControlKind::Pen) {
            return member->standing == Standing::Active && member->role == Role::Administers;
        }
        if (act.kind == ControlKind::Rotate) {
            return member->standing == Standing::Active && !member->site.empty() &&
                   std::ranges::none_of(member->keys,
                                        [&](const SiteKey& key) { return key.sign == act.sign; });
        }
        return true;
    }

    Member& add_member(const std::string& at, const ControlAct& act, Role role, Standing standing,
                       std::uint64_t number) {
        Member member;
        member.site = act.site;
        member.name = act.name;
        member.role = role;
        member.standing = standing;
        member.since = number;
        return membership_.sites.insert_or_assign(at, std::move(member)).first->second;
    }

    void apply(const Candidate& candidate) {
        const ControlEntry& entry = candidate.signed_entry->entry;
        const ControlAct& act = candidate.act;
        membership_.number = entry.number;
        membership_.head = candidate.signed_entry->commit;
        membership_.applied.push_back({entry.number, act.kind, act.site, act.name});
        if (candidate.unread) {
            membership_.shut_out = true;
            membership_.pen.clear();
            return;
        }
        for (const Wrap& wrap : entry.wraps) {
            membership_.epoch = std::max(membership_.epoch, wrap.epoch);
        }
        switch (act.kind) {
            case ControlKind::Found:
                membership_.space_name = act.space_name;
                membership_.parent = act.parent;
                membership_.founder = membership_.pen = act.site;
                membership_.recovery_sign = act.recovery_sign;
                membership_.recovery_box = act.recovery_box;
                add_member(act.site, act, Role::Administers, Standing::Active, 0)
                    .keys.push_back({act.sign, act.box});
                break;
            case ControlKind::Recover: {
                membership_.pen = act.site;
                const Member* before = membership_.find(act.site);
                auto keys = before != nullptr ? before->keys : std::vector<SiteKey>{};
                const auto invite = before != nullptr ? before->invite : std::nullopt;
                if (keys.empty()) keys.push_back({act.sign, act.box});
                Member& member =
                    add_member(act.site, act, Role::Administers, Standing::Active, entry.number);
                member.keys = std::move(keys);
                member.invite = invite;
                break;
            }
            case ControlKind::Add: {
                Member& invited =
                    add_member(key_name(act.sign), act, act.role, Standing::Invited, entry.number);
                invited.invite = act.sign;
                invited.keys.push_back({act.sign, act.box});
                break;
            }
            case ControlKind::Format:
                membership_.minimum_format = act.minimum_format;
                break;
            case ControlKind::Pen:
                membership_.pen = act.site;
                break;
            case ControlKind::Epoch:
                break;
            default: {
                Member& member = membership_.sites.find(act.site)->second;
                change(member, act);
                if (!member.site.empty() || !member.invite) break;
                // An invite: what is done to it is done to whoever used it unbeknown.
                for (auto& [site, other] : membership_.sites) {
                    if (!other.site.empty() && other.invite == member.invite) change(other, act);
                }
            }
        }
    }

    static void change(Member& member, const ControlAct& act) {
        switch (act.kind) {
            case ControlKind::Remove:
                member.standing = Standing::Removed;
                member.until = act.positions;
                break;
            case ControlKind::Adopt:
                for (const auto& [writer, position] : act.positions) {
                    Position& until = member.until[writer];
                    if (position.seq >= until.seq) until = position;
                }
                break;
            case ControlKind::Retire:
                member.standing = Standing::Retired;
                break;
            case ControlKind::Rotate:
                // A log stays the older key's that it was named with first.
                for (const auto& [writer, position] : act.positions) {
                    if (!ended_in(member, writer)) member.keys.back().until[writer] = position;
                }
                member.keys.push_back({act.sign, act.box});
                break;
            case ControlKind::Confirm:
                member.invite_used_twice = false;
                break;
            default:
                break;
        }
    }

    static const Position* ended_in(const Member& member, std::string_view writer) {
        for (const SiteKey& key : member.keys) {
            const auto found = key.until.find(writer);
            if (found != key.until.end()) return &found->second;
        }
        return nullptr;
    }

    // Keys that sites replaced themselves, and that no entry of the line records yet. One key may
    // have followed another since.
    void announce() {
        constexpr std::size_t most = 8;  // of one site: only its own keys can make them
        for (auto& [site, member] : membership_.sites) {
            if (member.site.empty() || member.keys.empty()) continue;
            std::vector<PublicKey> in_force{member.keys.back().sign};
            for (std::size_t at = 0; at < in_force.size(); ++at) {
                for (const Introduction& one : introductions_) {
                    const bool fits = one.replaces() && one.site == site && one.by == in_force[at];
                    if (!fits || member.announced.size() == most || knows(member, one.sign) ||
                        !signature_holds(one.by, introduction_text(membership_.space, one),
                                         one.proof)) {
                        continue;
                    }
                    member.announced.push_back(one);
                    in_force.push_back(one.sign);
                }
            }
        }
    }

    static bool knows(const Member& member, const PublicKey& sign) {
        return std::ranges::any_of(member.keys,
                                   [&](const auto& key) { return key.sign == sign; }) ||
               std::ranges::any_of(member.announced,
                                   [&](const auto& one) { return one.sign == sign; });
    }

    // Every introduction that proves an invite makes a member, once its invite is known. Two sites
    // on one invite both count, whichever was seen first; a person decides.
    void introduce() {
        for (const Introduction& one : introductions_) {
            const auto invited = membership_.sites.find(key_name(one.by));
            const auto known = membership_.sites.find(one.site);
            if (one.replaces() || (known != membership_.sites.end() && known->second.invite) ||
                invited == membership_.sites.end() || !invited->second.invite ||
                *invited->second.invite != one.by || site_id_of(one.sign) != one.site ||
                !signature_holds(one.by, introduction_text(membership_.space, one), one.proof)) {
                continue;
            }
            // The recovery key made it a member before its own word came: its invite is used.
            if (known != membership_.sites.end()) {
                known->second.invite = one.by;
                continue;
            }
            Member member = invited->second;
            member.site = one.site;
            if (member.standing == Standing::Invited) member.standing = Standing::Active;
            member.keys = {{one.sign, one.box}};
            std::vector<Member*> same;
            for (auto& [site, other] : membership_.sites) {
                if (!other.site.empty() && other.invite == one.by) same.push_back(&other);
            }
            member.invite_used_twice = !same.empty();
            for (Member* other : same) other->invite_used_twice = true;
            membership_.sites.emplace(one.site, std::move(member));
        }
    }

    std::set<Introduction> introductions_;
    const EpochKey& key_;
    Membership membership_;
    std::vector<GaveWay> gave_way_;  // membership_.lost, and what cannot be read
};

// Invites that a site has used are shown no more, and get no new keys.
void drop_used_invites(Membership& membership) {
    std::set<PublicKey> used;
    for (const auto& [id, member] : membership.sites) {
        if (!member.site.empty() && member.invite) used.insert(*member.invite);
    }
    std::erase_if(membership.sites, [&](const auto& each) {
        return each.second.site.empty() && each.second.invite &&
               used.count(*each.second.invite) != 0;
    });
}

}  // namespace

std::string_view name_of(Standing standing) {
    return standing_names[static_cast<std::size_t>(standing)];
}

Result<Membership> fold_membership(const std::string& space,
                                   const std::vector<SignedEntry>& entries,
                                   const std::set<Introduction>& introductions,
                                   const EpochKey& key) {
    auto membership = Folder(introductions, key).fold(space, entries);
    if (membership) drop_used_invites(*membership);
    return membership;
}

}  // namespace dutybook::domain
