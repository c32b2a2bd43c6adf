#pragma once
// Bit rot: every night one part of the log is read and hashed, so that after `parts` nights every
// byte was. Reads only, and nothing waits for it.

#include "store/log.h"

#include <filesystem>

namespace dutybook::store {

// The packs and loose objects whose names fall into this part (0 .. parts - 1). A file that goes
// away meanwhile was put together with others, and is no damage.
Result<std::vector<Damage>> verify_slice(const std::filesystem::path& git_dir, std::uint64_t part,
                                         std::uint64_t parts);

}  // namespace dutybook::store
