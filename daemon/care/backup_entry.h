#pragma once
// The lines between the files of a backup: backup.h has their shapes.

#include "base/file.h"

#include <string_view>

namespace dutybook::care {

struct BackupEntry {
    fs::path path;  // below the store; empty: the last line
    std::uint64_t size = 0;
    unsigned mode = 0600;
    bool directory = false;
    std::uint64_t files = 0;  // of the last line: how many lines stand before it
};
// Code::Corrupt for another shape, and for a path that leads out of the store.
Result<BackupEntry> read_backup_entry(std::string_view line);

Error damaged_backup(const std::string& why);

}  // namespace dutybook::care
