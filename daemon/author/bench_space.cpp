#include "author/bench_space.h"

#include "rules/finding.h"
#include "rules/first_time.h"
#include "rules/json_lines.h"

#include <algorithm>
#include <cstdlib>

namespace dutybook::author {

namespace {

namespace fs = std::filesystem;

// A plugin, and what it requires.
class Loader {
public:
    Loader(const Surroundings& surroundings, const rules::ManifestReader& reader,
           LoadedPlugins& loaded)
        : surroundings_(surroundings), reader_(reader), loaded_(loaded) {}

    void load(const fs::path& folder) {
        auto reading = rules::read_package_folder(folder, reader_);
        auto& errors = loaded_.errors;
        errors.insert(errors.end(), reading.errors.begin(), reading.errors.end());
        if (!reading.errors.empty()) return;
        const auto wanted = reading.package.manifest.requires_plugins;
        const std::string id = reading.package.manifest.id;
        const std::string manifest = reading.package.files["plugin.json"];
        loaded_.packages.push_back(std::move(reading.package));
        for (const auto& [name, lowest] : wanted) {
            if (named(name) == nullptr) {
                const auto place = place_of(name, surroundings_);
                if (!place.empty()) load(place);
            }
            if (!errors.empty()) return;
            const rules::Manifest* const there = named(name);
            const bool old =
                there != nullptr && rules::compare_versions(there->version, lowest) < 0;
            if (there != nullptr && !old) continue;
            Error error =
                failure(Code::Malformed, "requires plugin " + name + " " + lowest + " or newer",
                        old ? "it is of version " + there->version + " here"
                            : "there is none of that name here",
                        "install it first, or correct \"requires\"");
            error.pointer = pointer_to("/requires", name);
            errors.push_back(rules::in_file(std::move(error), id + "/plugin.json", manifest));
        }
    }

private:
    const rules::Manifest* named(const std::string& id) const {
        for (const auto& package : loaded_.packages) {
            if (package.manifest.id == id) return &package.manifest;
        }
        return nullptr;
    }

