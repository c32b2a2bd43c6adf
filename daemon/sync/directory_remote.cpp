#include "sync/directory_remote.h"

#include "base/clock.h"
#include "base/file.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dutybook::sync {
namespace {

bool hex_id(std::string_view text) {
    return text.size() == 40 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Of a plain file alone. Whoever shares the folder may put a pipe or a link in its place at any
// moment, and opening a pipe waits for a writer: so what is looked at is what is read.
Result<std::string> read_plain_file(const fs::path& file, std::size_t limit) {
    const int fd = ::open(file.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return failure(Code::NotFound, "there is no " + file.string());
    struct stat found {};
    const bool plain = ::fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
    auto text = plain ? read_file("/proc/self/fd/" + std::to_string(fd), limit)
                      : Result<std::string>(failure(Code::Corrupt, file.string() + " is no file"));
    ::close(fd);
    return text;
}

std::string first_line(const fs::path& file) {
    auto text = read_plain_file(file, 1 << 16);
    if (!text) return {};
    return text->substr(0, text->find('\n'));
}

// Settings of a repository that cannot make git run, read or fetch anything else. All others are
// refused: each new version of git knows new ones.
bool harmless(const std::string& section, const std::string& key) {
    static const std::map<std::string, std::set<std::string>> known = {
        {"core",
         {"repositoryformatversion", "filemode", "bare", "ignorecase", "symlinks",
          "precomposeunicode", "logallrefupdates", "fsync", "fsyncobjectfiles", "fsyncmethod",
          "sharedrepository", "compression", "loosecompression", "bigfilethreshold",
          "packedgitwindowsize", "packedgitlimit", "deltabasecachelimit", "quotepath"}},
        {"receive",
         {"fsckobjects", "denynonfastforwards", "denydeletes", "denycurrentbranch",
          "denydeletecurrent", "unpacklimit", "autogc", "maxinputsize", "advertiseatomic",
          "advertisepushoptions", "keepalive", "shallowupdate"}},
        {"transfer", {"fsckobjects", "unpacklimit", "hiderefs"}},
        {"uploadpack",
         {"allowanysha1inwant", "allowtipsha1inwant", "allowreachablesha1inwant", "allowfilter",
          "hiderefs", "keepalive"}},
        {"gc",
         {"auto", "autodetach", "autopacklimit", "pruneexpire", "reflogexpire",
          "reflogexpireunreachable", "packrefs", "bigpackthreshold"}},
        {"pack", {"window", "depth", "threads", "compression", "windowmemory", "writebitmaps"}},
        {"repack", {"usedeltabaseoffset", "writebitmaps", "packkeptobjects"}},
        {"http", {"receivepack", "uploadpack"}},
        {"remote", {"url", "pushurl", "fetch", "push", "mirror", "tagopt", "prune"}},
        {"branch", {"remote", "merge", "description"}},
        {"user", {"name", "email"}},
        {"gitweb", {"owner", "description", "category", "url"}},
        {"daemon", {"uploadpack", "receivepack", "uploadarch"}},
    };
    const auto found = known.find(section);
    return found != known.end() && found->second.contains(key);
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return text;
}

// Of a push by somebody else that is under way: it comes and goes while we look, and git reads
// nothing of it before it is moved to its place.
bool in_flight(const fs::path& path) {
    return path.parent_path().filename() == "objects" &&
           path.filename().string().starts_with("tmp_objdir-");
}

// What is neither file nor folder: git would follow a link, or find no repository behind it and
// take the one beside it, and wait for a pipe. Hooks may be anything, since none runs. What is gone
// by now was another's push under way.
std::string danger_in(const fs::path& folder, const fs::path& directory) {
    std::error_code gone;
    for (fs::directory_iterator at(folder, gone), end; !gone && at != end; at.increment(gone)) {
        std::error_code ignored;
        const auto kind = at->symlink_status(ignored).type();
        const std::string name = at->path().lexically_relative(directory).string();
        if (name == "hooks" || kind == fs::file_type::regular || kind == fs::file_type::not_found)
            continue;
        if (kind != fs::file_type::directory)
            return "its " + name +
                   " is neither file nor folder: it leads git elsewhere or holds it up";
        if (auto danger = danger_in(at->path(), directory); !danger.empty()) return danger;
    }
    return {};
}

std::string danger_of_entries(const fs::path& directory) {
    if (auto danger = danger_in(directory, directory); !danger.empty()) return danger;
    for (const char* folder : {"objects", "refs"})
        if (::access((directory / folder).c_str(), F_OK) == 0 &&
            ::access((directory / folder).c_str(), R_OK | X_OK) != 0)
            return std::string("its ") + folder + " is closed to this account";
    return {};
}

// The first setting that is not harmless. Lines that go on (a backslash at the end) and quotes are
// not read: what is not plain is refused as well.
std::string danger_of_config(const fs::path& directory) {
    std::error_code ignored;
    for (const char* other : {"config.worktree", "commondir", "gitdir", "objects/info/alternates",
                              "objects/info/http-alternates"})
        if (fs::exists(fs::symlink_status(directory / other, ignored)))
            return "it has " + std::string(other) + ", which leads git to other places";
    const auto text = read_plain_file(directory / "config", 1 << 20);
    if (!text) return fs::exists(directory / "config", ignored) ? "its config is unreadable" : "";
    std::string section;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        line.erase(0, line.find_first_not_of(" \t\r"));
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty() || line[0] == '#' || line[0] == ';') continue;
        if (line[0] == '[') {
            const auto end = line.find_first_of(" ].\"");
            section = lower(line.substr(1, end == std::string::npos ? end : end - 1));
            const auto close = line.rfind(']');
            const bool more = close == std::string::npos ||
                              line.find_first_not_of(" \t\r", close + 1) != std::string::npos;
            if (more) return "its configuration has a section that cannot be read: " + line;
            continue;
        }
        const std::string key = lower(line.substr(0, line.find_first_of(" \t=\r")));
        if (!harmless(section, key) || line.back() == '\\')
            return "its configuration sets " + section + "." + key +
                   ", which could run a program or lead to other places";
    }
    return {};
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
    if (error && error != std::errc::no_such_file_or_directory)
        return "refs cannot be read: " + error.message();
    return {};
}

std::string damage_of_packed_refs(const fs::path& directory) {
    std::error_code ignored;
    if (!fs::exists(directory / "packed-refs", ignored)) return {};
    const auto text = read_plain_file(directory / "packed-refs", 64 << 20);
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
    if (fs::exists(directory / "shallow", error))
        return "it is a shallow clone, without the older part of the logs";
    for (fs::recursive_directory_iterator at(directory / "objects", error), end;
         !error && at != end; at.increment(error)) {
        const fs::path& path = at->path();
        const std::string name = path.filename().string();
        if (in_flight(path)) at.disable_recursion_pending();
        std::error_code gone;
        if (!at->is_regular_file(gone) || name.starts_with("tmp_")) continue;
        const bool pack = path.extension() == ".pack";
        const bool object = name.size() == 38 && path.parent_path().filename().string().size() == 2;
        const bool index = path.extension() == ".idx";
        if ((pack || object || index) && at->file_size(gone) == 0)
            return path.lexically_relative(directory).string() + " is empty";
    }
    if (error && error != std::errc::no_such_file_or_directory)
        return "objects cannot be read: " + error.message();
    return {};
}

bool stale(const fs::directory_entry& entry) {
    std::error_code error;
    if (entry.path().extension() != ".lock" || !entry.is_regular_file(error)) return false;
    const auto changed = entry.last_write_time(error);
    return !error && fs::file_time_type::clock::now() - changed > std::chrono::hours(1);
}

}  // namespace

