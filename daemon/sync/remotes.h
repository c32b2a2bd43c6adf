#pragma once
// spaces/<name>/remotes.json: the remotes of a space, how the last contact with each went, and
// what it listed then (schemas/remotes.schema.json). Instants are UTC text, null = never.
//
// Not thread-safe; SyncService guards it.

#include "sync/transfer.h"

#include <filesystem>
#include <vector>

namespace dutybook::sync {

struct RemoteRecord {
    RemoteConfig config;
    Millis added = 0, last_attempt = 0, last_success = 0;  // 0 = never
    std::string error;          // of the last attempt, empty = it went well
    Transfer::Refs listed;      // as the last list showed it: what it is known to hold
    Transfer::Refs remembered;  // the same, with heads that it has lost since (an alarm stands)
    int failures = 0;           // in a row; not stored
};

struct RemoteFile {
    std::vector<RemoteRecord> remotes;  // sorted by name
    Millis last_receipt = 0;            // when a segment of ours last served as receipt
    Millis last_maintained = 0;         // when the log's packs were last put together

    RemoteRecord* find(const std::string& name);
};

// Name, address, window and timeout; Code::Malformed says which.
Result<void> check_remote_config(const RemoteConfig& remote);

std::filesystem::path remotes_path(const std::filesystem::path& space_directory);
Result<RemoteFile> load_remotes(const std::filesystem::path& file);  // a missing file is empty
Result<void> save_remotes(const std::filesystem::path& file, const RemoteFile& remotes);

}  // namespace dutybook::sync
