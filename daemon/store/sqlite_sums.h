#pragma once
// Sums on the pages of a database file. SQLite reads a page with a changed byte without a word, if
// only its structure holds; so each page ends with a sum that is made when it is written to the
// file and compared when it is read (a VFS between SQLite and the operating system's). A frame of
// the write-ahead log has a checksum of its own.
//
// A file whose header reserves 8 bytes of each page (byte 20) has sums; any other is left alone.
// Whoever relies on them notes elsewhere that the file has them: that byte may be damaged too.
// Stock SQLite reads such a file, but must not write it.

#include "store/sqlite.h"

namespace dutybook::store {

// Before the first database is opened; idempotent. Database::open does it.
void start_page_sums();

// A new, empty database is to have sums; an old one gets them by its next VACUUM.
Result<void> give_page_sums(Database& db);
bool has_page_sums(Database& db);
// For a copy page by page of a database that has sums: from its first page on.
void copy_page_sums(Database& from, Database& to);
// Every page of the file, read and compared. Code::Corrupt names the first that is not what was
// written.
Result<void> check_page_sums(Database& db);
// Pages are read whatever their sums say: to find out what of a damaged file is whole.
void ignore_page_sums(Database& db);

}  // namespace dutybook::store
