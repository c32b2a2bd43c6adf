#include "care/snapshot.h"

#include "store/database_copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

namespace dutybook::care {

namespace {

constexpr const char* folder_prefix = "backup-";
constexpr int most_tries = 20;  // a consolidation of packs is over in one or two

// A file that is being replaced at this moment (base/file.h), or was when a crash came.
bool is_temporary(const std::string& name) {
    return name.find(".new-") != std::string::npos || name.ends_with(".lock");
}

bool left_out(const std::string& name) {
    constexpr std::array<std::string_view, 4> whole = {"lock", "run", "quarantine.git", "reserve"};
    return std::count(whole.begin(), whole.end(), name) != 0 || name.starts_with("index.db") ||
           name.starts_with(folder_prefix) || is_temporary(name);
}

// Objects of a repository, as they are named now.
std::set<fs::path> listed(const fs::path& folder) {
    std::set<fs::path> out;
    std::error_code failed;
    for (const auto& entry : fs::recursive_directory_iterator(folder, failed)) {
        const std::string name = entry.path().filename();
        if (entry.is_regular_file(failed) && !name.starts_with("tmp_") && !is_temporary(name)) {
            out.insert(entry.path());
        }
    }
    return out;
}

}  // namespace

Snapshot::Snapshot(Snapshot&& other) noexcept
    : folder_(std::exchange(other.folder_, {})), files_(std::move(other.files_)) {}

Snapshot::~Snapshot() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Result<Snapshot> Snapshot::take(const fs::path& store) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(store, failed)) {
        // Of a backup that was killed.
        if (entry.path().filename().string().starts_with(folder_prefix)) {
            fs::remove_all(entry.path(), failed);
        }
    }
    std::string name = (store / folder_prefix).string() + "XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        return failure(Code::Io, "cannot make a folder in " + store.string(), "",
                       "run it as the account of the daemon, or as root");
    }
    Snapshot snapshot{fs::path(name)};
    for (const auto& entry : fs::directory_iterator(store, failed)) {
        const std::string file = entry.path().filename();
        if (left_out(file) || file == "spaces") continue;
        if (entry.is_directory(failed)) {
            for (const auto& path : listed(entry.path())) TRY(snapshot.keep(store, path));
        } else if (entry.is_regular_file(failed)) {
            TRY(snapshot.keep(store, entry.path()));
        }
    }
    for (const auto& space : fs::directory_iterator(store / "spaces", failed)) {
        TRY(snapshot.keep_space(store, space.path()));
    }
    if (failed) return failure(Code::Io, "cannot list " + store.string(), failed.message());
    return snapshot;
}

// Holds on to the file: what is replaced later by renaming leaves this one as it is.
Result<void> Snapshot::keep(const fs::path& store, const fs::path& path) {
    SnapshotFile file;
    file.path = path.lexically_relative(store).string();
    file.source = folder_ / std::to_string(files_.size());
    std::error_code failed;
    fs::create_hard_link(path, file.source, failed);
    if (failed && failed != std::errc::no_such_file_or_directory) {
        fs::copy_file(path, file.source, failed);  // a file system without links
    }
    struct stat info {};
    if (failed || ::stat(file.source.c_str(), &info) != 0) {
        return failure(failed == std::errc::no_such_file_or_directory ? Code::NotFound : Code::Io,
                       "cannot read " + path.string(), failed.message());
    }
    file.size = static_cast<std::uint64_t>(info.st_size);
    file.mode = info.st_mode & 0777;
    files_.push_back(std::move(file));
    return {};
}

Result<void> Snapshot::keep_space(const fs::path& store, const fs::path& space) {
    std::error_code failed;
    // These first: a journal is never behind what was read before it.
    if (fs::exists(space / "journal.db.head", failed)) TRY(keep(store, space / "journal.db.head"));
    if (fs::exists(space / "journal.db.last", failed)) {
        SnapshotFile last;  // written in place: a link would go on with it
        last.path = (space / "journal.db.last").lexically_relative(store).string();
        last.source = folder_ / std::to_string(files_.size());
        fs::copy_file(space / "journal.db.last", last.source, failed);
        if (failed) return failure(Code::Io, "cannot read " + last.path, failed.message());
        last.size = fs::file_size(last.source, failed);
        files_.push_back(std::move(last));
    }
    if (fs::exists(space / "journal.db", failed)) {
        SnapshotFile journal;
        journal.path = (space / "journal.db").lexically_relative(store).string();
        journal.source = folder_ / std::to_string(files_.size());
        TRY(store::copy_database((space / "journal.db").string(), journal.source.string()));
        journal.size = fs::file_size(journal.source, failed);
        files_.push_back(std::move(journal));
    }
    for (const auto& entry : fs::directory_iterator(space, failed)) {
        const std::string name = entry.path().filename();
        if (left_out(name) || name.starts_with("journal.db")) continue;
        if (name == "log.git") {
            TRY(keep_log(store, entry.path()));
        } else if (entry.is_regular_file(failed)) {
            TRY(keep(store, entry.path()));
        } else {
            for (const auto& path : listed(entry.path())) TRY(keep(store, path));
        }
    }
    return {};
}

void Snapshot::keep_empty_folders(const fs::path& store, const fs::path& folder) {
    std::error_code failed;
    for (const auto& entry : fs::recursive_directory_iterator(folder, failed)) {
        if (!entry.is_directory(failed) || !fs::is_empty(entry.path(), failed)) continue;
        SnapshotFile file;
        file.path = entry.path().lexically_relative(store).string();
        file.directory = true;
        files_.push_back(std::move(file));
    }
}

// Refs first, then what they name. Objects never change, but a consolidation puts them into
// another pack and removes the old: then it is done again.
Result<void> Snapshot::keep_log(const fs::path& store, const fs::path& log) {
    const std::size_t before = files_.size();
    for (int tries = 0; tries < most_tries; ++tries) {
        while (files_.size() > before) {
            std::error_code ignored;
            if (!files_.back().directory) fs::remove(files_.back().source, ignored);
            files_.pop_back();
        }
        Result<void> kept;
        const auto take = [&](const fs::path& path) { kept = kept ? keep(store, path) : kept; };
        keep_empty_folders(store, log);
        for (const auto& path : listed(log)) {
            const auto part = *path.lexically_relative(log).begin();
            if (part != "objects" && part != "damaged") take(path);
        }
        const auto packs = listed(log / "objects" / "pack");
        for (const auto& path : listed(log / "objects")) take(path);
        if (kept && packs == listed(log / "objects" / "pack")) return {};
        if (!kept && kept.error().code != Code::NotFound) return kept;
    }
    return failure(Code::Unavailable, "the log of " + log.string() + " does not hold still", "",
                   "try again");
}

}  // namespace dutybook::care
