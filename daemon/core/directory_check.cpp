#include "core/identity.h"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>

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

Result<void> close_to_others(const fs::path& path, mode_t mode) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return {};
    if ((found.st_mode & 0777 & ~mode) == 0) return {};
    if (::chmod(path.c_str(), found.st_mode & mode) == 0) return {};
    return failure(Code::Io, path.string() + " can be read by others",
                   "it belongs to somebody else", "give it to the account that runs the daemon");
}

}  // namespace

Result<void> check_directory(const fs::path& directory) {
    struct statfs found {};
    if (::statfs(directory.c_str(), &found) != 0) {
        return failure(Code::NotFound, "no store at " + directory.string(), "",
                       "make one with dutybook init, or join a space");
    }
    for (const auto& kind : network) {
        if (static_cast<std::uint32_t>(found.f_type) != kind.magic) continue;
        return failure(Code::Unavailable, directory.string() + " is on a network file system",
                       std::string(kind.name) + " keeps neither locks nor syncs reliably",
                       "put the store on a local disk");
    }
    TRY(close_to_others(directory, 0700));
    TRY(close_to_others(directory / "keys", 0700));
    return close_to_others(directory / "keys" / "sign.key", 0600);
}

}  // namespace dutybook::core
