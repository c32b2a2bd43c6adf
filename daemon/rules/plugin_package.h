#pragma once
// A plugin's folder, read: manifest, kinds, code, locales, and the digest that names exactly this
// package. The same content gives the same digest on every machine.

#include "rules/kinds.h"
#include "rules/manifest.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dutybook::rules {

// The files of a package that count: those that this host reads. File name -> bytes.
using PackageFiles = std::map<std::string, std::string>;

struct PluginPackage {
    Manifest manifest;
    std::vector<KindSource> kinds;
    PackageFiles lua;              // rules.lua and lua/*.lua; empty if native or without code
    std::filesystem::path object;  // plugin.so of a native plugin
    PackageFiles files;            // what the digest covers, and what travels
    std::string digest;            // 64 hex digits
};

inline constexpr std::size_t package_limit = 4u << 20;  // bytes of all files

// plugin.json, rules.lua, lua/*.lua, plugin.so, schemas/*.json, locales/*.json, tests/*.json below
// `folder`; links and anything else are left alone. Sizes are bounded.
Result<PackageFiles> read_package_files(const std::filesystem::path& folder);
// Every mistake of a package, each with file, line and pointer; empty = it can be used. `name` is
// shown in front of file names.
struct PackageReading {
    PluginPackage package;
    std::vector<Error> errors;
};
PackageReading read_package(PackageFiles files, const std::string& name,
                            const ManifestReader& reader);
PackageReading read_package_folder(const std::filesystem::path& folder,
                                   const ManifestReader& reader);
std::string digest_of(const PackageFiles& files);
// Whether a file of this name may be part of a package that travels: all but native code, and
// nothing that leads out of the folder.
bool may_travel(std::string_view file);
bool valid_plugin_id(std::string_view id);

}  // namespace dutybook::rules
