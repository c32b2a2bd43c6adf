#pragma once
// A Lua plugin as records of a space, which is how it travels. Two kinds:
//
//   core.plugin_package  one a plugin, id "plugin-<plugin>": which package holds here, by digest,
//                        and the one before it (rollback). Two administrators who install apart
//                        are a conflict like any other.
//   core.plugin_part     a piece of a file, id "part-<digest>-<number>"; never changes. What the
//                        digest does not confirm is not used, so nobody has to trust a part.
//
// One operation holds 64 KiB, hence the pieces.

#include "core/space_service.h"
#include "rules/plugin_package.h"

namespace dutybook::core {

inline constexpr std::string_view package_kind = "core.plugin_package";
inline constexpr std::string_view part_kind = "core.plugin_part";
// The settings of a plugin, in one record for each plugin and space.
inline constexpr std::string_view settings_kind = "core.plugin_config";

std::string package_record_id(const std::string& plugin);

struct PackageChoice {
    std::string version, digest;
    std::size_t parts = 0;
};
struct PackageRecord {
    std::string plugin;
    PackageChoice now;
    std::optional<PackageChoice> before;
};
// Nothing if it is of another kind, deleted, retracted or not readable.
std::optional<PackageRecord> read_package_record(const store::StoredRecord& stored);

// Puts a package into the space. Refuses a native plugin: those never travel.
Result<void> write_package(SpaceService& space, const rules::PluginPackage& package,
                           const Caller& caller);
// The one before becomes the one that holds, and the other way round.
Result<PackageRecord> write_rollback(SpaceService& space, const std::string& plugin,
                                     const Caller& caller);
// Takes the plugin out of the space.
Result<void> write_removal(SpaceService& space, const std::string& plugin, const Caller& caller);

// The package's files. Code::NotFound: parts are not here yet; Code::Corrupt: they are not what
// the digest says.
Result<rules::PackageFiles> read_parts(store::IndexReader& reader, const PackageChoice& choice);

// Sites that chose what the record shows now.
Result<std::set<std::string>> who_chose(store::IndexReader& reader, const PackageRecord& record);

}  // namespace dutybook::core
