// The store's own files: who may read them, whether the keys belong together, what is locked.

#include "care/doctor.h"

#include "base/file.h"
#include "core/identity.h"
#include "core/keyring.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dutybook::care {

namespace fs = std::filesystem;

namespace {

constexpr Millis stale_after = 3'600'000;  // a ref lock lives for milliseconds

std::string account(uid_t uid) {
    const passwd* const found = ::getpwuid(uid);
    return found != nullptr ? found->pw_name : std::to_string(uid);
}

// The store and what stands in its first levels; below them the closed door of the store protects.
std::vector<fs::path> guarded(const fs::path& store) {
    std::vector<fs::path> out = {store};
    std::error_code failed;
    for (const auto& folder : {store, store / "keys", store / "spaces"}) {
        for (const auto& entry : fs::directory_iterator(folder, failed)) {
            if (entry.path() != store / "run") out.push_back(entry.path());
        }
    }
    return out;
}

std::vector<fs::path> lock_files(const fs::path& store) {
    std::vector<fs::path> out;
    std::error_code failed;
    for (const auto& space : fs::directory_iterator(store / "spaces", failed)) {
        const fs::path log = space.path() / "log.git";
        for (const auto& entry : fs::directory_iterator(log, failed)) {
            if (entry.path().extension() == ".lock") out.push_back(entry.path());
        }
        for (const auto& entry : fs::recursive_directory_iterator(log / "refs", failed)) {
            if (entry.path().extension() == ".lock") out.push_back(entry.path());
        }
    }
    return out;
}

Millis changed_at(const fs::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return 0;
    return static_cast<Millis>(info.st_mtim.tv_sec) * 1000;
}

bool is_held(const fs::path& store) {
    const int fd = ::open(store.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
    ::close(fd);
    return held;
}

}  // namespace

Lines check_permissions(const fs::path& store) {
    struct stat top {};
    if (::stat(store.c_str(), &top) != 0) {
        return {{"permissions", Level::Fail, "the store cannot be looked at",
                 "run doctor as the account of the daemon, or as root"}};
    }
    Lines lines;
    for (const auto& path : guarded(store)) {
        struct stat info {};
        if (::lstat(path.c_str(), &info) != 0) continue;
        if (info.st_uid != top.st_uid) {
            lines.push_back({"permissions", Level::Fail,
                             path.string() + " belongs to " + account(info.st_uid) +
                                 ", the store to " + account(top.st_uid),
                             "chown -R " + account(top.st_uid) + " " + store.string()});
        }
        const bool secret = path == store || path == store / "keys" ||
                            (path.parent_path() == store / "keys" && path.extension() != ".pub");
        if (secret && (info.st_mode & 077) != 0) {
            lines.push_back({"permissions", Level::Fail, path.string() + " is open to others",
                             "chmod go= " + path.string()});
        }
    }
    if (::geteuid() != 0 && top.st_uid != ::geteuid()) {
        lines.push_back(
            {"permissions", Level::Fail,
             "the store belongs to " + account(top.st_uid) + ", not to " + account(::geteuid()),
             "run the daemon as " + account(top.st_uid)});
    }
    if (lines.empty()) {
        lines.push_back({"permissions", Level::Ok,
                         "only " + account(top.st_uid) + " can read the store and its keys", ""});
    }
    return lines;
}

Lines check_keys(const fs::path& store) {
    const auto site = core::read_site(store);
    const auto ring = site ? core::Keyring::read(store, site->site.id)
                           : Result<std::shared_ptr<core::Keyring>>(site.error());
    if (!ring) return {{"keys", Level::Fail, ring.error().text(), ring.error().fix}};
    return {{"keys", Level::Ok, "they are whole and are this site's", ""}};
}

Lines check_locks(const fs::path& store, bool daemon, Millis now) {
    Lines lines;
    if (!daemon && is_held(store)) {
        const auto holder = read_file(store / "lock", 64);
        lines.push_back({"locks", Level::Fail,
                         "process " + (holder ? *holder : std::string("?")) +
                             " holds the store, but answers on no socket",
                         "if it is a daemon that hangs, stop it and start a new one"});
    }
    for (const auto& file : lock_files(store)) {
        if (now - changed_at(file) < stale_after) continue;
        lines.push_back({"locks", Level::Warn, file.string() + " was left by a crash",
                         "restart the daemon: it clears stale locks when it starts"});
    }
    if (lines.empty()) lines.push_back({"locks", Level::Ok, "none is stale", ""});
    return lines;
}

}  // namespace dutybook::care
