#include "domain/membership.h"

#include "base/json.h"

#include <algorithm>

namespace dutybook::domain {

namespace {

constexpr std::array<std::string_view, 4> standing_names{"invited", "active", "retired", "removed"};

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
        for (std::uint64_t number = 1; by_number.count(number) != 0; ++number) {
            introduce();
            if (!take(by_number[number])) break;
        }
        follow_lost(by_number);
        introduce();
        return std::move(membership_);
    }

private:
    struct Candidate {
        const SignedEntry* signed_entry = nullptr;
        ControlAct act;
        bool recovery = false;
    };

    bool take(std::vector<const SignedEntry*> of_number) {
        std::vector<Candidate> valid;
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
        apply(valid[0]);
        return true;
    }

    bool removes_signer(const Candidate& one, const Candidate& other) const {
        const Member* target =
            one.act.kind == ControlKind::Remove ? membership_.find(one.act.site) : nullptr;
        return target != nullptr && !target->keys.empty() &&
               target->keys.back().sign == other.signed_entry->entry.by;
    }

    void note_lost(const SignedEntry& entry, const ControlAct& act) {
        for (const Lost& known : membership_.lost) {
            if (known.commit == entry.commit) return;
        }
        membership_.lost.push_back({entry.commit, entry.entry.number, act});
        lost_by_.push_back(entry.entry.by);
    }

    // What the loser appended to its entry is lost with it.
    void follow_lost(const std::map<std::uint64_t, std::vector<const SignedEntry*>>& by_number) {
        for (std::size_t at = 0; at < membership_.lost.size(); ++at) {
            const auto next = by_number.find(membership_.lost[at].number + 1);
            if (next == by_number.end()) continue;
            for (const SignedEntry* entry : next->second) {
                if (entry->entry.previous != membership_.lost[at].commit ||
                    entry->entry.by != lost_by_[at]) {
                    continue;
                }
                const Secret* key = key_(entry->entry);
                const auto act = key != nullptr ? open_act(entry->entry, *key)
                                                : Result<ControlAct>(malformed("no key"));
                if (act) note_lost(*entry, *act);
            }
        }
    }

    std::optional<Candidate> judged(const SignedEntry& entry) {
        const bool recovery = entry.entry.number > 0 && entry.entry.by == membership_.recovery_sign;
        if (entry.entry.number > 0 && !recovery && !holds_pen(entry.entry.by)) return std::nullopt;
        const Secret* key = key_(entry.entry);
        if (key == nullptr) {
            membership_.unreadable.push_back(entry.commit);
            return std::nullopt;
        }
        auto act = open_act(entry.entry, *key);
        if (!act) return std::nullopt;
        Candidate candidate{&entry, std::move(*act), false};
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
                    .keys.push_back({act.sign, act.box, {}});
                break;
            case ControlKind::Recover:
                membership_.pen = act.site;
                add_member(act.site, act, Role::Administers, Standing::Active, entry.number)
                    .keys.push_back({act.sign, act.box, {}});
                break;
            case ControlKind::Add: {
                Member& invited =
                    add_member(key_name(act.sign), act, act.role, Standing::Invited, entry.number);
                invited.invite = act.sign;
                invited.keys.push_back({act.sign, act.box, {}});
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
                member.keys.push_back({act.sign, act.box, act.positions});
                break;
            case ControlKind::Confirm:
                member.invite_used_twice = false;
                break;
            default:
                break;
        }
    }

    // Every introduction that proves an invite makes a member, once its invite is known. Two sites
    // on one invite both count, whichever was seen first; a person decides.
    void introduce() {
        for (const Introduction& one : introductions_) {
            const auto invited = membership_.sites.find(key_name(one.invite));
            if (membership_.sites.count(one.site) != 0 || invited == membership_.sites.end() ||
                !invited->second.invite || *invited->second.invite != one.invite ||
                site_id_of(one.sign) != one.site ||
                !signature_holds(one.invite, introduction_text(membership_.space, one),
                                 one.proof)) {
                continue;
            }
            Member member = invited->second;
            member.site = one.site;
            if (member.standing == Standing::Invited) member.standing = Standing::Active;
            member.keys = {{one.sign, one.box, {}}};
            std::vector<Member*> same;
            for (auto& [site, other] : membership_.sites) {
                if (!other.site.empty() && other.invite == one.invite) same.push_back(&other);
            }
            member.invite_used_twice = !same.empty();
            for (Member* other : same) other->invite_used_twice = true;
            membership_.sites.emplace(one.site, std::move(member));
        }
    }

