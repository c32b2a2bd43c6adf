#include "store/git_layout.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"

#include <algorithm>
#include <array>
#include <system_error>

namespace dutybook::store::git {

const std::string_view head_text = "ref: refs/heads/dutybook\n";

const std::string_view log_config =
    "[core]\n"
    "\trepositoryformatversion = 0\n"
    "\tfilemode = true\n"
    "\tbare = true\n"
    "\tbigFileThreshold = 512\n"
    "[gc]\n"
    "\tauto = 0\n"
    "[maintenance]\n"
    "\tauto = false\n";

// What is fetched stays one pack: unpacking it would inflate every object, however large. A pack
// is not compared with refs of ours that it does not touch.
const std::string_view quarantine_config =
    "[core]\n"
    "\trepositoryformatversion = 0\n"
    "\tfilemode = true\n"
    "\tbare = true\n"
    "\tbigFileThreshold = 512\n"
    "[fetch]\n"
    "\tunpackLimit = 1\n"
    "[transfer]\n"
    "\tunpackLimit = 1\n"
    "[gc]\n"
    "\tauto = 0\n"
    "[maintenance]\n"
    "\tauto = false\n";

namespace {

constexpr std::array folders = {"objects/info", "objects/pack", "refs/heads", "refs/tags"};

Result<void> make_new(const fs::path& git_dir, std::string_view config) {
    auto fresh = git_dir;
    fresh += ".new";
    std::error_code error;
    fs::remove_all(fresh, error);  // of a start that a crash cut off
    for (const char* folder : folders) TRY(make_directories(fresh / folder));
    TRY(write_file_atomically(fresh / "HEAD", head_text));
    TRY(write_file_atomically(fresh / "config", config));
    fs::rename(fresh, git_dir, error);
    if (error) return failure(Code::Io, "cannot make " + git_dir.string(), error.message());
    return sync_directory(git_dir.parent_path());
}

Result<void> put_right(const fs::path& git_dir, const char* name, std::string_view text,
                       const fs::path& aside, std::vector<Damage>& found) {
    const auto file = git_dir / name;
    const auto held = read_file(file, 64 * 1024);
    if (held && *held == text) return {};
    std::error_code ignored;
    const bool there = fs::exists(file, ignored);
    if (there) TRY(move_aside(git_dir, file, aside));
    TRY(write_file_atomically(file, text));
    found.push_back(
        {name, there ? "is not what Dutybook wrote" : "is missing", {}, true, "written again"});
    return {};
}

}  // namespace

Result<std::vector<Damage>> prepare_repository(const fs::path& git_dir, std::string_view config,
                                               const fs::path& aside) {
    std::vector<Damage> found;
    std::error_code ignored;
    if (!fs::exists(git_dir, ignored)) {
        TRY(make_directories(fs::absolute(git_dir).parent_path()));
        TRY(make_new(fs::absolute(git_dir), config));
        return found;
    }
    for (const char* folder : folders) {
        if (fs::is_directory(git_dir / folder, ignored)) continue;
        TRY(make_directories(git_dir / folder));
        if (std::string_view(folder) != "refs/tags" && std::string_view(folder) != "objects/info")
            found.push_back({folder, "the directory is missing", {}, true, "made again"});
    }
    TRY(put_right(git_dir, "HEAD", head_text, aside, found));
    TRY(put_right(git_dir, "config", config, aside, found));
    return found;
}

fs::path aside_folder(const fs::path& git_dir) {
    auto stamp = format_utc(SystemClock().now() / 1000 * 1000);
    std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
    return git_dir / "damaged" / (stamp + "-" + random_base32(5));
}

Result<void> put_file(const fs::path& git_dir, const fs::path& file, std::string_view bytes) {
    std::error_code ignored;
    if (fs::is_directory(file, ignored)) {
        TRY(move_aside(git_dir, file, aside_folder(git_dir)));
        note_healed({file, "a folder was in its place", "moved aside, and written again"});
    }
    return write_file_atomically(file, bytes);
}

}  // namespace dutybook::store::git
