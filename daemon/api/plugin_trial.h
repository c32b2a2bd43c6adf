#pragma once
// What a plugin goes through before it runs: lint, its own tests, and a run in the shadow over the
// records that are here.

#include "api/call.h"
#include "api/plugin_migration.h"
#include "author/bench_space.h"

namespace dutybook::api {

author::Surroundings surroundings(const Services& services);

// The package of a folder, linted and tested. The error's detail holds all mistakes.
Result<rules::PluginPackage> checked_package(const Services& services, const std::string& folder);

// What would be newly found over the records that are here, with the package that is to come.
struct Shadow {
    std::string plugin;
    std::uint64_t records = 0, findings = 0;
    Json samples = Json::array();
    // Records that it could not judge although the version that runs can, and why the first.
    std::uint64_t failed = 0;
    std::string failure;
    // Records of an older shape, and those that its `migrate` could not deal with.
    core::Migrated shapes;
};
Result<Shadow> shadow_run(const Services& services, const rules::PluginPackage& package);
Json shadow_json(
    const Shadow& shadow);  // {"records","findings","failed","old","unmigrated","text","samples"}
// A version that cannot judge what is here, or whose `migrate` fails on it, is not taken into use.
Result<void> judges_all(const Shadow& shadow);

// All of it, for a plugin that came with a space: what the shadow run says.
Result<std::string> plugin_trial(const Services& services, const std::string& folder);

}  // namespace dutybook::api
