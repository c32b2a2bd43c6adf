#include "store/log_quarantine.h"

#include "store/git_refs.h"

#include "base/file.h"

#include <system_error>

namespace dutybook::store {
namespace {

// What a killed transfer leaves in the object directory.
void remove_remains(const fs::path& objects) {
    std::error_code error;
    std::vector<fs::path> remains;
    for (const auto& folder : {objects, objects / "pack"})
        for (const auto& entry : fs::directory_iterator(folder, error)) {
            const auto name = entry.path().filename().string();
            if (name.starts_with("tmp_") || name.starts_with("incoming-") ||
                name.ends_with(".lock"))
                remains.push_back(entry.path());
        }
    for (const auto& remain : remains) fs::remove_all(remain, error);
}

bool sound(const fs::path& git_dir) {
    const auto refs = git::list_refs(git_dir);
    if (!refs) return false;
    for (const auto& [ref, file] : *refs)
        if (file.target.empty()) return false;
    return true;
}

}  // namespace

Result<std::unique_ptr<GitQuarantine>> GitQuarantine::open(
    const fs::path& log, std::shared_ptr<std::atomic_flag> in_use) {
    if (in_use->test_and_set())
        return failure(Code::Unavailable, "another transfer uses this space's quarantine");
    const auto place = log.parent_path() / (log.stem().string() + "-quarantine.git");
    auto out = std::make_unique<GitQuarantine>(place, log, std::move(in_use));
    if (!sound(place) || !out->prepare()) TRY(out->clear());
    return out;
}

Result<void> GitQuarantine::prepare() {
    TRY_ASSIGN(const auto healed,
               git::prepare_repository(path_, git::quarantine_config, git::aside_folder(path_)));
    if (!healed.empty()) return failure(Code::Corrupt, "the quarantine is damaged");
    TRY(git::tidy_refs(path_, git::aside_folder(path_)));
    remove_remains(path_ / "objects");
    const auto alternates = path_ / "objects" / "info" / "alternates";
    const auto expected = (log_ / "objects").string() + "\n";
    const auto held = read_file(alternates);
    if (held && *held == expected) return {};
    return write_file_atomically(alternates, expected);
}

Result<void> GitQuarantine::clear() {
    std::error_code error;
    fs::remove_all(path_, error);
    if (error)
        return failure(Code::Io, "cannot clear the quarantine " + path_.string(), error.message());
    return prepare();
}

Result<std::unique_ptr<Quarantine>> GitLog::open_quarantine() {
    TRY_ASSIGN(auto quarantine, GitQuarantine::open(path_, quarantine_in_use_));
    return std::unique_ptr<Quarantine>(std::move(quarantine));
}

}  // namespace dutybook::store
