#pragma once
// What verify and repair found, and whether a remote brought back what was missing.

#include "core/space_service.h"

#include <map>
#include <vector>

namespace dutybook::api {

struct Damage : store::Damage {
    bool lost = false;  // neither this store nor any remote has it
};
using Damages = std::vector<Damage>;

Damages damages_of(std::vector<store::Damage> found);
Json damage_json(const Damage& damage);

using LogTips = std::map<store::VolumeName, store::CommitId>;
Result<LogTips> log_tips(core::SpaceService& space);
// After the remotes were asked: what came back, and what is lost. `before`: the tips that repair
// left.
Result<void> judge_missing(Damages& damages, core::SpaceService& space, const LogTips& before,
                           bool all_asked);

}  // namespace dutybook::api
