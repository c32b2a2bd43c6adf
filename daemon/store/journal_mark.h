#pragma once
// journal.db as it was left by a clean stop, so that a change of any byte since is found, and not
// only one that the chain of its operations would show.
//
// Beside it, journal.db.clean:
//   journal <hash of journal.db, in blocks of 1 MiB>
//   head <the text of journal.db.head, hex>
//   blake2b <hash of the lines above>
// It is there only while nobody has the journal open. After a crash there is none: then the sums of
// the pages tell (sqlite_sums.h), of what was in the file, and those of the write-ahead log.

#include "store/journal.h"

namespace dutybook::store {

// Opens the journal. Every byte is compared: a head that was lost or changed is made again; a
// journal whose bytes changed is checked whole, and written anew if all of its operations prove
// sound (both are noted, base/kept_file.h), else Code::Corrupt.
Result<std::unique_ptr<Journal>> open_marked_journal(const std::string& path);
// After the journal was closed by a clean stop.
Result<void> mark_journal_closed(const std::string& path);

}  // namespace dutybook::store
