#pragma once
// What an invitation says of its space (cli/commands_members.cpp has the whole shape): the members
// "space", "control" and "invite", checked before anything is written.

#include "base/keys.h"
#include "core/book.h"
#include "core/control_file.h"

namespace dutybook::core {

struct InviteSeeds {  // of the keys that a site introduces itself with
    Secret sign, box;
};
Result<InviteSeeds> read_invite_seeds(const Json& seeds);
Result<void> write_invite_seeds(const std::filesystem::path& folder, const Json& seeds);

struct Invited {
    SpaceRecord space;
    domain::EpochKeys keys;
    Json control, seeds;
};
// Names, shapes, every control entry and its signature, and that they lead to this invite.
Result<Invited> read_invitation(const Json& invitation);

// Why a space that stands here is not joined. Code::Exists, or Conflict if it came by another
// invitation than this one.
Error already_here(const Invited& invited, bool another);
// Into the folder of a space to which this store's site belongs no more (Circle::outside): what it
// holds stays, and what the invitation brings comes beside it.
Result<void> write_invited_again(const std::filesystem::path& folder, const Invited& invited);

}  // namespace dutybook::core
