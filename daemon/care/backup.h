#pragma once
// A store as one encrypted file, taken while the daemon runs, and a store made from it.
//
// The file is a sealed stream (base/sealed_file.h, kind "backup"). In it, for each file of the
// store, one line {"mode":N,"path":"...","size":N} and its bytes, or {"directory":true,"path":...}
// for an empty folder; at the end {"files":N}, the number of lines before.
//
// Consistent without stopping anybody: of each space first journal.db.head and journal.db.last,
// then the journal as one transaction shows it, then the log. So the journal holds at least what
// they say, and the log at least what the journal says is sealed. What the log holds beyond is
// either foreign or comes back under its first identity, because a restored store opens new
// writers.
//
// Left out is what is made again: index.db, the quarantine, run/, the lock.

#include "base/keys.h"

#include <filesystem>
#include <functional>
#include <string>

namespace dutybook::care {

// Bytes done of all, of the step's name.
using BackupProgress =
    std::function<void(const std::string& step, std::uint64_t done, std::uint64_t all)>;

struct BackupDone {
    std::uint64_t files = 0, bytes = 0;  // bytes of the backup file
};

struct BackupRequest {
    std::filesystem::path store, file;
    std::string passphrase;
    PassphraseCost cost = {};
    BackupProgress progress;
};
Result<BackupDone> make_backup(const BackupRequest& request);

// Makes the store anew in a directory that is not there yet, or empty. All or nothing: a file that
// is damaged anywhere restores nothing.
struct RestoreRequest {
    std::filesystem::path file, store;
    std::string passphrase;
    BackupProgress progress;
};
Result<BackupDone> restore_backup(const RestoreRequest& request);

}  // namespace dutybook::care
