#include "core/invited.h"

#include "core/identity.h"
#include "core/space_keys.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"

namespace dutybook::core {

namespace {

std::string text_of(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<Secret> seed_from(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (!object.is_object() || found == object.end() || !found->is_string())
        return malformed("an invite lacks its keys");
    TRY_ASSIGN(const std::string bytes, from_base64(found->get_ref<const std::string&>()));
    return Secret::from(bytes);
}

// The control log says who belongs, and knows the invite: else nobody would take over a word of the
// site that comes by it.
Result<void> check_control(const Invited& invited) {
    TRY_ASSIGN(const InviteSeeds seeds, read_invite_seeds(invited.seeds));
    TRY_ASSIGN(const ControlFile file, control_from(invited.control));
    std::vector<domain::SignedEntry> entries;
    for (const auto& piece : file.pieces) {
        TRY_ASSIGN(auto entry, store::check_piece(piece, invited.space.id));
        entries.push_back(std::move(entry));
    }
    const auto members = domain::fold_membership(
        invited.space.id, entries, {}, [&](const domain::ControlEntry& entry) -> const Secret* {
            const auto key = invited.keys.find(entry.epoch);
            return key == invited.keys.end() ? nullptr : &key->second;
        });
    if (!members) return malformed("the invitation's control log is not whole", "/control");
    if (members->find(domain::key_name(SigningKey(seeds.sign).public_key())) == nullptr) {
        return malformed("the invitation's control log does not know the invitation", "/control");
    }
    return {};
}

}  // namespace

Result<InviteSeeds> read_invite_seeds(const Json& seeds) {
    TRY_ASSIGN(const Secret sign, seed_from(seeds, "sign"));
    TRY_ASSIGN(const Secret box, seed_from(seeds, "box"));
    return InviteSeeds{sign, box};
}

Result<void> write_invite_seeds(const fs::path& folder, const Json& seeds) {
    TRY(read_invite_seeds(seeds));
    const Json file = {{"box", seeds["box"]}, {"format", 1}, {"sign", seeds["sign"]}};
    return write_kept(folder / "invite.json", canonical(file) + "\n");
}

Result<Invited> read_invitation(const Json& invitation) {
    const Json space =
        invitation.is_object() ? invitation.value("space", Json::object()) : Json::object();
    Invited out;
    out.space = {text_of(space, "id"), text_of(space, "name"), text_of(space, "parent")};
    const bool parent = out.space.parent.empty() || valid_space_name(out.space.parent);
    if (out.space.id.empty() || !valid_space_name(out.space.name) || !parent) {
        return malformed("the invitation names no space", "/space");
    }
    TRY_ASSIGN(out.keys, epochs_from(space.value("epochs", Json())));
    out.control = invitation.value("control", Json::object());
    out.seeds = invitation.value("invite", Json::object());
    TRY(check_control(out));
    return Result<Invited>(std::move(out));
}

Error already_here(const Invited& invited, bool another) {
    return failure(another ? Code::Conflict : Code::Exists,
                   "the space " + invited.space.name + " is here already",
                   "this store's site came to it before",
                   "nothing is to be done: dutybook sync fetches it. For another site, or if this "
                   "one was removed or retired, join in a store of its own (--store DIR)");
}

Result<void> write_invited_again(const fs::path& folder, const Invited& invited) {
    TRY_ASSIGN(auto keys, read_space_keys(folder));
    keys.insert(invited.keys.begin(), invited.keys.end());
    TRY_ASSIGN(const std::string text, read_file(folder / "control.json", 64u << 20));
    TRY_ASSIGN(const Json held, parse_json(text, {8, 64u << 20}));
    TRY_ASSIGN(ControlFile file, control_from(held));
    TRY_ASSIGN(const ControlFile brought, control_from(invited.control));
    // The log takes over what is new when it is next opened, and keeps what gave way.
    file.pieces.insert(file.pieces.end(), brought.pieces.begin(), brought.pieces.end());
    TRY(write_space_keys(folder, keys));
    TRY(write_control(folder, control_json(brought.head, file.pieces)));
    return write_invite_seeds(folder, invited.seeds);  // last: by it the site belongs
}

}  // namespace dutybook::core
