#pragma once
// The file of the index: its tables, and how we know at opening that it can be trusted.
//
//   meta(key, value)      "format", "fold" (versions), "boot", "file" (of the run that uses it),
//                         "searched" (last rec that full text has caught up with; absent = all),
//                         "name" (random, of this file), "judged-upto SPACE" (name of that space's
//                         index, and its order: what verdicts reflect)
//   totals                one row: counts and digests, so that opening reads nothing else
//   writer(id, name, held, shown, segment, waiting)
//       held: last operation stored; shown: last one folded; they differ behind an operation of
//       a newer format (`waiting`, 0 = none) and during a bulk load
//   frontier(id, hash, text), run(id, writer, first, last, frontier, segment)
//       an operation names its run instead of repeating writer, frontier and segment
//   kind(id, name, traits, alive), field(id, kind, name, refers, built)
//       `traits` is what of the kind's schema the rows below were made with; a field that came
//       later has rows of the records up to `built` (the greatest number: of all) and is not
//       looked up until it has them all
//   record(rec, id, bucket, effective, conflicts, changed, run, seq, arrived, line, state)
//       rec = milliseconds of the first operation << 21 | low bits of its seq: rows lie in order of
//       time on every site, so that newest-first needs no sort. The record's first operation stands
//       in the row itself; most records have no other, and then `state` is NULL, because it is the
//       fold of that operation. bucket = kind * 2 + deleted, NULL while unborn.
//       effective = milliseconds * 2 + (1 if it is a calendar date)
//   op(rec, ord, run, seq, arrived, line)   the further operations, in order of arrival
//   kept(writer, seq, run, arrived, waiting, line)   malformed operations, and those that wait
//   field_value(field, value, effective, rec)   fields marked as indexed, and references; its index
//       (field_lookup) holds all of it: made late, that is faster than rows kept in that order
//   search                FTS5 without content, without positions; rowid = rec
//   plugin(id, digest), verdict(rec, plugin, kind, version, findings, reads)
//       of records as they are shown: a change of the record deletes its rows
//   verdict_read(read, rec)   who looked at a record; `read` is a hash of its id
//   judged(kind, plugin, verdicts)   how many rows of verdict there are
//   finding(id, hash, rec, plugin, rule)   which verdicts tell of a finding
//
// Trust. synchronous=OFF survives kill -9 but not a power loss. So:
//   - "<file>.clean" is written at a clean end, after a sync: size, times and inode of the file. If
//     they do not fit, something else has written to the file: Corrupt. It is removed (and that is
//     synced) before the first write.
//   - without it, the file is used only if the machine has not been restarted since (boot id), it
//     is the same inode on the same device, and its write-ahead log is there.
// Rejected: a checksum over all pages (reads the whole file at each start).

#include "store/sqlite.h"

#include <memory>
#include <string>

namespace dutybook::store {

inline constexpr const char* index_name_key = "name";
inline constexpr std::int64_t index_cache_kib = 8 * 1024;
inline constexpr std::int64_t bulk_cache_kib = 64 * 1024;

// An empty index is made if there is no file.
Result<std::unique_ptr<Database>> open_index_file(const std::string& path);
// After the last connection has been closed.
Result<void> mark_index_clean(const std::string& path);

Result<void> create_late_indexes(Database& db);
Result<void> drop_late_indexes(Database& db);

}  // namespace dutybook::store
