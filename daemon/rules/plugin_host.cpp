#include "rules/plugin_host.h"

#include "base/crypto.h"

#include <algorithm>

namespace dutybook::rules {

namespace {

bool judges(const ManifestRule& rule, std::string_view kind) {
    return std::find(rule.needs.kinds.begin(), rule.needs.kinds.end(), kind) !=
           rule.needs.kinds.end();
}

bool has_rule_for(const Manifest& manifest, std::string_view kind) {
    return std::any_of(manifest.rules.begin(), manifest.rules.end(),
                       [&](const ManifestRule& rule) { return judges(rule, kind); });
}

// One subject on its way through one plugin.
struct Case {
    const RuleRecord* subject = nullptr;
    Judgement judgement;
    std::string unchecked;
    bool later = false;
    std::set<std::string> reads;
    std::string digests;  // of the needs of its rules
};

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
        plugin.spaces = std::move(activation.spaces);
        plugin.origin = std::move(activation.origin);
        next.push_back(std::make_shared<const ActivePlugin>(std::move(plugin)));
    }
    std::sort(next.begin(), next.end(), [](const auto& a, const auto& b) {
        return a->package.manifest.id < b->package.manifest.id;
    });
    const std::lock_guard lock(mutex_);
    set_ = std::make_shared<const Set>(std::move(next));
}

void PluginHost::configure(const std::string& space, const std::string& plugin,
                           const Json& settings) {
    const std::lock_guard lock(mutex_);
    settings_[{space, plugin}] = settings;
}

Json PluginHost::configuration(const std::string& space, const std::string& plugin) const {
    Json all = Json::object();
    if (const auto active = find(plugin)) all = active->package.manifest.default_configuration();
    const std::lock_guard lock(mutex_);
    const auto found = settings_.find({space, plugin});
    if (found == settings_.end() || !found->second.is_object()) return all;
    for (const auto& [name, value] : found->second.items()) {
        if (!value.is_null()) all[name] = value;
    }
    return all;
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

std::string PluginHost::digest_in(const ActivePlugin& plugin, const std::string& space) const {
    const std::string settings = canonical(configuration(space, plugin.package.manifest.id));
    return hex(blake2b("dutybook plugin in space", plugin.package.digest + settings)).substr(0, 32);
}

std::vector<PluginIdentity> PluginHost::plugins(const std::string& space) const {
    std::vector<PluginIdentity> all;
    for (const auto& plugin : active_in(space)) {
        const Manifest& manifest = plugin->package.manifest;
        std::set<std::string> kinds;
        std::set<std::string> clock_kinds;
        for (const ManifestRule& rule : manifest.rules) {
            kinds.insert(rule.needs.kinds.begin(), rule.needs.kinds.end());
            if (rule.clock) clock_kinds.insert(rule.needs.kinds.begin(), rule.needs.kinds.end());
        }
        if (kinds.empty()) continue;
        all.push_back({manifest.id,
                       manifest.version,
                       digest_in(*plugin, space),
                       {kinds.begin(), kinds.end()},
                       {clock_kinds.begin(), clock_kinds.end()}});
    }
    return all;
}

NeedContext PluginHost::context_for(const ActivePlugin& plugin, const std::string& space,
                                    bool clock) const {
    NeedContext context;
    context.space = space;
    context.kinds = options_.kinds;
    context.configuration = configuration(space, plugin.package.manifest.id);
    if (clock) context.now = options_.clock->now();
    return context;
}

CallContext PluginHost::call_context(std::optional<Millis> now) const {
    CallContext context;
    context.zone = options_.zone;
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
                                                 call_context(std::nullopt))};
            const auto answer =
                plugin->slot->run({&call, 1}, canonical(context.configuration)).front();
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
    const Manifest& manifest = plugin.package.manifest;
    std::vector<Case> cases;
    std::vector<Pending> pending;
    std::vector<WorkerCall> calls;
    std::string configuration;
    for (const RuleRecord& subject : subjects) {
        if (!has_rule_for(manifest, subject.kind)) continue;
        Case& one = cases.emplace_back();
        one.subject = &subject;
        one.judgement.record = subject.id;
        one.judgement.version = subject.version;
        one.judgement.plugin = manifest.id;
        one.judgement.plugin_digest = digest_in(plugin, subject.space);
        // What was entered in error breaks no rule.
        if (subject.status == domain::Status::Retracted || subject.deleted) continue;
        for (const ManifestRule& rule : manifest.rules) {
            if (!judges(rule, subject.kind)) continue;
            const NeedContext context = context_for(plugin, subject.space, rule.clock);
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
            configuration = canonical(context.configuration);
            calls.push_back({"evaluate", rule.id,
                             evaluate_input(subject, rule.needs, gathered->records,
                                            call_context(context.now))});
            std::optional<Millis> again;
            if (rule.clock && rule.again) {
                Bindings bindings = gathered->records;
                bindings[rule.needs.subject] = {subject};
                again = moment_of(*rule.again, bindings, context);
                if (again && *again <= *context.now) again.reset();
            }
            pending.push_back(
                {cases.size() - 1, &rule, std::move(gathered->reads), context.now, again});
        }
    }
    const auto answers = plugin.slot->run(calls, configuration);
    for (std::size_t i = 0; i < pending.size(); ++i) {
        Case& one = cases[pending[i].of_case];
        if (!one.unchecked.empty()) continue;
        if (!answers[i]) {
            one.unchecked = answers[i].error().text();
            one.later = answers[i].error().code == Code::Unavailable;
            continue;
        }
        const AnswerContext context{&manifest,         pending[i].rule, one.subject,
                                    &pending[i].reads, purpose,         pending[i].as_of};
        auto findings = read_answer(*answers[i], context);
        if (!findings) {
            one.unchecked = findings.error().text();
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
        from = to;
    }
    return evaluation;
}

Result<std::vector<std::string>> PluginHost::touched(std::span<const RecordChange> changes,
                                                     RecordSource& source) {
    std::set<std::string> all;
    for (const RecordChange& change : changes) {
        const RuleRecord* any = change.after ? &*change.after : &*change.before;
        all.insert(any->id);
        for (const auto& plugin : active_in(any->space)) {
            const NeedContext context = context_for(*plugin, any->space, true);
            for (const ManifestRule& rule : plugin->package.manifest.rules) {
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
    CallContext call = call_context(context.now);
    call.language = request.language;
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
