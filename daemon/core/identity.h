#pragma once
// Who this site is, and whether its directory is still where it was.
//
// site.json (schemas/site.schema.json): {"format":1,"id","name","place":{"born","device","inode",
// "machine"},"spaces","zone"}. A space that is listed and whose folder is not there was lost.

#include "core/book.h"

#include <memory>
#include <set>

namespace dutybook::core {

namespace fs = std::filesystem;

// Of the machine and the directory. A copy or a restored backup gets another inode and birth time,
// another disk another machine; the device number counts only where the file system tells no birth
// time, because it may change at every boot.
struct Place {
    std::string machine;  // /etc/machine-id, hashed: the id itself is not for files
    std::uint64_t device = 0, inode = 0;
    std::int64_t born = 0;  // nanoseconds, 0 = unknown
    bool same_as(const Place& other) const;
};
Result<Place> place_of(const fs::path& directory);

struct SiteFile {
    Site site;
    Place place;
    std::set<std::string> spaces;
};
Result<SiteFile> read_site(const fs::path& directory);
Result<void> write_site(const fs::path& directory, const SiteFile& file);
// Of those listed, with what to do.
struct MissingSpace {
    std::string name, fix;
};
std::vector<MissingSpace> missing_spaces(const fs::path& directory, const SiteFile& file);

// Puts right what has a kept copy (base/kept_file.h) and was damaged or lost. Before anything is
// read from the store.
Result<void> heal_store(const fs::path& directory);
// spaces/<name>/space.json (schemas/space.schema.json): {"format":1,"id","name","parent"}.
bool valid_space_name(std::string_view name);
// One line that a terminal and a page show as it is.
Result<void> check_site_name(std::string_view name);
Result<SpaceRecord> read_space(const fs::path& folder);
Result<void> write_space(const fs::path& folder, const SpaceRecord& record);

// The name of a file system type (statfs) whose locks and fsync cannot be relied on, else null.
const char* network_file_system(std::uint32_t type);
// Refuses a network file system, and a store or keys that belong to another account; closes what
// others can read (0700, keys 0600).
Result<void> check_directory(const fs::path& directory);

}  // namespace dutybook::core
