#include "core/identity.h"

#include "base/log.h"

#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace dutybook::core {

namespace {

struct NetworkFileSystem {
    std::uint32_t magic;
    const char* name;
};
// linux/magic.h, and those that it leaves out.
constexpr std::array<NetworkFileSystem, 6> network{{{0x6969, "NFS"},
                                                    {0x517B, "SMB"},
                                                    {0xFF534D42, "CIFS"},
                                                    {0xFE534D42, "SMB2"},
                                                    {0x5346414F, "AFS"},
                                                    {0x00C36400, "Ceph"}}};

// Whoever owns a file decides about it, whatever its mode: so it must be ours. A link would let
// somebody else choose the file.
Result<void> close_to_others(const fs::path& path, mode_t mode) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return {};
    if (S_ISLNK(found.st_mode))
        return failure(Code::Forbidden, path.string() + " is a link", "keys are files of their own",
                       "put the file itself there");
    if (found.st_uid != ::geteuid())
        return failure(
            Code::Forbidden, path.string() + " belongs to another account",
            "uid " + std::to_string(found.st_uid) + " could change it at any time",
            "run the daemon as that account, or chown the store to the one that runs it");
    // A folder that lies where a key belongs is told later; until then its owner may look into it.
    const mode_t allowed = S_ISDIR(found.st_mode) ? 0700 : mode;
    if ((found.st_mode & 07777 & ~allowed) == 0) return {};
    if (::chmod(path.c_str(), found.st_mode & allowed) == 0) {
        log_warning("start", "a file was open to others; it is closed now",
                    {{"path", path.string()}});
        return {};
    }
    return failure(Code::Io, "cannot close " + path.string() + " to others", std::strerror(errno),
                   "chmod go-rwx it");
}

}  // namespace

const char* network_file_system(std::uint32_t type) {
    for (const auto& kind : network)
        if (type == kind.magic) return kind.name;
    return nullptr;
}

Result<void> check_directory(const fs::path& directory) {
    struct statfs found {};
    if (::statfs(directory.c_str(), &found) != 0) {
        return failure(Code::NotFound, "no store at " + directory.string(), "",
                       "make one with dutybook init, or join a space");
    }
    if (const char* network = network_file_system(static_cast<std::uint32_t>(found.f_type))) {
        return failure(Code::Unavailable, directory.string() + " is on a network file system",
                       std::string(network) + " keeps neither locks nor syncs reliably",
                       "put the store on a local disk");
    }
    std::error_code failed;
    const fs::path here = fs::canonical(directory, failed);  // the store itself may be a link
    TRY(close_to_others(failed ? directory : here, 0700));
    TRY(close_to_others(directory / "keys", 0700));
    for (const auto& entry : fs::directory_iterator(directory / "keys", failed))
        if (entry.path().extension() != ".pub") TRY(close_to_others(entry.path(), 0600));
    return {};
}

}  // namespace dutybook::core
