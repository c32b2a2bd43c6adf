#pragma once
// Records of an older shape in the spaces of this site: how many there are, and their migration
// (core/migration.h). The plugin's `migrate` runs in a worker of its own, so that one that hangs or
// crashes does not stop the plugin's rules.

#include "api/call.h"
#include "core/migration.h"

namespace dutybook::api {

struct MigrationWanted {
    std::set<std::string> spaces;
    std::string kind;  // empty = all of the plugin's that migrate
    bool write = false;
    core::Caller caller;
    std::function<void(std::uint64_t done, std::uint64_t all)> progress;
};

struct SpaceMigrated {
    core::SpaceService* space = nullptr;
    core::Migrated done;
};

// A space that this site may only read is left to its writers. Code::NotFound: the plugin migrates
// no such kind.
Result<std::vector<SpaceMigrated>> migrate_records(const Services& services,
                                                   const rules::PluginPackage& package,
                                                   const MigrationWanted& wanted);

// "3 records have an older shape; `dutybook plugin migrate bus` changes them"; empty if none has.
std::string old_shape_words(const std::string& plugin, const core::Migrated& seen);

// POST /v1/plugins/{plugin}/migrate
void migrate_plugin(const CallPtr& call);

}  // namespace dutybook::api
