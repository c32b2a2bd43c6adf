#include "core/package_folder.h"

#include "base/file.h"
#include "base/json.h"
#include "base/kept_file.h"
#include "base/keys.h"
#include "base/log.h"

#include <set>

namespace dutybook::core {

namespace {

constexpr std::string_view kept = ".kept";
constexpr std::size_t largest_copy = 64u << 20;

fs::path copy_of(const fs::path& folder) {
    return folder.string() + std::string(kept);
}

Result<void> write_package_copy(const fs::path& folder, const rules::PackageFiles& files) {
    Json list = Json::object();
    for (const auto& [name, bytes] : files) list[name] = base64(bytes);
    return write_copy(copy_of(folder), canonical({{"files", std::move(list)}, {"format", 1}}));
}

std::optional<rules::PackageFiles> read_package_copy(const fs::path& folder) {
    const auto text = read_copy(copy_of(folder));
    const auto json = text ? parse_json(*text, {4, largest_copy}) : Result<Json>(malformed("none"));
    if (!json || !json->is_object() || !json->contains("files")) return std::nullopt;
    rules::PackageFiles files;
    for (const auto& [name, value] : (*json)["files"].items()) {
        const auto bytes = value.is_string() ? from_base64(value.get_ref<const std::string&>())
                                             : Result<std::string>(malformed("no text"));
        if (!bytes) return std::nullopt;
        files[name] = *bytes;
    }
    return files;
}

// The first file that is not what the copy says. (`held` is empty where one cannot be read.)
fs::path first_difference(const fs::path& folder, const rules::PackageFiles& held,
                          const rules::PackageFiles& wanted) {
    for (const auto& [name, bytes] : wanted) {
        const auto found = read_file(folder / name, bytes.size());
        if (!found || *found != bytes) return folder / name;
    }
    for (const auto& [name, bytes] : held)
        if (!wanted.contains(name)) return folder / name;
    return folder;
}

Result<void> move_aside(const fs::path& folder, const fs::path& plugins) {
    TRY(make_directories(plugins / ".damaged"));
    std::error_code failed;
    const auto name = folder.filename().string();
    fs::path aside = plugins / ".damaged" / name;
    for (int number = 2; fs::exists(aside, failed); ++number)
        aside = plugins / ".damaged" / (name + "-" + std::to_string(number));
    fs::rename(folder, aside, failed);
    if (!failed) return {};
    return failure(Code::Io, "cannot move " + folder.string() + " aside", failed.message());
}

Result<void> heal_package(const fs::path& folder, const fs::path& plugins) {
    std::error_code failed;
    const bool there = fs::exists(folder, failed);
    const auto held = rules::read_package_files(folder);
    const auto wanted = read_package_copy(folder);
    if (wanted) {
        const auto files = held ? *held : rules::PackageFiles{};
        if (files == *wanted) return {};
        const fs::path differs = first_difference(folder, files, *wanted);
        if (there) TRY(move_aside(folder, plugins));
        TRY(write_package_folder(folder, *wanted));
        note_healed(
            {differs, "was not what was installed", "the plugin was made again from its copy"});
        return {};
    }
    if (!held || held->empty()) return {};  // read_folder() tells
    const bool copy_there = fs::exists(copy_of(folder), failed);
    if (fs::is_directory(copy_of(folder), failed)) TRY(move_aside(copy_of(folder), plugins));
    TRY(write_package_copy(folder, *held));
    if (copy_there) {
        note_healed({copy_of(folder), "was not what was written", "made again from the folder"});
    } else {
        log_info("plugin", "a kept copy was made", {{"file", copy_of(folder).string()}});
    }
    return {};
}

// Packages in a folder, by folder or by copy. Names with a dot in front are being written.
std::set<fs::path> packages_in(const fs::path& parent) {
    std::set<fs::path> all;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(parent, failed)) {
        std::string name = entry.path().filename().string();
        if (name.ends_with(kept)) name.resize(name.size() - kept.size());
        if (rules::valid_plugin_id(name)) all.insert(parent / name);
    }
    return all;
}

}  // namespace

Result<void> write_package_folder(const fs::path& folder, const rules::PackageFiles& files) {
    std::error_code failed;
    fs::remove_all(folder, failed);
    TRY(make_directories(folder));
    for (const auto& [name, bytes] : files) {
        TRY(make_directories((folder / name).parent_path()));
        TRY(write_file_atomically(folder / name, bytes));
    }
    return sync_directory(folder);
}

Result<void> put_package(const fs::path& folder, const rules::PackageFiles& files) {
    const auto fresh = folder.parent_path() / (".new-" + folder.filename().string());
    TRY(write_package_folder(fresh, files));
    TRY(write_package_copy(fresh, files));
    return move_package(fresh, folder);
}

// The copy goes first: from then on it is what the package is.
Result<void> move_package(const fs::path& from, const fs::path& to) {
    std::error_code failed;
    fs::rename(copy_of(from), copy_of(to), failed);
    fs::remove_all(to, failed);
    fs::rename(from, to, failed);
    if (failed) return failure(Code::Io, "the plugin cannot be put in place", failed.message());
    TRY(sync_directory(to.parent_path()));
    return from.parent_path() == to.parent_path() ? Result<void>{}
                                                  : sync_directory(from.parent_path());
}

void remove_package(const fs::path& folder) {
    std::error_code failed;
    fs::remove(copy_of(folder), failed);
    fs::remove_all(folder, failed);
}

Result<void> heal_packages(const fs::path& plugins) {
    std::set<fs::path> all = packages_in(plugins);
    all.merge(packages_in(plugins / ".before"));
    std::error_code failed;
    for (const auto& space : fs::directory_iterator(plugins / ".spaces", failed))
        all.merge(packages_in(space.path()));
    for (const auto& folder : all) TRY(heal_package(folder, plugins));
    return {};
}

}  // namespace dutybook::core
