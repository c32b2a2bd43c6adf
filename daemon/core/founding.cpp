#include "core/founding.h"

#include "core/identity.h"
#include "core/invited.h"
#include "core/space_keys.h"

#include "base/crypto.h"
#include "base/file.h"

#include <algorithm>

namespace dutybook::core {

using domain::ControlAct;
using domain::ControlKind;

namespace {

struct Keys {  // of this store's site
    SiteFile site;
    std::shared_ptr<Keyring> ring;
};

Result<Keys> read_keys(const fs::path& store) {
    Keys keys;
    TRY_ASSIGN(keys.site, read_site(store));
    TRY_ASSIGN(keys.ring, Keyring::read(store, keys.site.site.id));
    return Result<Keys>(std::move(keys));
}

Result<void> write_space_files(const fs::path& store, const SpaceRecord& record,
                               const domain::EpochKeys& keys, const Json& control) {
    const auto folder = store / "spaces" / record.name;
    TRY(prepare_space_keys(folder, keys));
    TRY(write_control(folder, control));
    return write_space_folder(store, record);
}

Result<bool> came_by(const fs::path& folder, const Invited& invited) {
    if (!fs::exists(folder / "invite.json")) return false;  // founded or recovered here
    TRY_ASSIGN(const std::string text, read_file(folder / "invite.json"));
    TRY_ASSIGN(const Json seeds, parse_json(text));
    return seeds.is_object() && seeds.value("sign", Json()) == invited.seeds.value("sign", Json());
}

Result<bool> is_member(const fs::path& store, const std::string& space) {
    TRY_ASSIGN(const SiteFile file, read_site(store));
    TRY_ASSIGN(const auto members, look_at_members(store, space));
    return members.find(file.site.id) != nullptr;
}

// A recovery that was cut off after the space stood goes on.
Result<SpaceRecord> recovered_before(const fs::path& store, const std::string& site,
                                     const SpaceRecord& record) {
    TRY_ASSIGN(const SpaceRecord there, read_space(store / "spaces" / record.name));
    if (there.id != record.id) {
        return failure(Code::Conflict, "this store has another space called " + record.name, {},
                       "give it another name here: --space NAME");
    }
    TRY_ASSIGN(const auto members, look_at_members(store, record.name));
    if (members.pen == site) return there;
    return failure(Code::Exists, "the space " + record.name + " is here already",
                   "this site does not hold its pen",
                   "start its daemon (dutybookd --store " + store.string() +
                       "), then without --remote: dutybook recover --key KEY");
}

}  // namespace

Result<RecoveryKeys> recovery_keys(const Secret& recovery) {
    crypto_start();
    const SigningKey sign(recovery.derive("dutybook recovery sign"));
    store::SigningSeed seed{};
    std::copy_n(sign.seed().data(), seed.size(), seed.begin());
    return RecoveryKeys{std::make_unique<store::SshSigner>(seed), sign.public_key(),
                        BoxKey(recovery.derive("dutybook recovery box"))};
}

Result<Founded> found_space(const fs::path& store, const std::string& name,
                            const std::string& parent, Millis now) {
    if (!valid_space_name(name)) {
        return failure(Code::Malformed, "'" + name + "' is no name for a space", {},
                       "use 1 to 64 letters, digits, '.', '_' and '-'");
    }
    TRY_ASSIGN(const Keys own, read_keys(store));
    const Secret recovery = Secret::random();
    TRY_ASSIGN(const RecoveryKeys recovering, recovery_keys(recovery));
    ControlAct act;
    act.kind = ControlKind::Found;
    act.site = own.site.site.id;
    act.name = own.site.site.name;
    // The first pair gave the site its id; a later one takes over as in every space.
    const auto pair = own.ring->first();
    act.sign = pair->sign;
    act.box = pair->box.public_key();
    act.recovery_sign = recovering.sign_public;
    act.recovery_box = recovering.box.public_key();
    act.salt = Secret::random().bytes().substr(0, 16);
    act.space_name = name;
    act.parent = parent;

    domain::ControlEntry entry;
    entry.space = domain::space_id_of(act.sign, act.recovery_sign, act.salt);
    entry.at = now;
    entry.by = act.sign;
    entry.epoch = 1;
    const auto keys = first_epoch();
    domain::wrap_epoch(entry, 1, keys, {act.recovery_box, act.box});
    domain::seal_act(entry, act, keys.at(1));
    TRY_ASSIGN(const auto piece, store::sign_entry(entry, *pair->signer));
    Founded out{{entry.space, name, parent}, paper_text(recovery)};
    TRY(write_space_files(store, out.space, keys, control_json(piece.id(), {piece})));
    return out;
}

Result<void> check_free(const fs::path& store, const SpaceRecord& record) {
    const auto folder = store / "spaces" / record.name;
    std::error_code failed;
    if (!fs::exists(folder / "space.json", failed)) return {};
    TRY_ASSIGN(const SpaceRecord there, read_space(folder));
    if (there.id == record.id) return {};
    return failure(Code::Conflict, "this store has another space called " + record.name, {},
                   "join it in a store of its own");
}

Result<SpaceRecord> join_space(const fs::path& store, const Json& invitation) {
    TRY_ASSIGN(const Invited invited, read_invitation(invitation));
    const SpaceRecord& record = invited.space;
    const auto folder = store / "spaces" / record.name;
    TRY(check_free(store, record));
    if (fs::exists(folder / "space.json")) {
        TRY_ASSIGN(const bool same, came_by(folder, invited));
        TRY_ASSIGN(const bool belongs, is_member(store, record.name));
        if (same || belongs) return already_here(invited, !same);
        TRY(write_invited_again(folder, invited));
        return record;
    }
    TRY(make_directories(folder));
    TRY(write_invite_seeds(folder, invited.seeds));
    TRY(write_space_files(store, record, invited.keys, invited.control));
    return record;
}

Result<SpaceRecord> recover_space(const fs::path& store, const Secret& recovery,
                                  const store::ControlOffer& found, const std::string& name,
                                  Millis now) {
    const auto not_it = [](const std::string& why) {
        return failure(Code::Forbidden, "the space cannot be recovered", why,
                       "see that this is the space's remote and its recovery key");
    };
    if (found.entries.empty()) return not_it("the remote holds no control log");
    TRY_ASSIGN(const RecoveryKeys recovering, recovery_keys(recovery));
    TRY_ASSIGN(const Keys own, read_keys(store));
    const std::vector<BoxKey> boxes{recovering.box};
    domain::EpochKeys keys;
    const auto key = [&](const domain::ControlEntry& entry) -> const Secret* {
        domain::collect_epoch_keys(entry, boxes, keys);
        const auto held = keys.find(entry.epoch);
        return held == keys.end() ? nullptr : &held->second;
    };
    const std::string space = found.entries.front().entry.space;
    const auto members = domain::fold_membership(space, found.entries, {}, key);
    if (!members) return not_it(members.error().text());
    if (members->recovery_sign != recovering.sign_public) return not_it("the key is another");
    const SpaceRecord record{space, name.empty() ? members->space_name : name, members->parent};
    if (fs::exists(store / "spaces" / record.name / "space.json"))
        return recovered_before(store, own.site.site.id, record);

    ControlAct act;
    act.kind = ControlKind::Recover;
    act.site = own.site.site.id;
    act.name = own.site.site.name;
    act.sign = own.ring->first()->sign;
    act.box = own.ring->first()->box.public_key();
    domain::ControlEntry entry;
    entry.space = space;
    entry.number = members->number + 1;
    entry.previous = members->head;
    entry.at = now;
    entry.by = recovering.sign_public;
    entry.epoch = next_epoch(keys);
    keys.insert_or_assign(entry.epoch, Secret::random());
    auto readers = members->readers();
    readers.push_back(act.box);
    domain::wrap_epoch(entry, entry.epoch, keys, readers);
    domain::seal_act(entry, act, keys.at(entry.epoch));
    TRY_ASSIGN(const auto piece, store::sign_entry(entry, *recovering.signer));

    std::vector<store::ControlPiece> pieces;
    for (std::size_t at = 0; at < found.pieces.size(); ++at) {
        pieces.push_back(found.pieces[at]);
        if (found.entries[at].commit == members->head) break;
    }
    pieces.push_back(piece);
    TRY(write_space_files(store, record, keys, control_json(piece.id(), pieces)));
    return record;
}

Result<domain::Membership> look_at_members(const fs::path& store, const std::string& space) {
    TRY_ASSIGN(Keys own, read_keys(store));
    const auto folder = store / "spaces" / space;
    TRY_ASSIGN(const SpaceRecord record, read_space(folder));
    TRY_ASSIGN(const auto circle, Circle::open({folder, record, own.site.site, own.ring, nullptr}));
    return circle->look();
}

Result<Json> members_offline(const fs::path& store, const std::string& space) {
    TRY_ASSIGN(Keys own, read_keys(store));
    const auto folder = store / "spaces" / space;
    TRY_ASSIGN(const SpaceRecord record, read_space(folder));
    TRY_ASSIGN(auto circle, Circle::open({folder, record, own.site.site, own.ring, nullptr}));
    TRY_ASSIGN(const auto log,
               store::open_git_log({folder / "log.git", record.id, &circle->codec(), nullptr}));
    TRY(circle->attach(*log));
    return circle->members_json();
}

}  // namespace dutybook::core
