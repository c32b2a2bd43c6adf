#pragma once
// A log that no engine of this version would write: operations that are malformed, that lie about
// what they knew, and, last, those of a newer verb and a newer format.

#include "simulation/site.h"

namespace dutybook::simulation {

// Adds one whole volume by a site of its own to a remote.
void write_scripted_log(testing::RepositoryData& remote, const store::SegmentCodec& codec,
                        Random& random);

}  // namespace dutybook::simulation
