#pragma once
// A plugin's folder in the store. Nothing else could make it again, so it is written twice, as
// settings and keys are (base/kept_file.h): beside FOLDER lies FOLDER.kept, the whole package in
// one file, {"files":{NAME:"<base64>"},"format":1}. The copy decides: whatever else stands in
// FOLDER is moved to plugins/.damaged. To change an installed plugin, install it again.

#include "rules/plugin_package.h"

namespace dutybook::core {

// The folder alone, what was in it removed.
Result<void> write_package_folder(const std::filesystem::path& folder,
                                  const rules::PackageFiles& files);
// Folder and copy take the place of what is there. A crash leaves the old or the new package.
Result<void> put_package(const std::filesystem::path& folder, const rules::PackageFiles& files);
// With its copy; what was at `to` is removed.
Result<void> move_package(const std::filesystem::path& from, const std::filesystem::path& to);
void remove_package(const std::filesystem::path& folder);

// Every package below DIR/plugins, before it is read: found by its copy, healed, noted.
Result<void> heal_packages(const std::filesystem::path& plugins);

}  // namespace dutybook::core
