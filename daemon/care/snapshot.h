#pragma once
// The files of a store as they were at one moment, while a daemon may go on writing.

#include "base/file.h"

#include <string>
#include <vector>

namespace dutybook::care {

struct SnapshotFile {
    std::string path;  // in the store
    fs::path source;   // where its bytes are now
    std::uint64_t size = 0;
    unsigned mode = 0600;
    bool directory = false;  // an empty one, which would otherwise be lost
};

class Snapshot {
public:
    static Result<Snapshot> take(const fs::path& store);
    Snapshot(Snapshot&& other) noexcept;
    Snapshot& operator=(Snapshot&&) = delete;
    ~Snapshot();  // removes its folder

    const std::vector<SnapshotFile>& files() const { return files_; }

private:
    explicit Snapshot(fs::path folder) : folder_(std::move(folder)) {}
    Result<void> keep(const fs::path& store, const fs::path& path);
    Result<void> keep_space(const fs::path& store, const fs::path& space);
    void keep_empty_folders(const fs::path& store, const fs::path& folder);
    Result<void> keep_log(const fs::path& store, const fs::path& log);

    fs::path folder_;  // inside the store: it holds journals in the clear
    std::vector<SnapshotFile> files_;
};

}  // namespace dutybook::care
