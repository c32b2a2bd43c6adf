// New keys of a site. It announces them itself, in the first segment of a new writer, vouched for
// by the pair before: that alone makes them count everywhere. Whoever holds the pen records it, and
// with that the old pair ends: its logs count up to where they are named, a new epoch is not
// wrapped to it, and what is signed with it later is refused.
//
// And the keys of epochs that were begun on a branch of the control log that gave way.

#include "core/circle.h"

#include <algorithm>

namespace dutybook::core {

Keyring::Pair Circle::in_force() const {
    const auto* own = membership_ ? membership_->find(parts_.site.id) : nullptr;
    if (own == nullptr || own->keys.empty()) return parts_.ring->newest();
    const auto pairs = parts_.ring->pairs();
    for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
        const auto same = [&](const auto& key) { return key.sign == (*pair)->sign; };
        if (same(own->keys.back()) || std::ranges::any_of(own->announced, same)) return *pair;
    }
    return nullptr;
}

// The one that the control log names: one that was only announced does not count there yet.
Keyring::Pair Circle::recorded() const {
    const std::lock_guard lock(mutex_);
    const auto* own = membership_ ? membership_->find(parts_.site.id) : nullptr;
    return own != nullptr && !own->keys.empty() ? parts_.ring->find(own->keys.back().sign)
                                                : Keyring::Pair();
}

Keyring::Pair Circle::pair_of(const domain::Writer& writer) const {
    const auto* own = membership_ ? membership_->find(parts_.site.id) : nullptr;
    if (own != nullptr) {
        for (const auto& key : own->keys) {
            if (key.until.contains(writer)) return parts_.ring->find(key.sign);
        }
        for (const auto& one : own->announced) {
            if (one.ended == writer) return parts_.ring->find(one.by);
        }
    }
    return in_force();
}

Result<std::string> Circle::sign(const domain::Writer& writer,
                                 std::string_view commit_bytes) const {
    Keyring::Pair pair;
    {
        const std::lock_guard lock(mutex_);
        pair = pair_of(writer);
    }
    if (pair) return pair->signer->sign(commit_bytes);
    return key_gone();
}

Error Circle::key_gone() const {
    return failure(Code::Forbidden,
                   "this store has not got the keys of its site in the space " + parts_.space.name,
                   "they were replaced (dutybook members rotate) after it was backed up or copied",
                   "restore a later backup, or join again in a new store, with a new invitation");
}

const domain::Introduction* Circle::introduction_of(const Keyring::Pair& pair) const {
    const auto own = std::ranges::find_if(introductions_, [&](const auto& one) {
        const auto* member = membership_ ? membership_->find(parts_.site.id) : nullptr;
        const bool counts = one.replaces() || member == nullptr || member->invite == one.by;
        return one.site == parts_.site.id && pair && one.sign == pair->sign && counts;
    });
    return own == introductions_.end() ? nullptr : &*own;
}

std::string Circle::introduction(const domain::Writer& writer) const {
    const std::lock_guard lock(mutex_);
    const auto* own = introduction_of(pair_of(writer));
    return own == nullptr ? std::string() : domain::write_introduction(*own);
}

std::vector<BoxKey> Circle::boxes() const {
    std::vector<BoxKey> out;
    for (const auto& pair : parts_.ring->pairs()) out.push_back(pair->box);
    if (invite_box_) out.push_back(*invite_box_);
    if (recovery_box_) out.push_back(*recovery_box_);
    return out;
}

bool Circle::renewal_due() const {
    const std::lock_guard lock(mutex_);
    const auto* own = membership_ ? membership_->find(parts_.site.id) : nullptr;
    if (own == nullptr || own->standing != domain::Standing::Active) return false;
    const auto pair = in_force();
    return pair && pair != parts_.ring->newest();
}

Result<void> Circle::announce(const domain::Writer& writer, const domain::Position& end) {
    const std::lock_guard lock(mutex_);
    const auto old = in_force(), fresh = parts_.ring->newest();
    domain::Introduction one{parts_.site.id, fresh->sign, fresh->box.public_key(), old->sign, {},
                             writer,         end};
    one.proof = view(old->key.sign(domain::introduction_text(parts_.space.id, one)));
    introductions_.insert(one);
    auto saved = save_introductions();
    if (!saved) {
        introductions_.erase(one);
        return saved;
    }
    return refold();
}

bool Circle::has_ended(const domain::Writer& writer) const {
    const std::lock_guard lock(mutex_);
    const auto pair = pair_of(writer);
    return pair && pair != in_force();
}

// The ended log's end is as its site says. Other logs of the old keys are older ones of the same
// site: they end where they stand, if all of them is here that the site itself had.
Result<std::optional<std::map<domain::Writer, domain::Position, std::less<>>>> Circle::ends_of(
    const domain::Introduction& renewal) const {
    using Ends = std::map<domain::Writer, domain::Position, std::less<>>;
    const std::optional<Ends> not_yet;
    TRY_ASSIGN(store::ControlLog * control_log, control());
    TRY_ASSIGN(const auto volumes, log_->volumes());
    Ends ends;
    std::optional<domain::Frontier> had;
    for (const auto& volume : volumes) {
        const auto& writer = volume.name.writer;
        if (domain::site_of(writer) != renewal.site) continue;
        TRY_ASSIGN(const auto signer, control_log->signer(volume.tip));
        if (signer == renewal.by) {
            auto& end = ends[writer];
            if (end.segment.empty() || end.seq <= volume.last) end = {volume.last, volume.tip};
        } else if (signer == renewal.sign && volume.name.number == 1 && !had) {
            TRY_ASSIGN(const auto chain, log_->chain(volume.name, {}));
            TRY_ASSIGN(const auto first, log_->read(chain.front()));
            had = first.frontier;
        }
    }
    const bool own = renewal.site == parts_.site.id;
    if (!had && !own) return not_yet;
    if (!renewal.end.segment.empty() && !log_->read(renewal.end.segment)) return not_yet;
    ends[renewal.ended] = renewal.end;
    for (const auto& [writer, end] : ends) {
        if (had && had->seq_of(writer) > end.seq) return not_yet;
    }
    return std::optional<Ends>(std::move(ends));
}

