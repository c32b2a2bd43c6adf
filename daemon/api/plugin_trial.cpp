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
    // "FAILED  tests/runs.json:12: one child is missing", the first of them.
    error.why = errors.empty() ? output.substr(0, output.find('\n')) : errors.front().text();
    error.fix = "`dutybook plugin lint` and `dutybook plugin test` show all";
    return error;
}

}  // namespace

author::Surroundings surroundings(const Services& services) {
    return {services.schemas, services.plugins->built_in(), services.programs + "/dutybook-worker",
            services.book->directory() / "plugins"};
}

namespace {

constexpr std::size_t recent = 1000;  // records of a kind
constexpr std::size_t at_once = 100;  // of them in one evaluation
constexpr std::size_t most_samples = 20;

// What two hosts say of one space's records: the one that runs, and one with the next version.
class Comparison {
public:
    Comparison(rules::PluginHost& now, rules::PluginHost& next, const std::string& plugin,
               Shadow& shadow)
        : now_(now), next_(next), plugin_(plugin), shadow_(shadow) {}

    Result<void> take(std::span<const rules::RuleRecord> subjects, rules::RecordSource& source) {
        TRY_ASSIGN(const auto now, now_.evaluate(subjects, rules::Purpose::Stored, source));
        TRY_ASSIGN(auto next, next_.evaluate(subjects, rules::Purpose::Stored, source));
        shadow_.records += subjects.size();
        for (const auto& finding : now.findings()) known_.insert(finding.id);
        for (auto& finding : next.findings()) found_.insert_or_assign(finding.id, finding);
        note_failures(now, next);
        return {};
    }
    void end() {
        for (const auto& [id, finding] : found_) {
            if (known_.count(id) != 0) continue;
            ++shadow_.findings;
            if (shadow_.samples.size() < most_samples) shadow_.samples.push_back(to_json(finding));
        }
    }

private:
    void note_failures(const rules::Evaluation& now, const rules::Evaluation& next) {
        std::set<std::string> before;
        for (const auto& one : now.unchecked) {
            if (one.plugin == plugin_) before.insert(one.record);
        }
        const auto plugin = next_.find(plugin_);
        const bool sound = plugin && plugin->slot->status().last_fault.empty();
        for (const auto& one : next.unchecked) {
            const bool its_fault = !one.later || !sound;
            if (!its_fault || before.count(one.record) != 0) continue;
            if (shadow_.failed++ == 0) shadow_.failure = one.record + ": " + one.why;
        }
    }

    rules::PluginHost& now_;
    rules::PluginHost& next_;
    const std::string plugin_;
    Shadow& shadow_;
    std::set<std::string> known_;
    std::map<std::string, rules::Finding> found_;  // by id: one finding may be told of two records
};

// What is set in the space: a default of the version that runs is not one, the next may have
// another.
Json settings_of(const rules::PluginHost& running, const std::string& space,
                 const std::string& plugin) {
    Json settings = running.configuration(space, plugin);
    const auto active = running.find(plugin);
    if (!active) return settings;
    const Json defaults = active->package.manifest.default_configuration();
    for (const auto& [name, value] : defaults.items()) {
        if (settings.contains(name) && settings[name] == value) settings.erase(name);
    }
    return settings;
}

Result<void> compare_kind(core::SpaceService& space, const std::string& kind,
                          rules::RecordSource& source, Comparison& comparison) {
    store::Query query;
    query.kind = kind;
    query.limit = recent;
    TRY_ASSIGN(const auto page, space.reader().list(query));
    std::vector<rules::RuleRecord> subjects;
    for (const auto& record : page.records) {
        subjects.push_back(core::rule_record(record.state, record.version, space.facts().name));
    }
    for (std::size_t from = 0; from < subjects.size(); from += at_once) {
        const auto count = std::min(at_once, subjects.size() - from);
        TRY(comparison.take(std::span(subjects).subspan(from, count), source));
    }
    return {};
}

}  // namespace

Result<Shadow> shadow_run(const Services& services, const rules::PluginPackage& package) {
    rules::PluginHost::Options options;
    options.worker = services.programs + "/dutybook-worker";
    options.clock = services.clock;
    options.kinds = &services.plugins->kinds();
    options.zone = services.book->site().zone;
    rules::PluginHost host(std::move(options));
    rules::PluginHost& running = services.plugins->host();
    std::set<std::string> names;
    for (core::SpaceService* space : services.book->spaces()) names.insert(space->facts().name);
    const std::string& id = package.manifest.id;
    host.activate({{package, names, "shadow"}});
    Shadow shadow;
    shadow.plugin = id;
    for (core::SpaceService* space : services.book->spaces()) {
        const std::string& name = space->facts().name;
        host.configure(name, id, settings_of(running, name, id));
        // Facts and parts stay what they are, and indexes are read from any thread: those who
        // write do not wait for the trial.
        const auto [facts, parts] = space->run([](core::SpaceEngine& engine) {
            return std::make_pair(&engine.facts(), &engine.parts());
        });
        core::IndexSource source(*facts, *parts);
        Comparison comparison(running, host, id, shadow);
        for (const auto& plugin : host.plugins(name)) {
            for (const std::string& kind : plugin.kinds) {
                if (services.plugins->kinds().find(kind) == nullptr) continue;  // new: no records
                TRY(compare_kind(*space, kind, source, comparison));
            }
        }
        comparison.end();
    }
    MigrationWanted seen;
    seen.spaces = names;
    TRY_ASSIGN(const auto spaces, migrate_records(services, package, seen));
    for (const SpaceMigrated& one : spaces) shadow.shapes.add(one.done);
    return shadow;
}

Json shadow_json(const Shadow& shadow) {
    std::string text = "would newly find " + std::to_string(shadow.findings) + " in " +
                       std::to_string(shadow.records) + " records";
    if (shadow.failed > 0) {
        text +=
            "; cannot judge " + std::to_string(shadow.failed) + " of them, first " + shadow.failure;
    }
    if (const auto words = old_shape_words(shadow.plugin, shadow.shapes); !words.empty()) {
        text += "; " + words;
    }
    return {{"records", shadow.records},
            {"findings", shadow.findings},
            {"failed", shadow.failed},
            {"old", shadow.shapes.old},
            {"unmigrated", shadow.shapes.failed.size()},
            {"text", std::move(text)},
            {"samples", shadow.samples}};
}

Result<void> judges_all(const Shadow& shadow) {
    for (const core::Unmigrated& one : shadow.shapes.failed) {
        if (one.why.code != Code::Internal) continue;  // the record's fault: a person mends it
        return failure(Code::Rejected, "the plugin is not taken into use",
                       "its migrate fails on record " + one.record + ": " + one.why.text(),
                       "mend it and install it again; what runs now goes on");
    }
    if (shadow.failed == 0) return {};
    return failure(Code::Rejected, "the plugin is not taken into use",
                   "it cannot judge " + std::to_string(shadow.failed) + " of " +
                       std::to_string(shadow.records) + " records, first " + shadow.failure,
                   "mend it and install it again; what runs now goes on");
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
    TRY(judges_all(shadow));
    return shadow_json(shadow)["text"].get<std::string>();
}

}  // namespace dutybook::api
