#pragma once
// Files written so that a crash leaves the old or the new one.

#include "base/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace dutybook {

namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path, std::size_t limit = 64 * 1024 * 1024);
// Temporary file in the same folder, fsync, rename, fsync of the folder. Mode of the new file.
Result<void> write_file_atomically(const fs::path& path, std::string_view bytes,
                                   unsigned mode = 0600);
Result<void> make_directories(const fs::path& path, unsigned mode = 0700);  // synced, with parents
Result<void> sync_directory(const fs::path& path);
Result<void> sync_file(const fs::path& path);

// An exclusive flock on the folder of a lock file, held as long as the object lives.
class FileLock {
public:
    static Result<FileLock> take(const fs::path& path);  // Code::Unavailable if another holds it
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock();

private:
    explicit FileLock(int fd) : fd_(fd) {}
    int fd_ = -1;
};

}  // namespace dutybook
