#pragma once
// `remote check`: tries what a sync would need, in order, and says a sentence for each.

#include "sync/git_transfer.h"
#include "sync/service.h"

namespace dutybook::sync {

// Blocks up to a few times the remote's timeout. Changes nothing at the remote.
SyncService::CheckResult check_remote(const RemoteConfig& remote,
                                      const GitTransfer::Options& options,
                                      core::SpaceService& space, const std::atomic<bool>& cancel);

}  // namespace dutybook::sync
