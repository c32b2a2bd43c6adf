// The volume that the store lies on, as the kernel describes it: file system, encryption, room.

#include "care/doctor.h"

#include "base/file.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>

namespace dutybook::care {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t mib = 1ull << 20;
constexpr std::uint64_t too_little = 64 * mib;
constexpr std::uint64_t little = 1024 * mib;

struct Mount {
    std::string device;  // "254:0"
    std::string type;
};

// /proc/self/mountinfo: id, parent, major:minor, root, mount point, ... " - " type, source, ...
std::optional<Mount> mount_of(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return std::nullopt;
    const std::string wanted =
        std::to_string(major(info.st_dev)) + ":" + std::to_string(minor(info.st_dev));
    const auto text = read_file("/proc/self/mountinfo");
    if (!text) return std::nullopt;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string id, parent, device, type;
        words >> id >> parent >> device;
        const auto dash = line.find(" - ");
        if (device != wanted || dash == std::string::npos) continue;
        std::istringstream(line.substr(dash + 3)) >> type;
        return Mount{device, type};
    }
    return std::nullopt;
}

// A device is encrypted if it is a crypt target, or lies only on devices that are: sysfs names
// what a mapped device lies on in slaves/, and the disk of a partition is the folder above.
bool encrypted(const fs::path& device, int depth = 0) {
    if (depth > 8) return false;
    const auto uuid = read_file(device / "dm" / "uuid", 4096);
    if (uuid && uuid->starts_with("CRYPT-")) return true;
    std::error_code failed;
    bool any = false;
    for (const auto& below : fs::directory_iterator(device / "slaves", failed)) {
        any = true;
        if (!encrypted(fs::canonical(below.path(), failed), depth + 1)) return false;
    }
    if (any) return true;
    const bool partition = fs::exists(device / "partition", failed);
    return partition && encrypted(device.parent_path(), depth + 1);
}

Line file_system(const std::optional<Mount>& mount) {
    constexpr std::array<std::string_view, 8> network = {"nfs",  "nfs4", "cifs",       "smb3",
                                                         "ceph", "afs",  "fuse.sshfs", "9p"};
    constexpr std::array<std::string_view, 2> memory = {"tmpfs", "ramfs"};
    if (!mount) {
        return {"file system", Level::Warn, "the kernel does not name it", "use a local disk"};
    }
    if (std::count(network.begin(), network.end(), mount->type) != 0) {
        return {"file system", Level::Fail,
                mount->type + " is a network file system: it keeps neither locks nor syncs",
                "put the store on a local disk"};
    }
    if (std::count(memory.begin(), memory.end(), mount->type) != 0) {
        return {"file system", Level::Warn, mount->type + " is gone after a power loss",
                "put the store on a local disk"};
    }
    return {"file system", Level::Ok, mount->type + ", local", ""};
}

Line encryption(const std::optional<Mount>& mount) {
    const std::string fix =
        "put the store on an encrypted volume (LUKS): records and keys lie on it in the clear";
    if (mount && (mount->type == "zfs" || mount->type == "btrfs" || mount->type == "overlay")) {
        return {"disk encryption", Level::Warn,
                mount->type + " does not tell whether it is encrypted",
                "find out by hand, and encrypt the disk if it is not"};
    }
    if (mount && mount->type == "ecryptfs") return {"disk encryption", Level::Ok, "ecryptfs", ""};
    std::error_code failed;
    const auto device =
        mount ? fs::canonical("/sys/dev/block/" + mount->device, failed) : fs::path();
    if (!mount || failed) {
        return {"disk encryption", Level::Warn, "it cannot be told for this file system", fix};
    }
    if (encrypted(device)) return {"disk encryption", Level::Ok, "the volume is encrypted", ""};
    return {"disk encryption", Level::Warn, "the volume of the store is not encrypted", fix};
}

Line room(const fs::path& store) {
    struct statvfs info {};
    if (::statvfs(store.c_str(), &info) != 0) {
        return {"free space", Level::Warn, "it cannot be told", ""};
    }
    const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
    const std::string text = std::to_string(free / mib) + " MiB free";
    const std::string fix = "make room on the volume of " + store.string();
    if (info.f_files > 0 && info.f_favail < 1000) {
        return {"free space", Level::Fail, "the volume has no inodes left", fix};
    }
    if (free < too_little) return {"free space", Level::Fail, text, fix};
    if (free < little) return {"free space", Level::Warn, text, fix};
    return {"free space", Level::Ok, text, ""};
}

}  // namespace

Lines check_volume(const fs::path& store) {
    const auto mount = mount_of(store);
    return {file_system(mount), encryption(mount), room(store)};
}

}  // namespace dutybook::care