void remove_stale_locks(const fs::path& given) {
    std::error_code error;
    const fs::path directory = fs::is_directory(given / ".git", error) ? given / ".git" : given;
    std::vector<fs::path> found;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        if (stale(*at)) found.push_back(at->path());
    for (fs::recursive_directory_iterator at(directory / "refs", error), end; !error && at != end;
         at.increment(error))
        if (stale(*at)) found.push_back(at->path());
    for (const auto& lock : found) fs::remove(lock, error);
}

DirectoryLook look_at_directory(const fs::path& given) {
    std::error_code error;
    const auto there = fs::status(given, error);
    if (!fs::exists(there)) {
        const bool above = fs::is_directory(given.parent_path(), error);
        return {above ? DirectoryState::Creatable : DirectoryState::Missing, {}};
    }
    if (!fs::is_directory(there)) return {DirectoryState::Foreign, {}};
    const bool inside = fs::exists(fs::symlink_status(given / ".git", error));
    if (inside && !fs::is_directory(fs::symlink_status(given / ".git", error)))
        return {DirectoryState::Unsafe, "its .git is no folder: it leads git elsewhere"};
    const fs::path directory = inside ? given / ".git" : given;
    if (fs::is_empty(directory, error)) return {DirectoryState::Creatable, {}};
    const bool objects = fs::is_directory(directory / "objects", error);
    const bool refs = fs::is_directory(directory / "refs", error);
    const bool head = fs::exists(directory / "HEAD", error);
    if (objects + refs + head < 2) return {DirectoryState::Foreign, {}};
    for (auto* look : {danger_of_entries, danger_of_config})
        if (auto why = look(directory); !why.empty())
            return {DirectoryState::Unsafe, std::move(why)};
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
