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

#include <array>
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
    std::vector<std::string> kinds, clock_kinds;  // subjects of its rules, sorted

    bool judges(std::string_view kind) const;
};

struct PluginStatus {
    std::string id, version, digest, origin;
    SlotStatus slot;
    std::set<std::string> spaces;
};

// What one rule says of one record, and what it was given to say so.
struct RuleAccount {
    std::string plugin, version, rule, source;
    Texts title;
    struct Looked {
        std::string name, words;
        std::vector<std::string> records;
    };
    std::vector<Looked> needs;
    std::vector<Finding> findings;
    std::string unchecked;  // why it says nothing
};
// "every doses.dose whose order is dose.order"
std::string need_words(const Need& need);

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
    // Starts the workers of all that are on somewhere, so that the first to write does not wait.
    void warm_up();
    // Settings of a plugin in a space, over its defaults: an object. Changes its digest there.
    void configure(const std::string& space, const std::string& plugin, const Json& settings);
    Json configuration(const std::string& space, const std::string& plugin) const;

    // Records that the last evaluation left without a verdict, and why. Kept in memory, at most
    // ten thousand.
    std::vector<Unchecked> unchecked(const std::string& space) const;

    std::vector<PluginStatus> statuses() const;
    Result<void> forgive(const std::string& plugin);  // lifts a quarantine
    std::shared_ptr<const ActivePlugin> find(const std::string& plugin) const;

    std::vector<PluginIdentity> plugins(const std::string& space) const override;
    Completion complete(const RuleRecord& record, RecordSource& source) override;
    Result<Evaluation> evaluate(std::span<const RuleRecord> subjects, Purpose purpose,
                                RecordSource& source) override;
    Result<std::vector<std::string>> touched(const std::string& space,
                                             std::span<const RecordChange> changes,
                                             RecordSource& source) override;

    // The blocks of a report as JSON text, unchecked. `name` is "plugin.report".
    struct ReportRequest {
        std::string space, name, language, reader;
        Json parameters = Json::object();  // valid by the manifest's schema
    };
    Result<std::string> report(const ReportRequest& request, RecordSource& source);
    // Each rule that judges the record, run alone.
    Result<std::vector<RuleAccount>> explain(const RuleRecord& subject, RecordSource& source);
    // A finding's message in a language; its own text where the plugin is not here.
    std::string message(const Finding& finding, std::string_view language) const;

private:
    using Set = std::vector<std::shared_ptr<const ActivePlugin>>;
    std::shared_ptr<const Set> current() const;
    std::vector<std::shared_ptr<const ActivePlugin>> active_in(const std::string& space) const;
    // Settings of a plugin in a space, as they are handed over, and the digest that they give it.
    struct Configured {
        std::string package;  // digest of the plugin alone
        Json settings;
        std::string text, digest;
    };
    std::shared_ptr<const Configured> configured(const ActivePlugin& plugin,
                                                 const std::string& space) const;
    NeedContext context_for(const ActivePlugin& plugin, const std::string& space, bool clock) const;
    // `zone` of the record that is judged: its verdict must be the same at sites of other zones.
    // Empty: the site's.
    CallContext call_context(std::optional<Millis> now, const std::string& zone) const;
    void remember(const std::string& space, const Evaluation& evaluation);
    void evaluate_with(const ActivePlugin& plugin, std::span<const RuleRecord> subjects,
                       Purpose purpose, RecordSource& source, Evaluation& evaluation,
                       std::optional<Error>& failed);

    const Options options_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Set> set_;  // protected by mutex_
    // Why there is no verdict, by space, record and plugin; protected by mutex_.
    std::map<std::array<std::string, 3>, Unchecked> unchecked_;
    // By space and plugin; protected by mutex_. What is made of them is kept until one changes.
    std::map<std::pair<std::string, std::string>, Json> settings_;
    mutable std::map<std::pair<std::string, std::string>, std::shared_ptr<const Configured>>
        configured_;
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
