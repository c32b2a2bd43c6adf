#pragma once
// What the journal has lost of its end (a write-ahead log that was cut, emptied or damaged in its
// last transaction) and the index still shows.

#include "core/space_engine.h"

namespace dutybook::core {

// The index takes in only what the journal has made durable: an own operation that it shows beyond
// the journal's last was acknowledged and lost. It goes back into the journal as it was, under its
// own number. How far operations were acknowledged the journal has noted as well, for when the
// index is no witness. Both what came back and what did not is noted (base/kept_file.h).
// Gives how many are gone for good.
Result<std::uint64_t> bring_back_lost_tail(const SpaceParts& parts, const SpaceFacts& facts);

}  // namespace dutybook::core
