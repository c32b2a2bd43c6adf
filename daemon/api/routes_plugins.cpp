// Plugins. Installing runs the plugin's own checks and tests first; what fails leaves
// the running version alone.

#include "api/call.h"
#include "api/report_page.h"
#include "author/lint.h"
#include "author/tools.h"
#include "core/plugins.h"
#include "core/record_source.h"

#include <sstream>

namespace dutybook::api {

namespace {

author::Surroundings surroundings(const Services& services) {
    return {services.schemas, services.plugins->built_in(), services.programs + "/dutybook-worker"};
}

Json problem_of(const Error& error) {
    Json out = {
        {"what", error.what}, {"why", error.why}, {"fix", error.fix}, {"pointer", error.pointer}};
    if (error.line) out["line"] = *error.line;
    return out;
}

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
            {"restarts", status.slot.restarts},
            {"why", status.slot.last_fault},
            {"sandbox", status.slot.sandbox.is_object() ? status.slot.sandbox : Json::object()},
            {"memory", status.slot.resident},
            {"spaces", std::move(spaces)},
            {"off", std::move(off)}};
}

Result<Response> list_plugins(Call& call) {
    Json items = Json::array();
    for (const auto& one : call.services.plugins->list()) items.push_back(status_of(one));
    return json_response({{"items", std::move(items)}, {"next", nullptr}});
}

// What would be newly found over the records that are here, with the package that is to come.
struct Shadow {
    std::uint64_t records = 0, findings = 0;
    Json samples = Json::array();
};

Result<Shadow> shadow_run(const Services& services, const rules::PluginPackage& package) {
    rules::PluginHost::Options options;
    options.worker = services.programs + "/dutybook-worker";
    options.clock = services.clock;
    options.kinds = &services.plugins->kinds();
    options.zone = services.book->site().zone;
    rules::PluginHost host(std::move(options));
    std::set<std::string> names;
    for (core::SpaceService* space : services.book->spaces()) names.insert(space->facts().name);
    host.activate({{package, names, "shadow"}});
    Shadow shadow;
    for (core::SpaceService* space : services.book->spaces()) {
        const std::string name = space->facts().name;
        host.configure(name, package.manifest.id,
                       services.plugins->host().configuration(name, package.manifest.id));
        for (const auto& plugin : host.plugins(name)) {
            for (const std::string& kind : plugin.kinds) {
                TRY(space->run([&](core::SpaceEngine& engine) -> Result<void> {
                    constexpr std::size_t recent = 1000;
                    store::Query query;
                    query.kind = kind;
                    query.limit = recent;
                    TRY_ASSIGN(const auto page, engine.index().reader().list(query));
                    std::vector<rules::RuleRecord> subjects;
                    for (const auto& record : page.records) {
                        subjects.push_back(core::rule_record(record.state, record.version, name));
                    }
                    core::IndexSource source(engine.facts(), engine.parts());
                    TRY_ASSIGN(const auto next,
                               host.evaluate(subjects, rules::Purpose::Stored, source));
                    TRY_ASSIGN(const auto now, services.plugins->host().evaluate(
                                                   subjects, rules::Purpose::Stored, source));
                    std::set<std::string> known;
                    for (const auto& finding : now.findings()) known.insert(finding.id);
                    shadow.records += subjects.size();
                    for (const auto& finding : next.findings()) {
                        if (known.count(finding.id) != 0) continue;
                        ++shadow.findings;
                        if (shadow.samples.size() < 20) shadow.samples.push_back(to_json(finding));
                    }
                    return {};
                }));
            }
        }
    }
    return shadow;
}

Json shadow_json(const Shadow& shadow) {
    return {{"records", shadow.records},
            {"findings", shadow.findings},
            {"text", "would newly find " + std::to_string(shadow.findings) + " in " +
                         std::to_string(shadow.records) + " records"},
            {"samples", shadow.samples}};
}

Error not_installed(const std::string& what, const std::vector<Error>& errors,
                    const std::string& output) {
    Error error = malformed(what);
    Json list = Json::array();
    for (const Error& each : errors) list.push_back(problem_of(each));
    error.detail = canonical({{"errors", std::move(list)}, {"output", output}});
    if (!errors.empty()) error.why = errors.front().text();
    error.fix = "`dutybook plugin lint` and `dutybook plugin test` show all";
    return error;
}

Result<rules::PluginPackage> checked_package(Call& call, const std::string& folder) {
    const auto around = surroundings(call.services);
    const auto errors = author::lint(folder, around);
    std::vector<Error> wrong;
    for (const Error& error : errors) {
        if (!author::is_warning(error)) wrong.push_back(error);
    }
    if (!wrong.empty()) return not_installed("the plugin has mistakes", wrong, "");
    std::ostringstream out;
    const auto render = [&](const Json& blocks, const std::string& language) {
        return page_of(call.services, blocks, "test", language);
    };
    if (author::run_tests(folder, around, {}, render, out) != 0) {
        return not_installed("the plugin fails its own tests", {}, out.str());
    }
    auto loaded = author::load_with_required(folder, around);
    if (!loaded.errors.empty()) return not_installed("the plugin has mistakes", loaded.errors, "");
    return std::move(loaded.packages.front());
}

