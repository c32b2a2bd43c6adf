#include "care/backup_entry.h"

#include "base/json.h"

#include <algorithm>

namespace dutybook::care {

namespace {

bool stays_inside(const fs::path& path) {
    if (path.empty() || path.is_absolute()) return false;
    if (path.native().find('\0') != std::string::npos) return false;
    return std::ranges::none_of(
        path, [](const fs::path& part) { return part == ".." || part == "." || part.empty(); });
}

std::optional<std::uint64_t> number_in(const Json& json, const char* name) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_integer() || *found < 0) return std::nullopt;
    return found->get<std::uint64_t>();
}

}  // namespace

Error damaged_backup(const std::string& why) {
    return failure(Code::Corrupt, "the backup is damaged", why, "use another copy");
}

Result<BackupEntry> read_backup_entry(std::string_view line) {
    const auto json = parse_json(line);
    if (!json || !json->is_object()) return damaged_backup("an entry cannot be read");
    BackupEntry entry;
    if (json->contains("files")) {
        const auto files = number_in(*json, "files");
        if (!files) return damaged_backup("its last line cannot be read");
        entry.files = *files;
        return entry;
    }
    const auto path = json->find("path");
    if (path == json->end() || !path->is_string()) return damaged_backup("an entry is unnamed");
    entry.path = path->get<std::string>();
    if (!stays_inside(entry.path)) return damaged_backup("an entry points out of the store");
    entry.directory = json->value("directory", Json()) == true;
    if (entry.directory) return entry;
    const auto size = number_in(*json, "size"), mode = number_in(*json, "mode");
    if (!size || !mode) return damaged_backup("an entry has no size or mode");
    entry.size = *size;
    entry.mode = static_cast<unsigned>(*mode & 0777);
    return entry;
}

}  // namespace dutybook::care
