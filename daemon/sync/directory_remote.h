#pragma once
// A remote that is a bare repository in a directory: a shared folder, a USB stick. It may be
// absent (not plugged in), empty, or damaged (FAT after unplugging: zero-length refs and objects,
// a HEAD of nothing).

#include "sync/git_command.h"

#include <filesystem>
#include <string>

namespace dutybook::sync {

enum class DirectoryState : unsigned char {
    Missing,    // there is nothing, and no folder above it either: not plugged in
    Creatable,  // there is nothing, or an empty folder
    Foreign,    // a folder that holds something else: never touched
    Unsafe,     // a repository whose settings could run programs or read other places
    Unusable,   // a repository that git will not open any more
    Damaged,    // git opens it, but refs or objects are broken
    Good,
};
struct DirectoryLook {
    DirectoryState state = DirectoryState::Missing;
    std::string why;  // Unsafe, Unusable, Damaged: the first thing that is wrong
};

// Reads names, sizes, HEAD and refs; no object's content.
DirectoryLook look_at_directory(const std::filesystem::path& directory);

// A stick that was pulled out keeps the locks of what was being written, and git waits for nobody
// to remove them. Those of an hour and more are removed; git holds one for moments.
void remove_stale_locks(const std::filesystem::path& directory);

// A bare repository whose default branch is `dutybook`, that takes no forced change and no
// deletion, and whose refs and objects are synced to the disk (sticks are pulled).
Result<void> create_directory_remote(const std::filesystem::path& directory, GitCommand& git,
                                     const std::atomic<bool>& cancel);

// Renames it to "<directory>.damaged-YYYY-MM-DD[-n]"; returns the new path.
Result<std::filesystem::path> move_aside(const std::filesystem::path& directory, Millis now);

}  // namespace dutybook::sync