Result<Response> install_plugin(Call& call) {
    TRY_ASSIGN(auto package, checked_package(call, call.body.value("folder", "")));
    Shadow shadow;
    const bool same_kinds = std::all_of(
        package.manifest.rules.begin(), package.manifest.rules.end(), [&](const auto& rule) {
            return std::all_of(rule.needs.kinds.begin(), rule.needs.kinds.end(),
                               [&](const std::string& kind) {
                                   return call.services.plugins->kinds().find(kind) != nullptr;
                               });
        });
    // A plugin whose kinds are new has no records to be tried on.
    if (same_kinds) {
        TRY_ASSIGN(shadow, shadow_run(call.services, package));
    }
    if (!call.body.value("dry_run", false)) TRY(call.services.plugins->install(package));
    return json_response({{"id", package.manifest.id},
                          {"version", package.manifest.version},
                          {"digest", package.digest},
                          {"installed", !call.body.value("dry_run", false)},
                          {"shadow", shadow_json(shadow)}});
}

Result<Response> remove_plugin(Call& call) {
    TRY(call.services.plugins->remove(call.argument(0)));
    return json_response({{"id", call.argument(0)}, {"removed", true}});
}

Result<Response> rollback_plugin(Call& call) {
    TRY(call.services.plugins->rollback(call.argument(0)));
    return json_response({{"id", call.argument(0)}, {"rolled_back", true}});
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

Json text_or_null(const rules::Texts& texts) {
    const std::string text = rules::text_in(texts, "en");
    return text.empty() ? Json(nullptr) : Json(text);
}

Json needs_of(const rules::NeedSet& set) {
    Json needs = Json::array();
    for (const rules::Need& need : set.needs) {
        needs.push_back({{"name", need.name}, {"kind", need.kind}, {"list", need.list}});
    }
    return needs;
}

// What a plugin is, sees and does: the manifest in a form that people read.
Result<Response> explain_plugin(Call& call) {
    const auto plugin = call.services.plugins->host().find(call.argument(0));
    if (!plugin) {
        return failure(Code::NotFound, "no plugin " + call.argument(0), {},
                       "`dutybook plugin list` shows all");
    }
    const rules::Manifest& manifest = plugin->package.manifest;
    Json rules = Json::array();
    for (const auto& rule : manifest.rules) {
        rules.push_back({{"rule", rule.id},
                         {"title", text_or_null(rule.title)},
                         {"on", rule.needs.kinds},
                         {"needs", needs_of(rule.needs)},
                         {"check", rules::name_of(rule.check)},
                         {"stored", rules::name_of(rule.stored)},
                         {"clock", rule.clock},
                         {"source", rule.source}});
    }
    Json reports = Json::array();
    for (const auto& report : manifest.reports) {
        reports.push_back({{"report", manifest.id + "." + report.name},
                           {"title", text_or_null(report.title)},
                           {"needs", needs_of(report.needs)},
                           {"formats", report.formats},
                           {"parameters", report.parameters}});
    }
    return json_response({{"id", manifest.id},
                          {"version", manifest.version},
                          {"title", text_or_null(manifest.title)},
                          {"description", text_or_null(manifest.description)},
                          {"sees", manifest.sees()},
                          {"rules", std::move(rules)},
                          {"reports", std::move(reports)},
                          {"settings", manifest.configuration},
                          {"sandbox", plugin->slot->status().sandbox}});
}

Result<Response> shadow_plugin(Call& call) {
    TRY_ASSIGN(const auto package, checked_package(call, call.body.value("folder", "")));
    TRY_ASSIGN(const Shadow shadow, shadow_run(call.services, package));
    return json_response(shadow_json(shadow));
}

}  // namespace

std::vector<Endpoint> plugin_routes() {
    const std::vector<Member> folder{
        {"folder", Type::Text, true, false, "folder of the plugin, on this machine"},
        {"dry_run", Type::Flag, false, false, "check and try only"}};
    return {
        {.path = "/v1/plugins",
         .name = "listPlugins",
         .summary = "The plugins of this site and how they do.",
         .answer = "plugin",
         .list = true,
         .runs = Runs::Pool,
         .run = answering(list_plugins)},
        {.method = Method::Post,
         .path = "/v1/plugins",
         .name = "installPlugin",
         .summary = "Checks, tests and tries a plugin, then swaps it in.",
         .body = Body::Members,
         .members = folder,
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
        {.path = "/v1/plugins/{plugin}",
         .name = "explainPlugin",
         .summary = "What a plugin is, sees and does.",
         .runs = Runs::Pool,
         .run = answering(explain_plugin)},
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