Result<void> Circle::record_renewals() {
    const std::lock_guard acting(acting_);
    for (bool more = holds_pen(); more;) {
        more = false;
        const auto members = membership();
        for (const auto& [site, member] : members->sites) {
            if (member.standing != domain::Standing::Active || member.announced.empty()) continue;
            const auto& renewal = member.announced.front();
            const auto rivals = std::ranges::count_if(
                member.announced, [&](const auto& one) { return one.by == renewal.by; });
            if (rivals > 1) continue;  // its alarm tells a person
            TRY_ASSIGN(auto ends, ends_of(renewal));
            if (!ends) continue;
            domain::ControlAct act;
            act.kind = domain::ControlKind::Rotate;
            act.site = site;
            act.sign = renewal.sign;
            act.box = renewal.box;
            act.positions = std::move(*ends);
            TRY(append(std::move(act), true));
            more = true;
            break;
        }
    }
    return {};
}

std::optional<domain::Position> Circle::end_of(const domain::Writer& writer) const {
    const auto members = membership();
    return members ? members->end_of(writer) : std::nullopt;
}

// What was taken over of a site, signed with keys that it has replaced, beyond where these end.
Result<void> Circle::cuts_of_renewed(const domain::Member& member,
                                     const std::map<domain::Writer, store::VolumeInfo>& held,
                                     std::vector<Cut>& out) const {
    TRY_ASSIGN(store::ControlLog * control_log, control());
    for (const auto& [writer, volume] : held) {
        if (domain::site_of(writer) != member.site) continue;
        const auto named = std::ranges::find_if(
            member.keys, [&name = writer](const auto& key) { return key.until.contains(name); });
        if (named != member.keys.end()) {
            const auto& end = named->until.find(writer)->second;
            if (volume.last > end.seq) out.push_back({writer, end});
            continue;
        }
        const auto signer = control_log->signer(volume.tip);
        const bool old =
            signer && std::ranges::any_of(member.keys.begin(), member.keys.end() - 1,
                                          [&](const auto& key) { return key.sign == *signer; });
        if (old) out.push_back({writer, {}});
    }
    return {};
}

domain::EpochKeys Circle::unshared_keys() const {
    const std::lock_guard lock(mutex_);
    std::set<std::uint32_t> shared;
    std::map<store::CommitId, const domain::ControlEntry*> entries;
    for (const auto& one : held_.entries) entries[one.commit] = &one.entry;
    for (store::CommitId at = held_.head; entries.contains(at); at = entries[at]->previous) {
        for (const auto& wrap : entries[at]->wraps) shared.insert(wrap.epoch);
        for (const auto& [epoch, sealed] : entries[at]->chain) shared.insert(epoch);
    }
    domain::EpochKeys unshared = keys_;
    std::erase_if(unshared, [&](const auto& each) { return shared.contains(each.first); });
    return unshared;
}

Result<void> Circle::share_keys() {
    const std::lock_guard acting(acting_);
    if (!membership() || outside()) return {};
    const auto unshared = unshared_keys();
    if (unshared.empty()) return {};
    if (holds_pen()) return append({}, true);
    const auto pair = recorded();
    if (!pair) return {};
    const auto entry = last_words(unshared, pair->sign);
    return entry ? write_beside(*entry, *pair->signer) : Result<void>{};
}

// A key that the holder of the pen lacks, for all who read by the line, at the end of the branch
// that began it.
std::optional<domain::ControlEntry> Circle::last_words(const domain::EpochKeys& unshared,
                                                       const PublicKey& by) const {
    const std::lock_guard lock(mutex_);
    const auto* pen = membership_->find(membership_->pen);
    if (pen == nullptr || pen->keys.empty()) return std::nullopt;
    std::map<store::CommitId, const domain::ControlEntry*> entries;
    std::set<std::uint32_t> told;
    for (const auto& one : held_.entries) {
        entries[one.commit] = &one.entry;
        for (const auto& wrap : one.entry.wraps)
            if (wrap.to == domain::key_name(pen->keys.back().box)) told.insert(wrap.epoch);
    }
    for (const auto& tip : held_.lost) {
        std::set<std::uint32_t> epochs;
        for (auto at = entries.find(tip); at != entries.end() && !before_head(at->first);
             at = entries.find(at->second->previous)) {
            epochs.insert(at->second->epoch);
        }
        for (const auto& [epoch, key] : unshared) {
            if (told.contains(epoch) || !epochs.contains(epoch)) continue;
            domain::ControlEntry entry;
            entry.space = parts_.space.id;
            entry.number = entries.at(tip)->number + 1;
            entry.previous = tip;
            entry.at = parts_.clock->now();
            entry.by = by;
            entry.epoch = epoch;
            domain::wrap_epoch(entry, epoch, unshared, membership_->readers());
            domain::seal_act(entry, {}, key);
            return entry;
        }
    }
    return std::nullopt;
}

Result<void> Circle::write_beside(const domain::ControlEntry& entry,
                                  const store::CommitSigner& signer) {
    TRY_ASSIGN(const auto piece, store::sign_entry(entry, signer));
    TRY_ASSIGN(store::ControlLog * control_log, control());
    TRY(control_log->put({piece}, head()));
    TRY(reload());
    return save_control();
}

}  // namespace dutybook::core
