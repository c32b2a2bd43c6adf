// Plugins. Installing runs the plugin's own checks and tests first; what fails leaves
// the running version alone.

#include "api/call.h"
#include "api/plugin_migration.h"
#include "api/plugin_trial.h"
#include "core/plugins.h"
#include "rules/near_names.h"

namespace dutybook::api {

namespace {

Json status_of(const core::Plugins::Listed& one) {
    const rules::PluginStatus& status = one.status;
    Json spaces = Json::array();
    for (const std::string& space : status.spaces) spaces.push_back(space);
    Json off = Json::array();
    for (const std::string& space : one.off) off.push_back(space);
    return {{"id", status.id},
            {"version", status.version},
            {"title", one.title},
            {"digest", status.digest},
            {"origin", status.origin},
            {"state", rules::name_of(status.slot.state)},
            {"busy", status.slot.busy},
            {"restarts", status.slot.restarts},
            {"why", status.slot.last_fault},
            {"sandbox", status.slot.sandbox.is_object() ? status.slot.sandbox : Json::object()},
            {"memory", status.slot.resident},
            {"migrates", one.migrates},
            {"spaces", std::move(spaces)},
            {"off", std::move(off)}};
}

// What came with a space and is not in use stands with the version that runs, if there is one.
void add_waiting(const core::Plugins& plugins, Json& items) {
    for (const auto& one : plugins.waiting()) {
        const Json waiting = {{"space", one.space},
                              {"version", one.version},
                              {"digest", one.digest},
                              {"why", one.why}};
        const auto running = std::find_if(
            items.begin(), items.end(), [&](const Json& item) { return item["id"] == one.plugin; });
        if (running != items.end()) {
            (*running)["waiting"] = waiting;
            continue;
        }
        items.push_back({{"id", one.plugin},
                         {"version", one.version},
                         {"digest", one.digest},
                         {"origin", "space " + one.space},
                         {"state", "waiting"},
                         {"restarts", 0},
                         {"why", one.why},
                         {"waiting", waiting}});
    }
}

Result<Response> list_plugins(Call& call) {
    Json items = Json::array();
    for (const auto& one : call.services.plugins->list()) items.push_back(status_of(one));
    add_waiting(*call.services.plugins, items);
    return json_response({{"items", std::move(items)}, {"next", nullptr}});
}

Result<Response> install_plugin(Call& call) {
    core::Plugins& plugins = *call.services.plugins;
    TRY_ASSIGN(const auto package, checked_package(call.services, call.body.value("folder", "")));
    TRY_ASSIGN(const Shadow shadow, shadow_run(call.services, package));
    const bool dry_run = call.body.value("dry_run", false);
    const std::string name = call.body.value("space", "");
    TRY(judges_all(shadow));
    if (!dry_run && name.empty()) TRY(plugins.install(package));
    if (!name.empty()) {
        core::SpaceService* const space = call.services.book->space(name);
        if (space == nullptr)
            return failure(Code::NotFound, "there is no space '" + name + "' here", {},
                           "see: dutybook space list");
        if (!dry_run) TRY(plugins.install_in(*space, package, call.caller()));
    }
    return json_response({{"id", package.manifest.id},
                          {"version", package.manifest.version},
                          {"digest", package.digest},
                          {"installed", !dry_run},
                          {"space", name.empty() ? Json() : Json(name)},
                          {"shadow", shadow_json(shadow)}});
}

// A plugin that came with a space is removed and rolled back there, so for every site of it.
Result<Response> remove_plugin(Call& call) {
    core::Plugins& plugins = *call.services.plugins;
    const std::string& plugin = call.argument(0);
    if (auto* const home = plugins.home_of(plugin)) {
        TRY(plugins.remove_from(*home, plugin, call.caller()));
    } else {
        TRY(plugins.remove(plugin));
    }
    return json_response({{"id", plugin}, {"removed", true}});
}

Result<Response> rollback_plugin(Call& call) {
    core::Plugins& plugins = *call.services.plugins;
    const std::string& plugin = call.argument(0);
    if (auto* const home = plugins.home_of(plugin)) {
        TRY(plugins.rollback_in(*home, plugin, call.caller()));
    } else {
        TRY(plugins.rollback(plugin));
    }
    const auto now = plugins.host().find(plugin);
    return json_response({{"id", plugin},
                          {"rolled_back", true},
                          {"version", now ? Json(now->package.manifest.version) : Json()}});
}

Result<Response> turn_plugin(Call& call) {
    const bool on = call.body.value("on", true);
    const std::string wanted = call.body.value("space", "");
    for (core::SpaceService* space : call.services.book->spaces()) {
        const std::string& name = space->facts().name;
        if (wanted.empty() || name == wanted) {
            TRY(call.services.plugins->turn(name, call.argument(0), on));
        }
    }
    return json_response({{"id", call.argument(0)}, {"on", on}});
}

Error with_all(std::vector<Error> errors) {
    Json all = Json::array();
    for (const Error& one : errors) all.push_back({{"pointer", one.pointer}, {"what", one.what}});
    Error out = std::move(errors.front());
    if (all.size() > 1) out.detail = canonical({{"errors", std::move(all)}});
    return out;
}

// Whether the plugin that is here takes these settings. They are a record, which any site of the
// space may write: what is asked here is asked before that.
Result<Response> check_settings(Call& call) {
    const std::string& id = call.argument(0);
    const auto plugin = call.services.plugins->host().find(id);
    if (!plugin) {
        std::vector<std::string> all;
        for (const auto& one : call.services.plugins->list()) all.push_back(one.status.id);
        return failure(Code::NotFound, "no plugin " + id + " is here", {},
                       rules::did_you_mean(id, all));
    }
    const rules::Manifest& manifest = plugin->package.manifest;
    Json settings = manifest.default_configuration();
    std::vector<std::string> names;
    for (const auto& [name, value] : settings.items()) names.push_back(name);
    std::vector<Error> errors;
    for (const auto& [name, value] : call.body["settings"].items()) {
        if (!settings.contains(name)) {
            errors.push_back(malformed("plugin " + id + " has no setting \"" + name + "\"",
                                       pointer_to("", name)));
            errors.back().fix = rules::did_you_mean(name, names);
        } else if (!value.is_null()) {
            settings[name] = value;
        }
    }
    TRY_ASSIGN(const auto schema, rules::Schema::compile(manifest.configuration));
    for (Error& error : schema.validate(settings)) errors.push_back(std::move(error));
    if (!errors.empty()) return with_all(std::move(errors));
    return json_response({{"id", id}, {"settings", std::move(settings)}});
}

Result<Response> shadow_plugin(Call& call) {
    TRY_ASSIGN(const auto package, checked_package(call.services, call.body.value("folder", "")));
    TRY_ASSIGN(const Shadow shadow, shadow_run(call.services, package));
    return json_response(shadow_json(shadow));
}

}  // namespace

std::vector<Endpoint> plugin_routes() {
    const std::vector<Member> folder{
        {"folder", Type::Text, true, false, "folder of the plugin, on this machine"},
        {"dry_run", Type::Flag, false, false, "check and try only"}};
    auto installing = folder;
    installing.push_back({"space", Type::Text, false, false,
                          "put it into this space: every member's daemon has it after its sync"});
    return {
        {.path = "/v1/plugins",
         .name = "listPlugins",
         .summary = "The plugins of this site and how they do.",
         .answer = "plugin-status",
         .list = true,
         .runs = Runs::Pool,
         .run = answering(list_plugins)},
        {.method = Method::Post,
         .path = "/v1/plugins",
         .name = "installPlugin",
         .summary = "Checks, tests and tries a plugin, then swaps it in.",
         .body = Body::Members,
         .members = installing,
         .access = Access::SocketOnly,
         .runs = Runs::Pool,
         .run = answering(install_plugin)},
        {.method = Method::Post,
         .path = "/v1/plugins/shadow",
         .name = "shadowPlugin",
         .summary = "What a plugin would newly find over the records that are here.",
         .body = Body::Members,
         .members = folder,
         .access = Access::SocketOnly,
         .runs = Runs::Pool,
         .run = answering(shadow_plugin)},
        {.method = Method::Delete,
         .path = "/v1/plugins/{plugin}",
         .name = "removePlugin",
         .summary = "Removes a plugin that was installed on this site.",
         .access = Access::SocketOnly,
         .runs = Runs::Pool,
         .run = answering(remove_plugin)},
        {.method = Method::Post,
         .path = "/v1/plugins/{plugin}/rollback",
         .name = "rollbackPlugin",
         .summary = "Goes back to the version before.",
         .access = Access::SocketOnly,
         .runs = Runs::Pool,
         .run = answering(rollback_plugin)},
        {.method = Method::Post,
         .path = "/v1/plugins/{plugin}/settings",
         .name = "checkSettings",
         .summary = "Whether the plugin takes these settings. Stores nothing.",
         .body = Body::Members,
         .members = {{"settings", Type::Object, true, false, "name: value"}},
         .runs = Runs::Pool,
         .run = answering(check_settings)},
        {.method = Method::Post,
         .path = "/v1/plugins/{plugin}/migrate",
         .name = "migratePlugin",
         .summary = "Brings records of an older shape to the shape that their kind has now.",
         .body = Body::Optional,
         .members = {{"kind", Type::Text, false, false, "of the plugin's; all without it"},
                     {"space", Type::Text, false, false, "all where the plugin is on without it"},
                     {"dry_run", Type::Flag, false, false, "only say what would change"}},
         .answer = "migration",
         .stream = true,
         .access = Access::SocketOnly,
         .runs = Runs::Pool,
         .run = migrate_plugin},
        {.method = Method::Post,
         .path = "/v1/plugins/{plugin}/turn",
         .name = "turnPlugin",
         .summary = "Turns a plugin on or off, in one space or in all.",
         .body = Body::Members,
         .members = {{"on", Type::Flag, true}, {"space", Type::Text}},
         .access = Access::SocketOnly,
         .runs = Runs::Pool,
         .run = answering(turn_plugin)},
    };
}

}  // namespace dutybook::api
