#include "sync/directory_remote.h"

#include "base/clock.h"
#include "base/file.h"

#include <algorithm>

namespace dutybook::sync {
namespace {

bool hex_id(std::string_view text) {
    return text.size() == 40 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string first_line(const fs::path& file) {
    auto text = read_file(file, 1 << 16);
    if (!text) return {};
    return text->substr(0, text->find('\n'));
}

std::string damage_of_head(const fs::path& directory) {
    const std::string head = first_line(directory / "HEAD");
    if (hex_id(head) || head.starts_with("ref: refs/")) return {};
    return "HEAD is broken";
}

std::string damage_of_refs(const fs::path& directory) {
    std::error_code error;
    for (fs::recursive_directory_iterator at(directory / "refs", error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (!at->is_regular_file(error) || name.ends_with(".lock")) continue;
        const std::string line = first_line(at->path());
        if (!hex_id(line) && !line.starts_with("ref: refs/"))
            return at->path().lexically_relative(directory).string() + " is broken";
    }
    if (error) return "refs cannot be read: " + error.message();
    return {};
}

std::string damage_of_packed_refs(const fs::path& directory) {
    std::error_code ignored;
    if (!fs::exists(directory / "packed-refs", ignored)) return {};
    const auto text = read_file(directory / "packed-refs");
    if (!text || text->empty()) return "packed-refs is broken";
    for (std::size_t begin = 0; begin < text->size();) {
        const auto end = std::min(text->find('\n', begin), text->size());
        const auto line = std::string_view(*text).substr(begin, end - begin);
        begin = end + 1;
        if (line.empty() || line[0] == '#' || line[0] == '^') continue;
        if (line.size() < 42 || !hex_id(line.substr(0, 40))) return "packed-refs is broken";
    }
    return {};
}

std::string damage_of_objects(const fs::path& directory) {
    std::error_code error;
    for (fs::recursive_directory_iterator at(directory / "objects", error), end;
         !error && at != end; at.increment(error)) {
        const fs::path& path = at->path();
        const std::string name = path.filename().string();
        if (!at->is_regular_file(error) || name.starts_with("tmp_")) continue;
        const bool pack = path.extension() == ".pack";
        const bool object = name.size() == 38 && path.parent_path().filename().string().size() == 2;
        const bool index = path.extension() == ".idx";
        if ((pack || object || index) && at->file_size(error) == 0)
            return path.lexically_relative(directory).string() + " is empty";
    }
    if (error) return "objects cannot be read: " + error.message();
    return {};
}

}  // namespace

DirectoryLook look_at_directory(const fs::path& given) {
    std::error_code error;
    const auto there = fs::status(given, error);
    if (!fs::exists(there)) {
        const bool above = fs::is_directory(given.parent_path(), error);
        return {above ? DirectoryState::Creatable : DirectoryState::Missing, {}};
    }
    if (!fs::is_directory(there)) return {DirectoryState::Foreign, {}};
    const fs::path directory = fs::exists(given / ".git", error) ? given / ".git" : given;
    if (fs::is_empty(directory, error)) return {DirectoryState::Creatable, {}};
    const bool objects = fs::is_directory(directory / "objects", error);
    const bool refs = fs::is_directory(directory / "refs", error);
    const bool head = fs::exists(directory / "HEAD", error);
    if (objects + refs + head < 2) return {DirectoryState::Foreign, {}};
    if (!objects || !refs) return {DirectoryState::Unusable, "its folders are incomplete"};
    if (auto why = damage_of_head(directory); !why.empty())
        return {DirectoryState::Unusable, std::move(why)};
    for (auto* look : {damage_of_refs, damage_of_packed_refs, damage_of_objects})
        if (auto why = look(directory); !why.empty())
            return {DirectoryState::Damaged, std::move(why)};
    return {DirectoryState::Good, {}};
}

Result<void> create_directory_remote(const fs::path& directory, GitCommand& git,
                                     const std::atomic<bool>& cancel) {
    GitCommand::Run run;
    run.arguments = {"init",
                     "--quiet",
                     "--bare",
                     "--template=",
                     "--initial-branch=dutybook",
                     directory.string()};
    TRY_ASSIGN(const ProcessResult made, git.run(run, cancel));
    if (made.status != 0)
        return failure(Code::Io, "cannot make a repository at " + directory.string(), made.err);
    for (const auto& [key, value] :
         std::map<std::string, std::string>{{"core.fsync", "committed,loose-object,reference"},
                                            {"core.logAllRefUpdates", "false"},
                                            {"receive.fsckObjects", "true"},
                                            {"receive.denyNonFastForwards", "true"},
                                            {"receive.denyDeletes", "true"}}) {
        run.arguments = {"config", "--file", (directory / "config").string(), key, value};
        TRY_ASSIGN(const ProcessResult set, git.run(run, cancel));
        if (set.status != 0)
            return failure(Code::Io, "cannot set up the repository at " + directory.string(),
                           set.err);
    }
    return sync_directory(directory.parent_path());
}

Result<fs::path> move_aside(const fs::path& directory, Millis now) {
    std::string plain = directory.string();
    while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    const std::string base = plain + ".damaged-" + local_date(now, "UTC");
    std::error_code error;
    fs::path target = base;
    for (int number = 2; fs::exists(target, error); ++number)
        target = base + "-" + std::to_string(number);
    fs::rename(plain, target, error);
    if (error)
        return failure(Code::Io, "cannot move the damaged repository " + plain + " aside",
                       error.message(), "rename it and sync again");
    TRY(sync_directory(target.parent_path()));
    return target;
}

}  // namespace dutybook::sync
