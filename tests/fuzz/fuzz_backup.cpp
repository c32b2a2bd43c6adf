// A backup: the bytes as the sealed file itself, and as a line between two files inside of it
// (who knows the passphrase may have written any). Only cheap passphrase costs are paid here; the
// reader bounds them (1 GiB).

#include "base/json.h"
#include "base/sealed_file.h"
#include "care/backup_entry.h"
#include "fuzz/target.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace dutybook;

namespace {

bool cheap(std::string_view bytes) {
    const auto line = bytes.find('\n');
    if (line == std::string_view::npos) return true;
    const auto rest = bytes.substr(line + 1);
    const auto costs = parse_json(rest.substr(0, rest.find('\n')));
    if (!costs || !costs->is_object()) return true;
    for (const auto& [name, most] : {std::pair{"memory", 1 << 16}, {"operations", 4}}) {
        const Json cost = costs->value(name, Json());
        if (cost.is_number() && cost > most) return false;
    }
    return true;
}

void read_file_of(std::string_view bytes) {
    const int fd = ::memfd_create("backup", MFD_CLOEXEC);
    fuzz::must(fd >= 0, "a file in memory");
    fuzz::must(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
               "the bytes are written");
    auto opened = SealedFileReader::open("/proc/self/fd/" + std::to_string(fd), "backup", "words");
    std::uint64_t read = 0;
    while (opened) {
        const auto more = opened->read(1000);
        if (!more || more->empty()) break;
        read += more->size();
    }
    fuzz::must(read <= bytes.size(), "a backup holds no more than its file");
    ::close(fd);
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(backup) {
    if (cheap(bytes)) read_file_of(bytes);
    const auto entry = care::read_backup_entry(bytes);
    if (!entry || entry->path.empty()) return;
    fuzz::must(entry->path.is_relative() && entry->path.lexically_normal() == entry->path,
               "a backup makes files below its store alone");
    fuzz::must((entry->mode & ~0777U) == 0, "a backup sets no user of a program");
}
