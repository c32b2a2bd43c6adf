#pragma once
// Spaces made, joined and recovered, as files in a store; works beside a running daemon and
// without one. A space's folder is complete before its space.json is written, which makes it one.

#include "base/keys.h"
#include "core/book.h"
#include "core/circle.h"

namespace dutybook::core {

namespace fs = std::filesystem;

// The two key pairs of a recovery key.
struct RecoveryKeys {
    std::unique_ptr<store::CommitSigner> signer;
    PublicKey sign_public{};
    BoxKey box;
};
Result<RecoveryKeys> recovery_keys(const Secret& recovery);

// Epochs have numbers with gaps, so that two that were begun apart are not mistaken for each other.
std::uint32_t next_epoch(const domain::EpochKeys& keys);

struct Founded {
    SpaceRecord space;
    std::string recovery_key;  // as people copy it; kept nowhere
};
Result<Founded> found_space(const fs::path& store, const std::string& name,
                            const std::string& parent, Millis now);

// Code::Conflict if the store has another space of that name.
Result<void> check_free(const fs::path& store, const SpaceRecord& record);
// The "space", "control" and "invite" of an invitation. Code::Exists or Conflict
// (already_here) if the space is there and its site a member.
Result<SpaceRecord> join_space(const fs::path& store, const Json& invitation);

// A space as its control log on a remote tells it to whoever has the recovery key: this store's
// site becomes an administrator.
Result<SpaceRecord> recover_space(const fs::path& store, const Secret& recovery,
                                  const store::ControlOffer& found, const std::string& name,
                                  Millis now);

// Who belongs as the files tell it; reads alone, beside a daemon or without one.
Result<domain::Membership> look_at_members(const fs::path& store, const std::string& space);

// {"site","name","role",...} of each member without a daemon, as Circle::members_json().
Result<Json> members_offline(const fs::path& store, const std::string& space);

}  // namespace dutybook::core
