// What an administrator does: entries appended by who holds the pen, or by the recovery key.

#include "core/circle.h"

#include "core/founding.h"
#include "core/invited.h"
#include "core/space_keys.h"

#include "base/crypto.h"

#include <algorithm>

namespace dutybook::core {

using domain::ControlAct;
using domain::ControlKind;

namespace {

Error no_control(const std::string& space) {
    return failure(Code::Unavailable, "the control log of the space " + space + " is not here", {},
                   "sync with a remote that has it");
}

}  // namespace

std::uint32_t next_epoch(const domain::EpochKeys& keys) {
    std::array<std::uint8_t, 2> random{};
    random_bytes(random);
    const std::uint32_t step = 1u + random[0] + 256u * random[1];
    return (keys.empty() ? 0 : keys.rbegin()->first) + step;
}

Result<void> Circle::append(ControlAct act, bool new_epoch) {
    const std::lock_guard acting(acting_);
    const auto members = membership();
    if (!members) return no_control(parts_.space.name);
    if (const auto out = outside()) return *out;
    if (members->pen != parts_.site.id) {
        return failure(Code::Forbidden,
                       "this site does not hold the pen of the space " + parts_.space.name,
                       name_of(members->pen) + " does, and it alone changes who belongs",
                       "do it there, or have the pen handed over there: dutybook members pen " +
                           parts_.site.name);
    }
    const auto pair = recorded();
    if (!pair) return key_gone();
    return append_as(std::move(act), new_epoch, *pair->signer, pair->sign);
}

Result<void> Circle::append_as(ControlAct act, bool new_epoch, const store::CommitSigner& signer,
                               const PublicKey& by) {
    std::unique_lock lock(mutex_);
    for (const auto& one : introductions_) {
        if (one.site == act.site && !one.replaces() && act.kind != ControlKind::Recover) {
            act.introduction = domain::write_introduction(one);
        }
    }
    domain::ControlEntry entry;
    entry.space = parts_.space.id;
    entry.number = membership_->number + 1;
    entry.previous = membership_->head;
    entry.at = parts_.clock->now();
    entry.by = by;
    entry.epoch = membership_->epoch;
    auto keys = keys_;
    if (new_epoch) {
        entry.epoch = next_epoch(keys);
        keys.insert_or_assign(entry.epoch, Secret::random());
        std::vector<PublicKey> readers = membership_->readers();
        if (act.kind == ControlKind::Remove || act.kind == ControlKind::Rotate) {
            const auto* gone = membership_->find(act.site);
            std::erase_if(readers, [&](const PublicKey& box) {
                return gone != nullptr && !gone->keys.empty() && box == gone->keys.back().box;
            });
        }
        if (act.kind == ControlKind::Recover || act.kind == ControlKind::Rotate) {
            readers.push_back(act.box);
        }
        domain::wrap_epoch(entry, entry.epoch, keys, readers);
    }
    const auto key = keys.find(entry.epoch);
    if (key == keys.end()) return no_control(parts_.space.name);
    domain::seal_act(entry, act, key->second);
    TRY_ASSIGN(const auto piece, store::sign_entry(entry, signer));
    TRY_ASSIGN(const auto checked, store::check_piece(piece, parts_.space.id));
    auto entries = held_.entries;
    entries.push_back(checked);
    TRY_ASSIGN(const domain::Membership members, fold(entries, keys));
    if (members.head != checked.commit) {
        return failure(Code::Conflict, "this cannot be done in the space as it is",
                       "the entry would have no effect", "see `dutybook members`");
    }
    // The key first: an entry whose key is lost would lock everybody out.
    if (new_epoch) TRY(write_space_keys(parts_.folder, keys));
    keys_ = std::move(keys);
    lock.unlock();
    TRY_ASSIGN(store::ControlLog * control_log, control());
    TRY(control_log->put({piece}, checked.commit));
    TRY(reload());
    return save_control();
}

// Up to where each writer of the site counts: what this site holds of it now. The last segment
// with operations, not a receipt after it: a judge looks at one segment and sees no chain.
Result<std::map<domain::Writer, domain::Position, std::less<>>> Circle::positions_of(
    std::string_view site) const {
    std::map<domain::Writer, domain::Position, std::less<>> out;
    TRY_ASSIGN(auto volumes, log_->volumes());
    std::ranges::sort(volumes, std::greater<>{},
                      [](const store::VolumeInfo& info) { return info.name; });
    for (const auto& volume : volumes) {
        const auto& writer = volume.name.writer;
        if (domain::site_of(writer) != site) continue;
        auto& position = out[writer];
        if (position.seq > 0 || volume.last < volume.first) continue;
        TRY_ASSIGN(auto chain, log_->chain(volume.name, {}));
        for (auto at = chain.rbegin(); at != chain.rend() && position.seq == 0; ++at) {
            TRY_ASSIGN(const auto segment, log_->read(*at));
            if (segment.header.last >= segment.header.first) {
                position = {segment.header.last, *at};
            }
        }
    }
    return out;
}

Result<void> Circle::remove(const domain::Member& member) {
    const std::lock_guard acting(acting_);
    if (member.standing == domain::Standing::Removed) return {};
    ControlAct act;
    act.kind = ControlKind::Remove;
    act.site = member.site;
    if (member.site.empty()) {
        act.site = domain::key_name(member.keys.front().sign);
    } else {
        if (member.site == parts_.site.id) {
            return failure(Code::Forbidden, "this site holds the pen and cannot remove itself", {},
                           "hand the pen over first: dutybook members pen SITE");
        }
        TRY_ASSIGN(act.positions, positions_of(member.site));
    }
    return append(std::move(act), true);
}

Result<void> Circle::adopt(const domain::Member& member) {
    const std::lock_guard acting(acting_);
    if (member.standing != domain::Standing::Removed) {
        return failure(Code::Conflict, member.name + " was not removed: all that it wrote counts");
    }
    TRY_ASSIGN(const auto later, later_of(member));
    ControlAct act;
    act.kind = ControlKind::Adopt;
    act.site = member.site;
    for (const auto& [one, operations] : later) {
        auto& position = act.positions[one.volume.writer];
        // The last segment with operations, as for a removal.
        for (store::CommitId at = one.tip; !at.empty();) {
            TRY_ASSIGN(const auto segment, log_->read(at));
            if (segment.header.last >= segment.header.first) {
                position = {segment.header.last, at};
                break;
            }
            at = segment.header.previous;
        }
    }
    if (act.positions.empty()) {
        return failure(Code::NotFound, "nothing that " + member.name + " wrote later is here", {},
                       "sync first; `dutybook members --json` lists what is quarantined");
    }
    return append(std::move(act), false);
}

Result<void> Circle::recover(const Secret& recovery, const std::function<void()>& meet) {
    const auto members = membership();
    if (!members) return no_control(parts_.space.name);
    TRY_ASSIGN(const RecoveryKeys keys, recovery_keys(recovery));
    if (keys.sign_public != members->recovery_sign) {
        return failure(Code::Forbidden,
                       "this is not the recovery key of the space " + parts_.space.name, {},
                       "it was printed when the space was made");
    }
    const auto reads = [this](std::optional<BoxKey> box) {
        const std::lock_guard lock(mutex_);
        recovery_box_ = std::move(box);
    };
    reads(keys.box);
    auto done = meet_and_recover(keys, meet);
    reads(std::nullopt);
    return done;
}

Result<void> Circle::meet_and_recover(const RecoveryKeys& keys, const std::function<void()>& meet) {
    {
        const std::lock_guard acting(acting_);
        TRY(reload());  // what is here already and was closed
    }
    if (meet) meet();  // on other threads
    const std::lock_guard acting(acting_);
    ControlAct act;
    act.kind = ControlKind::Recover;
    act.site = parts_.site.id;
    act.name = parts_.site.name;
    act.sign = parts_.ring->first()->sign;
    act.box = parts_.ring->newest()->box.public_key();
    return append_as(std::move(act), true, *keys.signer, keys.sign_public);
}

Result<void> Circle::come_back(const Invited& invited) {
    const std::lock_guard acting(acting_);
    if (invited.space.id != parts_.space.id || !outside()) return already_here(invited, true);
    TRY(write_invited_again(parts_.folder, invited));
    TRY_ASSIGN(auto keys, read_space_keys(parts_.folder));
    {
        const std::lock_guard lock(mutex_);
        keys_.merge(keys);
        TRY(load_files());
    }
    return attach(*log_);
}

Result<Json> Circle::space_json() const {
    const std::lock_guard lock(mutex_);
    return Result<Json>(boost::system::in_place_value,
                        Json{{"control", control_json(held_.head, held_.pieces)},
                             {"space",
                              {{"epochs", epochs_json(keys_)},
                               {"id", parts_.space.id},
                               {"name", parts_.space.name},
                               {"parent", parts_.space.parent}}}});
}

Result<Json> Circle::invite(const std::string& site_name, domain::Role role) {
    const std::lock_guard acting(acting_);
    const auto members = membership();
    if (!members) return no_control(parts_.space.name);
    for (const auto& [id, member] : members->sites) {
        if (member.name == site_name && member.standing == domain::Standing::Active) {
            return failure(Code::Exists, "a member is called " + site_name + " already", id,
                           "choose another name, or remove that one first");
        }
    }
    const SigningKey sign(Secret::random());
    const BoxKey box(Secret::random());
    ControlAct act;
    act.kind = ControlKind::Add;
    act.name = site_name;
    act.role = role;
    act.sign = sign.public_key();
    act.box = box.public_key();
    TRY(append(std::move(act), false));
    TRY_ASSIGN(Json file, space_json());
    file["site"] = site_name;
    file["role"] = domain::name_of(role);
    file["invite"] = {{"box", base64(box.seed().bytes())}, {"sign", base64(sign.seed().bytes())}};
    return Result<Json>(boost::system::in_place_value, std::move(file));
}

}  // namespace dutybook::core
