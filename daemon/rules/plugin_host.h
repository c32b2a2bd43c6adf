#pragma once
// The plugin host: the Evaluator that runs active plugins in their workers. It gathers what rules
// declared, hands it over as spliced text, and believes no answer before it has checked it: codes
// must be declared, paths must be there, records must be among those that the rule was given.
//
// Thread-safe. The set of plugins is an immutable snapshot that activate() swaps; a call that is
// under way ends with the set it began with.

#include "rules/plugin_package.h"
#include "rules/splice.h"
#include "rules/worker_slot.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace dutybook::rules {

struct ActivePlugin {
    PluginPackage package;
    std::shared_ptr<WorkerSlot> slot;
    std::set<std::string> spaces;  // where it is on
    std::string origin;            // "built in", "site", or the space that it came with
};

struct PluginStatus {
    std::string id, version, digest, origin;
    SlotStatus slot;
    std::set<std::string> spaces;
};

class PluginHost final : public Evaluator {
public:
    struct Options {
        std::string worker;  // path of dutybook-worker
        const Clock* clock = nullptr;
        const domain::KindCatalog* kinds = nullptr;
        std::string zone;  // of the site
        std::function<void(const std::string& plugin, const SlotStatus&)> changed;
    };
    explicit PluginHost(Options options);

    // Replaces the set. A plugin with the digest that is running keeps its worker.
    struct Activation {
        PluginPackage package;
        std::set<std::string> spaces;
        std::string origin;
    };
    void activate(std::vector<Activation> plugins);
    // Settings of a plugin in a space, over its defaults: an object. Changes its digest there.
    void configure(const std::string& space, const std::string& plugin, const Json& settings);
    Json configuration(const std::string& space, const std::string& plugin) const;

    std::vector<PluginStatus> statuses() const;
    Result<void> forgive(const std::string& plugin);  // lifts a quarantine
    std::shared_ptr<const ActivePlugin> find(const std::string& plugin) const;

    std::vector<PluginIdentity> plugins(const std::string& space) const override;
    Completion complete(const RuleRecord& record, RecordSource& source) override;
    Result<Evaluation> evaluate(std::span<const RuleRecord> subjects, Purpose purpose,
                                RecordSource& source) override;
    Result<std::vector<std::string>> touched(std::span<const RecordChange> changes,
                                             RecordSource& source) override;

    // The blocks of a report as JSON text, unchecked. `name` is "plugin.report".
    struct ReportRequest {
        std::string space, name, language;
        Json parameters = Json::object();  // valid by the manifest's schema
    };
    Result<std::string> report(const ReportRequest& request, RecordSource& source);
    // A finding's message in a language; its own text where the plugin is not here.
    std::string message(const Finding& finding, std::string_view language) const;

private:
    using Set = std::vector<std::shared_ptr<const ActivePlugin>>;
    std::shared_ptr<const Set> current() const;
    std::vector<std::shared_ptr<const ActivePlugin>> active_in(const std::string& space) const;
    NeedContext context_for(const ActivePlugin& plugin, const std::string& space, bool clock) const;
    CallContext call_context(std::optional<Millis> now) const;
    std::string digest_in(const ActivePlugin& plugin, const std::string& space) const;
    void evaluate_with(const ActivePlugin& plugin, std::span<const RuleRecord> subjects,
                       Purpose purpose, RecordSource& source, Evaluation& evaluation,
                       std::optional<Error>& failed);

    const Options options_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Set> set_;  // protected by mutex_
    // By space and plugin; protected by mutex_.
    std::map<std::pair<std::string, std::string>, Json> settings_;
};

// Of an answer's JSON: a worker that was taken over may send anything.
JsonLimits answer_limits(const Manifest& manifest);

// What a plugin said of one subject by one rule, checked. An error names what is wrong with it.
struct AnswerContext {
    const Manifest* manifest = nullptr;
    const ManifestRule* rule = nullptr;
    const RuleRecord* subject = nullptr;
    const std::vector<std::string>* reads = nullptr;  // sorted
    Purpose purpose = Purpose::Stored;
    std::optional<Millis> as_of;
};
Result<std::vector<Finding>> read_answer(std::string_view text, const AnswerContext& context);

}  // namespace dutybook::rules
