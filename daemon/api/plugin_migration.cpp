#include "api/plugin_migration.h"

#include "api/walls.h"
#include "core/circle.h"
#include "rules/near_names.h"

#include <algorithm>

namespace dutybook::api {

namespace {

constexpr std::size_t most_named = 1000;

Result<std::vector<std::string>> kinds_wanted(const rules::Manifest& manifest,
                                              const std::string& kind) {
    const auto all = manifest.migrated_kinds();
    if (kind.empty()) return all;
    if (std::find(all.begin(), all.end(), kind) != all.end()) return std::vector{kind};
    return failure(Code::NotFound, "plugin " + manifest.id + " migrates no kind " + kind,
                   "its manifest says of no such kind that it \"migrates\"",
                   rules::did_you_mean(kind, all));
}

// What is said of a record that the reader may not see names nothing of it.
Result<Json> problem_json(Walls& walls, const std::string& space, const core::Unmigrated& one) {
    TRY_ASSIGN(const bool hidden, walls.hides(one.record));
    Json out = {
        {"space", space},
        {"kind", one.kind},
        {"record", hidden ? Json() : Json(one.record)},
        {"what", hidden ? "a record that is not shown to you cannot be migrated" : one.why.what},
        {"why", hidden ? "" : one.why.why},
        {"fix", hidden ? "ask somebody who may see it to run this" : one.why.fix},
        {"pointer", hidden ? "" : one.why.pointer}};
    return Result<Json>(boost::system::in_place_value, std::move(out));
}

Result<Json> answer_json(const CallPtr& call, const rules::Manifest& manifest, bool write,
                         const std::vector<SpaceMigrated>& spaces) {
    core::Migrated all;
    Json problems = Json::array();
    for (const SpaceMigrated& one : spaces) {
        Walls walls(call->services, *one.space, reader_of(*call));
        for (const core::Unmigrated& failed : one.done.failed) {
            if (problems.size() >= most_named) break;
            TRY_ASSIGN(Json problem, problem_json(walls, one.space->facts().name, failed));
            problems.push_back(std::move(problem));
        }
        all.add(one.done);
    }
    Json out = {{"id", manifest.id},
                {"version", manifest.version},
                {"dry_run", !write},
                {"records", all.records},
                {"old", all.old},
                {"changed", all.changed},
                {"failed", all.failed.size()},
                {"problems", std::move(problems)}};
    return Result<Json>(boost::system::in_place_value, std::move(out));
}

Result<MigrationWanted> wanted_by(Call& call, const rules::ActivePlugin& plugin) {
    if (plugin.package.manifest.migrated_kinds().empty()) {
        return failure(Code::NotFound, "plugin " + plugin.package.manifest.id + " migrates nothing",
                       "its manifest says of no kind that it \"migrates\"");
    }
    MigrationWanted wanted;
    wanted.spaces = plugin.spaces;
    wanted.kind = call.body.value("kind", "");
    wanted.write = !call.body.value("dry_run", false);
    wanted.caller = call.caller();
    const std::string space = call.body.value("space", "");
    if (space.empty()) return wanted;
    if (call.services.book->space(space) == nullptr) {
        return failure(Code::NotFound, "no space " + space);
    }
    if (!plugin.spaces.contains(space)) {
        return failure(Code::Conflict, "the plugin is off in space " + space, {},
                       "`dutybook plugin enable " + plugin.package.manifest.id + "` turns it on");
    }
    wanted.spaces = {space};
    return wanted;
}

}  // namespace

Result<std::vector<SpaceMigrated>> migrate_records(const Services& services,
                                                   const rules::PluginPackage& package,
                                                   const MigrationWanted& wanted) {
    const rules::Manifest& manifest = package.manifest;
    core::Migration how;
    TRY_ASSIGN(how.kinds, kinds_wanted(manifest, wanted.kind));
    std::vector<SpaceMigrated> out;
    if (how.kinds.empty()) return out;
    how.reason = "brought to the shape of " + manifest.id + " " + manifest.version;
    how.caller = wanted.caller;
    how.progress = wanted.progress;
    // By the schemas of this package: it may not be in use yet.
    TRY_ASSIGN(const auto kinds, rules::KindRegistry::build(package.kinds));
    rules::PluginHost::Options options;
    options.worker = services.programs + "/dutybook-worker";
    options.clock = services.clock;
    options.kinds = kinds.get();
    options.zone = services.book->site().zone;
    rules::PluginHost host(std::move(options));
    host.activate({{package, wanted.spaces, "migration"}});
    const auto plugin = host.find(manifest.id);
    for (core::SpaceService* space : services.book->spaces()) {
        const std::string& name = space->facts().name;
        const core::Circle* const circle = services.book->circle(name);
        const bool writable = circle == nullptr || circle->may_write(false);
        if (!wanted.spaces.contains(name) || !writable) continue;
        const auto run = wanted.write ? core::migrate : core::look_for_old;
        TRY_ASSIGN(auto done, run(*space, *plugin, *kinds, how));
        out.push_back({space, std::move(done)});
    }
    return out;
}

std::string old_shape_words(const std::string& plugin, const core::Migrated& seen) {
    std::string words;
    if (seen.old > 0) {
        words = std::to_string(seen.old) + " of " + std::to_string(seen.records) +
                " records have an older shape; `dutybook plugin migrate " + plugin +
                "` changes them";
    }
    if (!seen.failed.empty()) {
        const core::Unmigrated& first = seen.failed.front();
        words += (words.empty() ? "" : "; ") + std::to_string(seen.failed.size()) + " of " +
                 std::to_string(seen.records) + " records cannot be migrated, first " +
                 first.record + ": " + first.why.text();
    }
    return words;
}

void migrate_plugin(const CallPtr& call) {
    const std::string& id = call->argument(0);
    const auto plugin = call->services.plugins->host().find(id);
    if (!plugin) {
        return call->answer(
            failure(Code::NotFound, "no plugin " + id, {}, "`dutybook plugin list` shows all"));
    }
    auto wanted = wanted_by(*call, *plugin);
    if (!wanted) return call->answer(wanted.error());
    TaskAnswer answer(call);
    wanted->progress = [&answer](std::uint64_t done, std::uint64_t all) {
        answer.progress(all == 0 ? "looked at" : "migrated", done, all);
    };
    const auto done = migrate_records(call->services, plugin->package, *wanted);
    if (!done) return answer.fail(done.error());
    const auto json = answer_json(call, plugin->package.manifest, wanted->write, *done);
    if (!json) return answer.fail(json.error());
    answer.finish({*json}, *json);
}

}  // namespace dutybook::api
