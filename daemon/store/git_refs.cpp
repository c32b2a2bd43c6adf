#include "store/git_refs.h"

#include "base/file.h"
#include "store/git_layout.h"

#include <sstream>
#include <system_error>

namespace dutybook::store::git {
namespace {

constexpr std::size_t longest_ref_file = 1024;

// A ref's components as the design makes them, so that no name leads out of refs/.
bool safe_ref(std::string_view ref) {
    return ref.starts_with("refs/") && ref.find("..") == std::string_view::npos &&
           ref.find("//") == std::string_view::npos && ref.back() != '/' &&
           ref.find('\0') == std::string_view::npos && !ref.ends_with(".lock");
}

CommitId target_in(const fs::path& file) {
    const auto text = read_file(file, longest_ref_file);
    if (!text || text->size() != 41 || text->back() != '\n') return {};
    auto id = text->substr(0, 40);
    return is_commit_id(id) ? id : CommitId{};
}

// write_file_atomically's temporary files, and locks that stock git left.
bool leftover(const fs::path& file) {
    return file.extension() == ".lock" ||
           file.filename().string().find(".new-") != std::string::npos;
}

}  // namespace

Result<std::map<std::string, RefFile>> list_refs(const fs::path& git_dir) {
    std::map<std::string, RefFile> out;
    const auto root = git_dir / "refs";
    std::error_code error;
    for (fs::recursive_directory_iterator at(root, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code ignored;
        const auto& file = at->path();
        if (!at->is_regular_file(ignored) || leftover(file)) continue;
        out["refs/" + file.lexically_relative(root).generic_string()] = {target_in(file), file};
    }
    if (error) return failure(Code::Io, "cannot list " + root.string(), error.message());
    return out;
}

CommitId evidence_tip(std::string_view ref) {
    if (!ref.starts_with("refs/dutybook/evidence/")) return {};
    CommitId tip(ref.substr(ref.rfind('/') + 1));
    return is_commit_id(tip) ? tip : CommitId{};
}

Result<void> write_ref(const fs::path& git_dir, const std::string& ref, const CommitId& target) {
    if (!safe_ref(ref) || !is_commit_id(target))
        return failure(Code::Internal, "no ref that could be written: " + ref);
    const auto file = git_dir / ref;
    TRY(make_directories(file.parent_path()));
    return put_file(git_dir, file, target + "\n");
}

Result<void> delete_ref(const fs::path& git_dir, const std::string& ref) {
    const auto file = git_dir / ref;
    std::error_code error;
    fs::remove(file, error);
    if (error) return failure(Code::Io, "cannot delete " + ref, error.message());
    return sync_directory(file.parent_path());
}

void tidy_folder(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> found;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code ignored;
        if (at->path() == folder / "damaged")
            at.disable_recursion_pending();
        else if (at->is_regular_file(ignored) && leftover(at->path()))
            found.push_back(at->path());
    }
    for (const auto& file : found) fs::remove(file, error);
}

Result<void> tidy_refs(const fs::path& git_dir, const fs::path& aside) {
    tidy_folder(git_dir);
    std::error_code ignored;
    const auto packed = git_dir / "packed-refs";
    if (!fs::exists(packed, ignored)) return {};
    TRY_ASSIGN(const auto text, read_file(packed));
    TRY_ASSIGN(const auto loose, list_refs(git_dir));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.size() < 42 || line[40] != ' ') continue;  // "# pack-refs", "^peeled"
        const auto ref = line.substr(41);
        const auto target = line.substr(0, 40);
        if (is_commit_id(target) && safe_ref(ref) && !loose.contains(ref))
            TRY(write_ref(git_dir, ref, target));
    }
    return move_aside(git_dir, packed, aside);
}

}  // namespace dutybook::store::git
