#pragma once
// What is read anew each night to find bit rot before it matters: the journal's chain, and one part
// of the log, so that each byte is read once in four weeks. An alarm names what is damaged.

#include "core/space_service.h"

#include <filesystem>

namespace dutybook::sync {

constexpr std::uint64_t nightly_parts = 28;

// On a sync thread; `space_directory` holds log.git.
void check_nightly(core::SpaceService& space, const std::filesystem::path& space_directory,
                   Millis now);

}  // namespace dutybook::sync
