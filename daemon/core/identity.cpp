#include "core/identity.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/kept_file.h"
#include "base/printable.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

namespace dutybook::core {

namespace {

constexpr int format = 1;
Result<Json> read_json(const fs::path& path) {
    TRY_ASSIGN(const std::string text, read_file(path));
    auto json = parse_json(text);
    if (!json || !json->is_object()) {
        return failure(Code::Corrupt, path.string() + " cannot be read",
                       json ? "it is no object" : json.error().text(),
                       "restore it from a backup of the store");
    }
    if (json->value("format", 0) > format) {
        return failure(Code::NewerFormat, path.string() + " was written by a newer Dutybook", "",
                       "update this one");
    }
    return json;
}

Error lacks(const fs::path& path, const std::string& what) {
    return failure(Code::Corrupt, path.string() + " cannot be used", "it lacks " + what,
                   "restore it from a backup of the store");
}

}  // namespace

bool Place::same_as(const Place& other) const {
    if (machine != other.machine || inode != other.inode) return false;
    const bool dated = born != 0 && other.born != 0;
    return dated ? born == other.born : device == other.device;
}

Result<Place> place_of(const fs::path& directory) {
    struct statx found {};
    if (::statx(AT_FDCWD, directory.c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) {
        return failure(Code::Io, "cannot look at " + directory.string());
    }
    Place place;
    const auto machine = read_file("/etc/machine-id", 4096);
    const Hash hash = blake2b("dutybook machine", machine ? *machine : std::string());
    place.machine = hex(std::span(hash).first(16));
    place.device = makedev(found.stx_dev_major, found.stx_dev_minor);
    place.inode = found.stx_ino;
    if (found.stx_mask & STATX_BTIME) {
        place.born = found.stx_btime.tv_sec * 1'000'000'000 + found.stx_btime.tv_nsec;
    }
    return place;
}

Result<SiteFile> read_site(const fs::path& directory) {
    const auto path = directory / "site.json";
    if (!fs::exists(path)) {
        return failure(Code::NotFound, directory.string() + " is no store", "it has no site.json",
                       "make one with dutybook init, or join a space");
    }
    TRY_ASSIGN(const Json json, read_json(path));
    SiteFile file;
    // Members of a wrong type are as good as absent ones.
    const auto text = [](const Json& object, const char* name) {
        return object.contains(name) && object[name].is_string() ? object[name].get<std::string>()
                                                                 : std::string();
    };
    file.site.id = text(json, "id");
    file.site.name = text(json, "name");
    file.site.zone = text(json, "zone");
    if (file.site.id.empty() || file.site.name.empty() || file.site.zone.empty()) {
        return lacks(path, "id, name or zone");
    }
    const Json place = json.value("place", Json::object());
    file.place.machine = text(place, "machine");
    const auto number = [&place](const char* name) {
        return place.contains(name) && place[name].is_string()
                   ? std::strtoll(place[name].get<std::string>().c_str(), nullptr, 10)
                   : 0;
    };
    file.place.device = static_cast<std::uint64_t>(number("device"));
    file.place.inode = static_cast<std::uint64_t>(number("inode"));
    file.place.born = number("born");
    const Json spaces = json.value("spaces", Json::array());
    for (const auto& name : spaces)
        if (name.is_string()) file.spaces.insert(name.get<std::string>());
    TRY_ASSIGN(file.site.public_key, read_file(directory / "keys" / "sign.pub", 4096));
    while (!file.site.public_key.empty() && file.site.public_key.back() == '\n') {
        file.site.public_key.pop_back();
    }
    return file;
}

Result<void> write_site(const fs::path& directory, const SiteFile& file) {
    // Numbers as text: an inode may be beyond 2^53.
    const Json json = {{"format", format},
                       {"id", file.site.id},
                       {"name", file.site.name},
                       {"place",
                        {{"born", std::to_string(file.place.born)},
                         {"device", std::to_string(file.place.device)},
                         {"inode", std::to_string(file.place.inode)},
                         {"machine", file.place.machine}}},
                       {"spaces", file.spaces},
                       {"zone", file.site.zone}};
    return write_kept(directory / "site.json", canonical(json) + "\n");
}

std::vector<MissingSpace> missing_spaces(const fs::path& directory, const SiteFile& file) {
    std::vector<MissingSpace> out;
    std::error_code ignored;
    for (const auto& name : file.spaces) {
        const auto folder = directory / "spaces" / name;
        if (fs::exists(folder / "space.json", ignored) ||
            fs::exists(folder / "journal.db", ignored))
            continue;
        out.push_back({name, "put " + folder.string() +
                                 " back from a backup, or join the space again; to go on without "
                                 "it, take its name out of site.json and delete site.json.kept"});
    }
    return out;
}

Result<void> check_site_name(std::string_view name) {
    constexpr std::size_t longest = 64;
    if (!name.empty() && name.size() <= longest && printable(name, longest) == name) return {};
    return malformed("a site's name has 1 to 64 characters on one line, none of them a control");
}

bool valid_space_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= 64 && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), fits);
}

Result<SpaceRecord> read_space(const fs::path& folder) {
    TRY_ASSIGN(const Json json, read_json(folder / "space.json"));
    SpaceRecord record;
    for (const auto& [member, target] :
         {std::pair{"id", &record.id}, {"name", &record.name}, {"parent", &record.parent}}) {
        if (json.contains(member) && json[member].is_string()) {
            *target = json[member].get<std::string>();
        }
    }
    if (record.id.empty() || record.name != folder.filename()) {
        return lacks(folder / "space.json", "an id, or its name is not that of its folder");
    }
    return record;
}

Result<void> write_space(const fs::path& folder, const SpaceRecord& record) {
    return write_kept(folder / "space.json",
                      canonical({{"format", format},
                                 {"id", record.id},
                                 {"name", record.name},
                                 {"parent", record.parent},
                                 {"sealed", fs::exists(folder / "keys.json")}}) +
                          "\n");
}

}  // namespace dutybook::core