    std::set<Introduction> introductions_;
    const EpochKey& key_;
    Membership membership_;
    std::vector<PublicKey> lost_by_;  // signers of membership_.lost
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

std::string introduction_text(std::string_view space, const Introduction& introduction) {
    std::string text = "dutybook introduction\n";
    text += space;
    text += '\n' + introduction.site + '\n';
    text += view(introduction.sign);
    text += view(introduction.box);
    return text;
}

std::string write_introduction(const Introduction& introduction) {
    return canonical(Json{{"box", base64(view(introduction.box))},
                          {"invite", base64(view(introduction.invite))},
                          {"proof", base64(introduction.proof)},
                          {"sign", base64(view(introduction.sign))}});
}

Result<Introduction> read_introduction(std::string_view text) {
    const auto wrong = malformed("a site's introduction is wrong", "/introduction");
    TRY_ASSIGN(const Json object, parse_json(text, {4, 1024}));
    if (!object.is_object()) return wrong;
    Introduction one;
    const auto bytes = [&object](const char* name) -> Result<std::string> {
        const auto found = object.find(name);
        if (found == object.end() || !found->is_string()) return malformed("no bytes");
        return from_base64(found->get_ref<const std::string&>());
    };
    for (const auto& [name, key] :
         {std::pair{"box", &one.box}, {"invite", &one.invite}, {"sign", &one.sign}}) {
        const auto raw = bytes(name);
        const auto read = raw ? public_key_from(*raw) : Result<PublicKey>(raw.error());
        if (!read) return wrong;
        *key = *read;
    }
    auto proof = bytes("proof");
    if (!proof) return wrong;
    one.proof = std::move(*proof);
    one.site = site_id_of(one.sign);
    if (write_introduction(one) != text) return wrong;
    return one;
}

bool Membership::done_again(const Lost& one) const {
    const ControlAct& act = one.act;
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

Result<PublicKey> Membership::key_at(const Writer& writer, std::uint64_t seq, std::uint64_t last,
                                     std::string_view segment) const {
    const std::string site(site_of(writer));
    const Member* member = find(site);
    if (member == nullptr) {
        return failure(Code::Forbidden, "site " + site + " is no member of the space", {},
                       "if it should be, invite it");
    }
    if (member->standing == Standing::Removed && !counts(member->until, writer, last, segment)) {
        return failure(Code::Forbidden,
                       "site " + member->name + " was removed before it wrote this", {},
                       "`dutybook members adopt` takes it in all the same");
    }
    if (member->role == Role::Reads && last >= seq) {
        return failure(Code::Forbidden, "site " + member->name + " may read, not write");
    }
    const SiteKey* fits = nullptr;
    for (const SiteKey& key : member->keys) {
        const auto from = key.from.find(writer);
        const bool holds = key.from.empty() || from == key.from.end() || seq > from->second.seq;
        if (holds) fits = &key;
    }
    if (fits == nullptr) return failure(Code::Forbidden, "site " + member->name + " has no key");
    return fits->sign;
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

Result<Membership> fold_membership(const std::string& space,
                                   const std::vector<SignedEntry>& entries,
                                   const std::set<Introduction>& introductions,
                                   const EpochKey& key) {
    auto membership = Folder(introductions, key).fold(space, entries);
    if (membership) drop_used_invites(*membership);
    return membership;
}

void collect_epoch_keys(const ControlEntry& entry, std::span<const BoxKey> ours, EpochKeys& keys) {
    for (const Wrap& wrap : entry.wraps) {
        for (const BoxKey& box : ours) {
            if (wrap.to != key_name(box.public_key())) continue;
            const auto opened = box.open(wrap.sealed);
            const auto secret = opened ? Secret::from(*opened) : Result<Secret>(opened.error());
            if (secret) keys.emplace(wrap.epoch, *secret);
        }
    }
    const auto own = keys.find(entry.epoch);
    // The chain is sealed with the newest key that the entry wraps, or with its own epoch's.
    std::uint32_t newest = entry.epoch;
    for (const Wrap& wrap : entry.wraps) newest = std::max(newest, wrap.epoch);
    const auto holder = keys.find(newest);
    if (holder == keys.end() && own == keys.end()) return;
    const Secret sealing = holder != keys.end() ? holder->second : own->second;
    for (const auto& [epoch, sealed] : entry.chain) {
        Nonce nonce{};
        if (sealed.size() < nonce.size()) continue;
        std::copy_n(sealed.begin(), nonce.size(), nonce.begin());
        const auto opened = aead_open(sealing, nonce, "dutybook epoch " + std::to_string(epoch),
                                      std::string_view(sealed).substr(nonce.size()));
        const auto secret = opened ? Secret::from(*opened) : Result<Secret>(opened.error());
        if (secret) keys.emplace(epoch, *secret);
    }
}

void wrap_epoch(ControlEntry& entry, std::uint32_t epoch, const EpochKeys& keys,
                const std::vector<PublicKey>& readers) {
    const Secret& key = keys.at(epoch);
    for (const PublicKey& reader : readers) {
        entry.wraps.push_back({epoch, key_name(reader), seal_for(reader, key.bytes())});
    }
    for (const auto& [earlier, secret] : keys) {
        if (earlier >= epoch) continue;
        const std::string place = "dutybook epoch " + std::to_string(earlier);
        const Nonce nonce = nonce_of(key, place, secret.bytes());
        entry.chain.emplace_back(
            earlier, std::string(view(nonce)) + aead_seal(key, nonce, place, secret.bytes()));
    }
}

}  // namespace dutybook::domain
