#pragma once
// The same operations in a random order: a finished history's log is handed out again, in pieces
// that grow at several remotes, to sites that have nothing and only read and relay.

#include "simulation/world.h"

namespace dutybook::simulation {

struct Replayed {
    bool settled = false;
    std::vector<std::string> digests;  // of each site
    std::string trace;
    Counts counts;
    std::vector<std::string> errors;
    // Negative control: records whose surviving heads, taken in this order, are not the maximal
    // operations; and how many records were looked at.
    std::uint64_t heads_wrong = 0, heads_seen = 0;
};

Replayed replay(const testing::RepositoryData& archive, std::uint64_t seed,
                std::shared_ptr<const rules::KindRegistry> kinds);

// Negative control: records of a finished site where closed frontiers lose a value.
std::uint64_t closed_frontiers_lose(const Disk& disk);

}  // namespace dutybook::simulation
