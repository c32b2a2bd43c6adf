#include "rules/plugin_host.h"

#include "base/crypto.h"

#include <algorithm>

namespace dutybook::rules {

namespace {

bool judges(const ManifestRule& rule, std::string_view kind) {
    return std::find(rule.needs.kinds.begin(), rule.needs.kinds.end(), kind) !=
           rule.needs.kinds.end();
}

std::pair<std::vector<std::string>, std::vector<std::string>> subject_kinds(
    const Manifest& manifest) {
    std::set<std::string> kinds;
    std::set<std::string> clock_kinds;
    for (const ManifestRule& rule : manifest.rules) {
        kinds.insert(rule.needs.kinds.begin(), rule.needs.kinds.end());
        if (rule.clock) clock_kinds.insert(rule.needs.kinds.begin(), rule.needs.kinds.end());
    }
    return {{kinds.begin(), kinds.end()}, {clock_kinds.begin(), clock_kinds.end()}};
}

constexpr std::size_t bytes_at_once = 16u << 20;  // of calls that wait to be sent

// One subject on its way through one plugin.
struct Case {
    const RuleRecord* subject = nullptr;
    Judgement judgement;
    std::string unchecked;
    bool later = false;
    std::set<std::string> reads;
    std::string digests;   // of the needs of its rules
    std::size_t said = 0;  // bytes
};

// Of all that a plugin says about one record: many rules may each say what one alone may.
constexpr std::size_t most_said = 256 * 1024;

struct Pending {
    std::size_t of_case = 0;
    const ManifestRule* rule = nullptr;
    std::vector<std::string> reads;
    std::optional<Millis> as_of;
    std::optional<Millis> again;  // the rule's declared moment, if it lies ahead
};

// When a rule with a clock is to be asked again: at its declared moment, else in an hour while the
// record is open or something was found.
std::optional<Millis> next_look(const Pending& pending, bool found) {
    constexpr Millis hour = 3'600'000;
    if (!pending.as_of) return std::nullopt;
    if (pending.rule->again) return pending.again;
    return found ? std::optional(*pending.as_of + hour) : std::nullopt;
}

}  // namespace

bool ActivePlugin::judges(std::string_view kind) const {
    return std::binary_search(kinds.begin(), kinds.end(), kind);
}

PluginHost::PluginHost(Options options)
    : options_(std::move(options)), set_(std::make_shared<const Set>()) {}

std::shared_ptr<const PluginHost::Set> PluginHost::current() const {
    const std::lock_guard lock(mutex_);
    return set_;
}

std::vector<std::shared_ptr<const ActivePlugin>> PluginHost::active_in(
    const std::string& space) const {
    Set active;
    for (const auto& plugin : *current()) {
        if (plugin->spaces.count(space) != 0) active.push_back(plugin);
    }
    return active;
}

void PluginHost::activate(std::vector<Activation> plugins) {
    const auto before = current();
    Set next;
    for (Activation& activation : plugins) {
        ActivePlugin plugin;
        for (const auto& old : *before) {
            if (old->package.digest == activation.package.digest) plugin.slot = old->slot;
        }
        if (!plugin.slot) {
            const Manifest& manifest = activation.package.manifest;
            WorkerLoad load;
            load.plugin = manifest.id;
            load.native = manifest.native;
            load.lua = activation.package.lua;
            load.object = activation.package.object.string();
            load.configuration = canonical(manifest.default_configuration());
            load.memory = manifest.limits.memory_mb << 20U;
            load.instructions = manifest.limits.instructions;
            load.output = manifest.limits.output_kb << 10U;
            WorkerSlot::Options options;
            options.program = options_.worker;
            options.clock = options_.clock;
            options.call_deadline = static_cast<Millis>(manifest.limits.deadline_ms);
            if (options_.changed) {
                options.changed = [id = manifest.id, tell = options_.changed](const SlotStatus& s) {
                    tell(id, s);
                };
            }
            plugin.slot = std::make_shared<WorkerSlot>(std::move(options), std::move(load));
        }
        plugin.package = std::move(activation.package);
        std::tie(plugin.kinds, plugin.clock_kinds) = subject_kinds(plugin.package.manifest);
        plugin.spaces = std::move(activation.spaces);
        plugin.origin = std::move(activation.origin);
        next.push_back(std::make_shared<const ActivePlugin>(std::move(plugin)));
    }
    std::sort(next.begin(), next.end(), [](const auto& a, const auto& b) {
        return a->package.manifest.id < b->package.manifest.id;
    });
    const std::lock_guard lock(mutex_);
    set_ = std::make_shared<const Set>(std::move(next));
    configured_.clear();
}

void PluginHost::warm_up() {
    for (const auto& plugin : *current()) {
        if (!plugin->spaces.empty()) plugin->slot->warm_up_later();
    }
}

void PluginHost::configure(const std::string& space, const std::string& plugin,
                           const Json& settings) {
    const std::lock_guard lock(mutex_);
    settings_[{space, plugin}] = settings;
    configured_.clear();
}

Json PluginHost::configuration(const std::string& space, const std::string& plugin) const {
    if (const auto active = find(plugin)) return configured(*active, space)->settings;
    const std::lock_guard lock(mutex_);
    const auto found = settings_.find({space, plugin});
    return found != settings_.end() && found->second.is_object() ? found->second : Json::object();
}

std::vector<PluginStatus> PluginHost::statuses() const {
    std::vector<PluginStatus> all;
    for (const auto& plugin : *current()) {
        const Manifest& manifest = plugin->package.manifest;
        all.push_back({manifest.id, manifest.version, plugin->package.digest, plugin->origin,
                       plugin->slot->status(), plugin->spaces});
    }
    return all;
}

Result<void> PluginHost::forgive(const std::string& plugin) {
    const auto active = find(plugin);
    if (!active) return failure(Code::NotFound, "no plugin " + plugin + " is active");
    active->slot->forgive();
    return {};
}

std::shared_ptr<const ActivePlugin> PluginHost::find(const std::string& plugin) const {
    for (const auto& each : *current()) {
        if (each->package.manifest.id == plugin) return each;
    }
    return nullptr;
}

// Kept only while the plugin is of the current set: the next set may hold another version of it.
std::shared_ptr<const PluginHost::Configured> PluginHost::configured(
    const ActivePlugin& plugin, const std::string& space) const {
    const std::string& id = plugin.package.manifest.id;
    {
        const std::lock_guard lock(mutex_);
        const auto kept = configured_.find({space, id});
        if (kept != configured_.end() && kept->second->package == plugin.package.digest) {
            return kept->second;
        }
    }
    auto made = std::make_shared<Configured>();
    made->package = plugin.package.digest;
    made->settings = plugin.package.manifest.default_configuration();
    const std::lock_guard lock(mutex_);
    const auto set = settings_.find({space, id});
    if (set != settings_.end() && set->second.is_object()) {
        for (const auto& [name, value] : set->second.items()) {
            if (!value.is_null()) made->settings[name] = value;
        }
    }
    made->text = canonical(made->settings);
    made->digest =
        hex(blake2b("dutybook plugin in space", made->package + made->text)).substr(0, 32);
    configured_[{space, id}] = made;
    return made;
}

std::vector<PluginIdentity> PluginHost::plugins(const std::string& space) const {
    std::vector<PluginIdentity> all;
    for (const auto& plugin : active_in(space)) {
        const Manifest& manifest = plugin->package.manifest;
        if (plugin->kinds.empty()) continue;
        all.push_back({manifest.id, manifest.version, configured(*plugin, space)->digest,
                       plugin->kinds, plugin->clock_kinds});
    }
    return all;
}

NeedContext PluginHost::context_for(const ActivePlugin& plugin, const std::string& space,
                                    bool clock) const {
    NeedContext context;
    context.space = space;
    context.kinds = options_.kinds;
    context.configuration = configured(plugin, space)->settings;
    if (clock) context.now = options_.clock->now();
    return context;
}

CallContext PluginHost::call_context(std::optional<Millis> now, const std::string& zone) const {
    CallContext context;
    context.zone = zone.empty() ? options_.zone : zone;
    context.now = now;
    return context;
}

Completion PluginHost::complete(const RuleRecord& record, RecordSource& source) {
    Completion completion;
    const auto* traits = options_.kinds->find(record.kind);
    if (traits == nullptr) return completion;
    for (const auto& plugin : active_in(record.space)) {
        const Manifest& manifest = plugin->package.manifest;
        for (const ManifestCompletion& declared : manifest.completes) {
            if (declared.kind != record.kind) continue;
            const NeedContext context = context_for(*plugin, record.space, false);
            const auto gathered = gather(declared.needs, record, context, source);
            if (!gathered || !gathered->unchecked.empty()) {
                completion.unavailable.push_back(manifest.id);
                continue;
            }
            const WorkerCall call{"complete", record.kind,
                                  complete_input(record, &declared.needs, gathered->records,
                                                 call_context(std::nullopt, record.zone))};
            const auto answer =
                plugin->slot->run({&call, 1}, configured(*plugin, record.space)->text).front();
            const Result<Json> read =
                answer ? parse_json(*answer, answer_limits(manifest)) : answer.error();
            const Json fields = read ? *read : Json();
            if (!fields.is_object()) {
                completion.unavailable.push_back(manifest.id);
                continue;
            }
            for (const auto& [field, value] : fields.items()) {
                // Only what the schema leaves to the plugin; the rest is the person's.
                const auto found = traits->fields.find(field);
                if (found == traits->fields.end() || !found->second.completed) continue;
                completion.fields[field] = canonical(value);
            }
        }
    }
    return completion;
}

void PluginHost::evaluate_with(const ActivePlugin& plugin, std::span<const RuleRecord> subjects,
                               Purpose purpose, RecordSource& source, Evaluation& evaluation,
                               std::optional<Error>& failed) {
    if (std::none_of(subjects.begin(), subjects.end(),
                     [&](const RuleRecord& subject) { return plugin.judges(subject.kind); })) {
        return;
    }
    const Manifest& manifest = plugin.package.manifest;
    std::vector<Case> cases;
    std::vector<Pending> pending;
    std::vector<WorkerCall> calls;
    const auto settings = configured(plugin, subjects.front().space);
    NeedContext context = context_for(plugin, subjects.front().space, true);
    const std::optional<Millis> now = context.now;
    std::vector<Result<std::string>> answers;
    std::size_t bytes = 0;  // of calls
    const auto ask = [&] {
        auto more = plugin.slot->run(calls, settings->text);
        std::move(more.begin(), more.end(), std::back_inserter(answers));
        calls.clear();
        bytes = 0;
    };
    for (const RuleRecord& subject : subjects) {
        if (!plugin.judges(subject.kind)) continue;
        Case& one = cases.emplace_back();
        one.subject = &subject;
        one.judgement.record = subject.id;
        one.judgement.version = subject.version;
        one.judgement.plugin = manifest.id;
        one.judgement.plugin_digest = settings->digest;
        // What was entered in error breaks no rule.
        if (subject.status == domain::Status::Retracted || subject.deleted) continue;
        source.looking_for(subject);
        for (const ManifestRule& rule : manifest.rules) {
            if (!judges(rule, subject.kind)) continue;
            context.now = rule.clock ? now : std::nullopt;
            auto gathered = gather(rule.needs, subject, context, source);
            if (!gathered) {
                failed = gathered.error();
                return;
            }
            one.reads.insert(gathered->reads.begin(), gathered->reads.end());
            one.digests += gathered->digest;
            if (!gathered->unchecked.empty()) {
                one.unchecked = gathered->unchecked;
                one.later = true;
                break;
            }
            calls.push_back({"evaluate", rule.id,
                             evaluate_input(subject, rule.needs, gathered->records,
                                            call_context(context.now, subject.zone))});
            std::optional<Millis> again;
            if (rule.clock && rule.again) {
                Bindings bindings = gathered->records;
                bindings[rule.needs.subject] = {subject};
                again = moment_of(*rule.again, bindings, context);
                if (again && *again <= *context.now) again.reset();
            }
            pending.push_back(
                {cases.size() - 1, &rule, std::move(gathered->reads), context.now, again});
            bytes += calls.back().input.size();
            if (bytes > bytes_at_once) ask();
        }
    }
    ask();
    for (std::size_t i = 0; i < pending.size(); ++i) {
        Case& one = cases[pending[i].of_case];
        if (!one.unchecked.empty()) continue;
        if (!answers[i]) {
            one.unchecked = answers[i].error().text();
            one.later = answers[i].error().code == Code::Unavailable;
            continue;
        }
        const AnswerContext answer{&manifest,         pending[i].rule, one.subject,
                                   &pending[i].reads, purpose,         pending[i].as_of};
        auto findings = read_answer(*answers[i], answer);
        if (!findings) {
            one.unchecked = findings.error().text();
            continue;
        }
        one.said += answers[i]->size();
        for (const Finding& finding : *findings) one.said += finding.message.size();
        if (one.said > most_said) {
            one.unchecked = "plugin " + manifest.id + " says more than " +
                            std::to_string(most_said / 1024) + " KiB about one record";
            one.judgement.findings.clear();
            continue;
        }
        const bool open = one.subject->status == domain::Status::Draft || !findings->empty();
        for (Finding& finding : *findings) one.judgement.findings.push_back(std::move(finding));
        const auto again = next_look(pending[i], open);
        if (again && (!one.judgement.again_at || *again < *one.judgement.again_at)) {
            one.judgement.again_at = again;
        }
    }
    for (Case& one : cases) {
        if (!one.unchecked.empty()) {
            evaluation.unchecked.push_back(
                {one.subject->id, manifest.id, one.unchecked, one.later});
            continue;
        }
        one.judgement.findings = merged(std::move(one.judgement.findings));
        if (purpose == Purpose::Stored) {
            one.judgement.findings = as_stored(std::move(one.judgement.findings));
        }
        one.judgement.reads.assign(one.reads.begin(), one.reads.end());
        one.judgement.needs_digest = hex(blake2b("dutybook needs", one.digests)).substr(0, 32);
        evaluation.judgements.push_back(std::move(one.judgement));
    }
}

void PluginHost::remember(const std::string& space, const Evaluation& evaluation) {
    constexpr std::size_t most = 10'000;
    const std::lock_guard lock(mutex_);
    if (!unchecked_.empty()) {
        for (const Judgement& one : evaluation.judgements) {
            unchecked_.erase({space, one.record, one.plugin});
        }
    }
    for (const Unchecked& one : evaluation.unchecked) {
        if (unchecked_.size() >= most) return;
        unchecked_.insert_or_assign({space, one.record, one.plugin}, one);
    }
}

std::vector<Unchecked> PluginHost::unchecked(const std::string& space) const {
    const std::lock_guard lock(mutex_);
    std::vector<Unchecked> all;
    for (auto at = unchecked_.lower_bound({space, "", ""});
         at != unchecked_.end() && at->first[0] == space; ++at) {
        all.push_back(at->second);
    }
    return all;
}

Result<Evaluation> PluginHost::evaluate(std::span<const RuleRecord> subjects, Purpose purpose,
                                        RecordSource& source) {
    Evaluation evaluation;
    // One space at a time: configuration and the set of plugins belong to it.
    for (std::size_t from = 0; from < subjects.size();) {
        std::size_t to = from + 1;
        while (to < subjects.size() && subjects[to].space == subjects[from].space) ++to;
        for (const auto& plugin : active_in(subjects[from].space)) {
            std::optional<Error> failed;
            evaluate_with(*plugin, subjects.subspan(from, to - from), purpose, source, evaluation,
                          failed);
            if (failed) return *failed;
        }
        if (purpose != Purpose::Check) remember(subjects[from].space, evaluation);
        from = to;
    }
    return evaluation;
}

Result<std::vector<std::string>> PluginHost::touched(const std::string& space,
                                                     std::span<const RecordChange> changes,
                                                     RecordSource& source) {
    std::set<std::string> all;
    for (const RecordChange& change : changes) {
        const RuleRecord& any = change.after ? *change.after : *change.before;
        if (any.space == space) all.insert(any.id);
    }
    for (const auto& plugin : active_in(space)) {
        const NeedContext context = context_for(*plugin, space, true);
        for (const ManifestRule& rule : plugin->package.manifest.rules) {
            for (const RecordChange& change : changes) {
                TRY_ASSIGN(const auto ids, reached(rule.needs, change, context, source));
                all.insert(ids.begin(), ids.end());
            }
        }
    }
    return std::vector<std::string>(all.begin(), all.end());
}

Result<std::string> PluginHost::report(const ReportRequest& request, RecordSource& source) {
    const auto dot = request.name.find('.');
    const auto plugin = find(request.name.substr(0, dot));
    const ManifestReport* declared =
        plugin && dot != std::string::npos
            ? plugin->package.manifest.report(request.name.substr(dot + 1))
            : nullptr;
    if (declared == nullptr || plugin->spaces.count(request.space) == 0) {
        return failure(Code::NotFound, "no report " + request.name + " in this space", {},
                       "`dutybook report` lists them");
    }
    RuleRecord parameters;
    parameters.space = request.space;
    for (const auto& [name, value] : request.parameters.items()) {
        parameters.fields[name] = canonical(value);
    }
    const NeedContext context = context_for(*plugin, request.space, true);
    TRY_ASSIGN(const Gathered gathered, gather(declared->needs, parameters, context, source));
    if (!gathered.unchecked.empty()) {
        return failure(Code::Conflict, "the report cannot be made", gathered.unchecked);
    }
    CallContext call = call_context(context.now, {});
    call.language = request.language;
    call.reader = request.reader;
    const WorkerCall wanted{
        "report", declared->name,
        report_input(canonical(request.parameters), declared->needs, gathered.records, call)};
    auto answer = plugin->slot->run({&wanted, 1}, canonical(context.configuration)).front();
    if (!answer) return std::move(answer).error();
    return std::move(*answer);
}

std::string PluginHost::message(const Finding& finding, std::string_view language) const {
    for (const auto& plugin : *current()) {
        const ManifestRule* rule = plugin->package.manifest.rule(finding.rule);
        if (rule == nullptr) continue;
        const auto texts = rule->messages.find(finding.code);
        if (texts != rule->messages.end()) {
            return filled(text_in(texts->second, language), finding.values);
        }
    }
    return finding.message;
}

}  // namespace dutybook::rules
