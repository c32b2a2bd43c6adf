#pragma once
// The journal behind two guards.
//
// A full disk: writes are refused before they reach the file, until there is room (disk_room.h).
//
// A disk that refuses (EIO): after a failed fsync nobody knows what the disk holds, and asking
// again may be answered well while the pages are gone. So the first such failure ends writing for
// good: every later change is refused with the same error, and only a restart, which reads the file
// anew and checks it, takes writes again. Reads go on.

#include "core/disk_room.h"
#include "store/journal.h"

namespace dutybook::core {

// Opens space/journal.db, compared with how the last clean stop left it; closing marks it again
// (store/journal_mark.h). `room` outlives the journal; null: no guard against a full disk.
Result<std::unique_ptr<store::Journal>> open_guarded_journal(const fs::path& file, DiskRoom* room);

}  // namespace dutybook::core
