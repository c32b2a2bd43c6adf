#pragma once
// A look at a write-ahead log before SQLite reads it. SQLite takes the first frame that does not
// fit its running checksum for the torn end of the last transaction and drops it with everything
// after it, in silence; a damaged byte would so lose transactions that were acknowledged.
//
// With synchronous=FULL a transaction is synced before the next one is written. So a torn end holds
// at most one commit frame; where two or more follow the first frame that does not fit, what was
// synced has been damaged. (Frames of an earlier round of the log carry other salts and are not
// counted. Whoever relies on this empties the log each time it opens it, so that no torn end of an
// earlier crash is left behind a newer one.)

#include "base/result.h"

#include <cstdint>
#include <string>

namespace dutybook::store {

enum class WalEnd : std::uint8_t {
    Whole,
    Unfinished,  // the last frame is not all there: a process that is killed leaves that
    Torn,  // a commit stands behind a frame that does not fit: it takes a loss of power, or damage
};

// `path` of the log file itself ("...-wal"). No file, or an empty one, is sound. Code::Corrupt
// says how many transactions lie behind the damage. The damage of the very last transaction cannot
// be told from one that was not finished: whoever needs to know notes elsewhere what was
// acknowledged.
Result<WalEnd> check_wal(const std::string& path);

}  // namespace dutybook::store