    const Surroundings& surroundings_;
    const rules::ManifestReader& reader_;
    LoadedPlugins& loaded_;
};

}  // namespace

fs::path place_of(const std::string& plugin, const Surroundings& surroundings) {
    std::vector<fs::path> places{surroundings.plugins};
    if (!surroundings.installed.empty()) {
        places.push_back(surroundings.installed);
        std::error_code none;
        for (const auto& space : fs::directory_iterator(surroundings.installed / ".spaces", none)) {
            places.push_back(space.path());
        }
        std::sort(places.begin() + 2, places.end());
    }
    std::reverse(places.begin(), places.end());
    for (const auto& place : places) {
        std::error_code failed;
        if (fs::exists(place / plugin / "plugin.json", failed)) return place / plugin;
    }
    return {};
}

// "bus_duty/rules.lua:64: unexpected symbol" names its line already, in words.
Error code_error(const rules::Manifest& manifest, const std::string& why) {
    const bool named = why.find(manifest.native ? ".so" : ".lua") != std::string::npos;
    const char* const code = manifest.native ? "/plugin.so: " : "/rules.lua: ";
    Error error = malformed(named ? why : manifest.id + code + why);
    const auto colon = why.find(".lua:");
    const auto line =
        colon == std::string::npos ? 0 : std::strtoull(why.c_str() + colon + 5, nullptr, 10);
    if (line > 0) error.line = line;
    return error;
}

LoadedPlugins load_with_required(const std::filesystem::path& folder,
                                 const Surroundings& surroundings) {
    LoadedPlugins loaded;
    const auto reader = rules::ManifestReader::open(surroundings.schemas);
    if (!reader) {
        loaded.errors.push_back(reader.error());
        return loaded;
    }
    Loader(surroundings, *reader, loaded).load(folder);
    if (!loaded.errors.empty()) return loaded;
    std::vector<rules::KindSource> sources;
    const auto core = rules::read_kind_folder(surroundings.schemas / "kinds", "core");
    if (!core) {
        loaded.errors.push_back(core.error());
        return loaded;
    }
    sources = *core;
    for (const rules::PluginPackage& package : loaded.packages) {
        sources.insert(sources.end(), package.kinds.begin(), package.kinds.end());
    }
    auto kinds = rules::KindRegistry::build(sources);
    if (!kinds) {
        loaded.errors.push_back(kinds.error());
    } else {
        loaded.kinds = *kinds;
    }
    return loaded;
}

BenchSpace::BenchSpace(const LoadedPlugins& loaded, const Surroundings& surroundings)
    : surroundings_(surroundings),
      packages_(loaded.packages),
      kinds_(loaded.kinds),
      plugin_(packages_.front().manifest.id) {
    make_host();
}

// The site's zone is a constant of a host, so another zone takes another host and other workers.
void BenchSpace::make_host() {
    rules::PluginHost::Options options;
    options.worker = surroundings_.worker;
    options.clock = &clock_;
    options.kinds = kinds_.get();
    options.zone = zone_;
    host_ = std::make_unique<rules::PluginHost>(std::move(options));
    std::vector<rules::PluginHost::Activation> all;
    for (const rules::PluginPackage& package : packages_) {
        all.push_back({package, {space_name, parent_name}, "test"});
    }
    host_->activate(std::move(all));
}

void BenchSpace::reset(const std::string& zone, Millis now, const Json& settings) {
    if (zone != zone_) {
        zone_ = zone;
        make_host();
    }
    clock_.set(now);
    records_.clear();
    verdicts_.clear();
    unchecked_.clear();
    for (const char* space : {space_name, parent_name}) host_->configure(space, plugin_, settings);
}

rules::RuleRecord BenchSpace::completed(rules::RuleRecord record) {
    for (auto& [field, value] : host_->complete(record, records_).fields) {
        record.fields[field] = value;
    }
    return record;
}

Result<rules::RuleRecord> BenchSpace::store(rules::RuleRecord record) {
    record = completed(std::move(record));
    TRY(arrive(record));
    return record;
}

Result<void> BenchSpace::arrive(rules::RuleRecord record) {
    rules::RecordChange change;
    if (const auto* before = records_.get(record.space, record.id)) change.before = *before;
    std::string content = record.kind + std::string(domain::name_of(record.status));
    for (const auto& [field, value] : record.fields) content += '\n' + field + '=' + value;
    record.version = hex(blake2b(content)).substr(0, 16);
    change.after = record;
    records_.put(record);
    std::vector<rules::RuleRecord> subjects;
    for (const char* space : {space_name, parent_name}) {
        const bool below = space == std::string_view(parent_name) && record.space == space_name;
        if (below) continue;  // nothing of a school reaches its district
        TRY_ASSIGN(const auto touched, host_->touched(space, {&change, 1}, records_));
        for (const std::string& id : touched) {
            if (const auto* subject = records_.get(space, id)) subjects.push_back(*subject);
        }
    }
    TRY_ASSIGN(const auto evaluation, host_->evaluate(subjects, rules::Purpose::Stored, records_));
    for (const rules::Judgement& one : evaluation.judgements) {
        verdicts_[{one.record, one.plugin}] = one.findings;
    }
    note(evaluation);
    return {};
}

Result<rules::Evaluation> BenchSpace::judge(const rules::RuleRecord& record,
                                            rules::Purpose purpose) {
    TRY_ASSIGN(auto evaluation, host_->evaluate({&record, 1}, purpose, records_));
    note(evaluation);
    return evaluation;
}

Result<std::optional<Millis>> BenchSpace::first_time(const rules::RuleRecord& record,
                                                     std::span<const rules::Finding> findings) {
    return rules::first_time(*host_, record, *kinds_->find(record.kind), findings, records_);
}

void BenchSpace::note(const rules::Evaluation& evaluation) {
    for (const rules::Judgement& one : evaluation.judgements) {
        for (const rules::Finding& finding : one.findings) {
            fired_.insert(finding.rule + "." + finding.code);
        }
    }
    for (const rules::Unchecked& one : evaluation.unchecked) {
        unchecked_.push_back(one.record + ": " + one.why);
    }
}

std::vector<rules::Finding> BenchSpace::findings() const {
    std::vector<rules::Finding> all;
    for (const auto& [key, findings] : verdicts_) {
        all.insert(all.end(), findings.begin(), findings.end());
    }
    return rules::merged(std::move(all));
}

}  // namespace dutybook::author
