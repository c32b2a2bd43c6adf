#pragma once
// A space in memory with one plugin and what it requires: where test cases and trials run. Not
// thread-safe.

#include "base/clock.h"
#include "base/crypto.h"
#include "rules/memory_source.h"
#include "rules/plugin_host.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dutybook::author {

struct Surroundings {
    std::filesystem::path schemas;      // with kinds/ and plugin.schema.json
    std::filesystem::path plugins;      // where required plugins lie, by id
    std::string worker;                 // path of dutybook-worker
    std::filesystem::path installed{};  // where those of the site lie, by id; may be empty
};

// Where the plugin of that name lies that is in use: of a space, else the site's own, else the
// program's. Empty: there is none.
std::filesystem::path place_of(const std::string& plugin, const Surroundings& surroundings);

// Reads a folder and everything that it requires; all mistakes at once.
struct LoadedPlugins {
    std::vector<rules::PluginPackage> packages;  // the wanted one first
    std::shared_ptr<const rules::KindRegistry> kinds;
    std::vector<Error> errors;
};
LoadedPlugins load_with_required(const std::filesystem::path& folder,
                                 const Surroundings& surroundings);

// Why its worker does not start, by file and line where the worker names them.
Error code_error(const rules::Manifest& manifest, const std::string& why);

// The clock of a case stands still at its `now`; deadlines of workers run by the real one.
class CaseClock final : public Clock {
public:
    Millis now() const override { return now_; }
    Millis monotonic() const override { return real_.monotonic(); }
    void set(Millis now) { now_ = now; }

private:
    SystemClock real_;
    Millis now_ = 0;
};

class BenchSpace {
public:
    BenchSpace(const LoadedPlugins& loaded, const Surroundings& surroundings);

    // Empty again, with a case's zone, time and settings of the wanted plugin.
    void reset(const std::string& zone, Millis now, const Json& settings);
    // As a local write would store it: completed, then put. Returns the stored record.
    Result<rules::RuleRecord> store(rules::RuleRecord record);
    // Puts a record and judges again exactly what its arrival may change.
    Result<void> arrive(rules::RuleRecord record);
    Result<rules::Evaluation> judge(const rules::RuleRecord& record, rules::Purpose purpose);
    Result<std::optional<Millis>> first_time(const rules::RuleRecord& record,
                                             std::span<const rules::Finding> findings);
    rules::RuleRecord completed(rules::RuleRecord record);
    // Findings of everything that arrived, each once; and what could not be judged.
    std::vector<rules::Finding> findings() const;
    const std::vector<std::string>& unchecked() const { return unchecked_; }

    void note_migrated(const std::string& kind) { fired_.insert("migrate " + kind); }

    rules::MemorySource& records() { return records_; }
    rules::PluginHost& host() { return *host_; }
    const rules::KindRegistry& kinds() const { return *kinds_; }
    const std::string& zone() const { return zone_; }
    Millis now() const { return clock_.now(); }
    const std::string& plugin() const { return plugin_; }
    // Rules and codes that were seen to fire, "MED-R02.too_early"; kinds that were, "migrate
    // bus.run".
    const std::set<std::string>& fired() const { return fired_; }

    static constexpr const char* space_name = "school";
    static constexpr const char* parent_name = "district";

private:
    void note(const rules::Evaluation& evaluation);
    void make_host();

    const Surroundings surroundings_;
    const std::vector<rules::PluginPackage> packages_;
    const std::shared_ptr<const rules::KindRegistry> kinds_;
    std::string plugin_, zone_ = "UTC";
    CaseClock clock_;
    rules::MemorySource records_{space_name, parent_name};
    std::unique_ptr<rules::PluginHost> host_;
    std::map<std::pair<std::string, std::string>, std::vector<rules::Finding>> verdicts_;
    std::vector<std::string> unchecked_;
    std::set<std::string> fired_;
};

}  // namespace dutybook::author
