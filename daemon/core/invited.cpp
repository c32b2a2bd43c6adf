#include "core/invited.h"

#include "core/identity.h"
#include "core/space_keys.h"

#include "base/crypto.h"

namespace dutybook::core {

namespace {

std::string text_of(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<Secret> seed_from(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return malformed("an invite lacks its keys");
    TRY_ASSIGN(const std::string bytes, from_base64(found->get_ref<const std::string&>()));
    return Secret::from(bytes);
}

}  // namespace

Result<InviteSeeds> read_invite_seeds(const Json& seeds) {
    TRY_ASSIGN(Secret sign, seed_from(seeds, "sign"));
    TRY_ASSIGN(Secret box, seed_from(seeds, "box"));
    return InviteSeeds{std::move(sign), std::move(box)};
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
    if (!space.contains("epochs")) return Result<Invited>(std::move(out));
    TRY_ASSIGN(out.keys, epochs_from(space["epochs"]));
    out.control = invitation.value("control", Json::object());
    TRY_ASSIGN(const ControlFile file, control_from(out.control));
    for (const auto& piece : file.pieces) {
        const auto checked = store::check_piece(piece, out.space.id);
        if (!checked) return checked.error();
    }
    out.seeds = invitation.value("invite", Json::object());
    TRY(read_invite_seeds(out.seeds));
    return Result<Invited>(std::move(out));
}

}  // namespace dutybook::core
