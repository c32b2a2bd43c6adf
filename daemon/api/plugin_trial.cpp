#include "api/plugin_trial.h"

#include "api/report_page.h"
#include "author/lint.h"
#include "author/tools.h"
#include "core/plugins.h"
#include "core/record_source.h"

#include <sstream>

namespace dutybook::api {

namespace {

Json problem_of(const Error& error) {
    Json out = {
        {"what", error.what}, {"why", error.why}, {"fix", error.fix}, {"pointer", error.pointer}};
    if (error.line) out["line"] = *error.line;
    return out;
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

bool kinds_are_known(const Services& services, const rules::Manifest& manifest) {
    const auto known = [&](const std::string& kind) {
        return services.plugins->kinds().find(kind) != nullptr;
    };
    return std::all_of(manifest.rules.begin(), manifest.rules.end(), [&](const auto& rule) {
        return std::all_of(rule.needs.kinds.begin(), rule.needs.kinds.end(), known);
    });
}

}  // namespace

author::Surroundings surroundings(const Services& services) {
    return {services.schemas, services.plugins->built_in(), services.programs + "/dutybook-worker"};
}

Result<Shadow> shadow_run(const Services& services, const rules::PluginPackage& package) {
    // A plugin whose kinds are new has no records to be tried on.
    if (!kinds_are_known(services, package.manifest)) return Shadow{};
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

Result<rules::PluginPackage> checked_package(const Services& services, const std::string& folder) {
    const auto around = surroundings(services);
    const auto errors = author::lint(folder, around);
    std::vector<Error> wrong;
    for (const Error& error : errors) {
        if (!author::is_warning(error)) wrong.push_back(error);
    }
    if (!wrong.empty()) return not_installed("the plugin has mistakes", wrong, "");
    std::ostringstream out;
    const auto render = [&](const Json& blocks, const std::string& language) {
        return page_of(services, blocks, "test", language);
    };
    if (author::run_tests(folder, around, {}, render, out) != 0) {
        return not_installed("the plugin fails its own tests", {}, out.str());
    }
    auto loaded = author::load_with_required(folder, around);
    if (!loaded.errors.empty()) return not_installed("the plugin has mistakes", loaded.errors, "");
    return std::move(loaded.packages.front());
}

Result<std::string> plugin_trial(const Services& services, const std::string& folder) {
    auto package = checked_package(services, folder);
    if (!package) {
        // The first mistake says most; the log has no room for all.
        Error error = package.error();
        const Json detail = Json::parse(error.detail, nullptr, false);
        const std::string output = detail.is_object() ? detail.value("output", "") : "";
        if (error.why.empty()) error.why = output.substr(0, 500);
        return error;
    }
    TRY_ASSIGN(const Shadow shadow, shadow_run(services, *package));
    return shadow_json(shadow)["text"].get<std::string>();
}

}  // namespace dutybook::api
