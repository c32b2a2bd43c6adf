// Why a record was judged as it was: each rule run alone, and what it looked up.

#include "rules/plugin_host.h"

#include <algorithm>

namespace dutybook::rules {

namespace {

std::string words_of(const Duration& duration) {
    constexpr Millis minute = 60'000;
    constexpr Millis hour = 60 * minute;
    std::string words;
    const auto add = [&](Millis count, const char* unit) {
        if (count == 0) return;
        words += (words.empty() ? "" : " ") + std::to_string(count) + " " + unit;
        if (count != 1) words += 's';
    };
    add(duration.months, "month");
    add(duration.days, "day");
    add(duration.elapsed / hour, "hour");
    add(duration.elapsed % hour / minute, "minute");
    return words;
}

std::string words_of(const Moment& moment) {
    std::string words = moment.base ? moment.base->text() : "now";
    if (const auto* setting = std::get_if<Path>(&moment.moved)) {
        words += (moment.back ? " - " : " + ") + setting->text();
        return words;
    }
    const auto& duration = std::get<Duration>(moment.moved);
    if (duration == Duration{}) return words;
    return words_of(duration) + (moment.back ? " before " : " after ") + words;
}

std::string words_of(const Condition& condition) {
    const auto* path = std::get_if<Path>(&condition.value);
    return condition.field + " is " +
           (path != nullptr ? path->text() : canonical(std::get<Json>(condition.value)));
}

}  // namespace

std::string need_words(const Need& need) {
    if (need.id) return "the " + need.kind + " that " + need.id->text() + " names";
    std::string words = "every " + need.kind;
    const char* link = " whose ";
    for (const Condition& condition : need.where) {
        words += link + words_of(condition);
        link = " and whose ";
    }
    if (need.field.empty()) return words;
    words += link + need.field + " lies";
    if (need.from) words += " from " + words_of(*need.from);
    if (need.to) words += " to " + words_of(*need.to);
    return words;
}

Result<std::vector<RuleAccount>> PluginHost::explain(const RuleRecord& subject,
                                                     RecordSource& source) {
    std::vector<RuleAccount> accounts;
    for (const auto& plugin : active_in(subject.space)) {
        const Manifest& manifest = plugin->package.manifest;
        for (const ManifestRule& rule : manifest.rules) {
            const auto& kinds = rule.needs.kinds;
            if (std::find(kinds.begin(), kinds.end(), subject.kind) == kinds.end()) continue;
            RuleAccount& account = accounts.emplace_back();
            account.plugin = manifest.id;
            account.version = manifest.version;
            account.rule = rule.id;
            account.title = rule.title;
            account.source = rule.source;
            if (subject.deleted || subject.status == domain::Status::Retracted) {
                account.unchecked = "what was entered in error breaks no rule";
                continue;
            }
            const NeedContext context = context_for(*plugin, subject.space, rule.clock);
            TRY_ASSIGN(const Gathered gathered, gather(rule.needs, subject, context, source));
            for (const Need& need : rule.needs.needs) {
                auto& looked = account.needs.emplace_back();
                looked.name = need.name;
                looked.words = need_words(need);
                const auto found = gathered.records.find(need.name);
                if (found == gathered.records.end()) continue;
                for (const RuleRecord& record : found->second) {
                    const bool own = record.space == subject.space;
                    looked.records.push_back(own ? record.id : record.space + "/" + record.id);
                }
            }
            account.unchecked = gathered.unchecked;
            if (!account.unchecked.empty()) continue;
            const WorkerCall call{"evaluate", rule.id,
                                  evaluate_input(subject, rule.needs, gathered.records,
                                                 call_context(context.now, subject.zone))};
            const auto answer =
                plugin->slot->run({&call, 1}, canonical(context.configuration)).front();
            if (!answer) {
                account.unchecked = answer.error().text();
                continue;
            }
            const AnswerContext checking{&manifest,       &rule,           &subject,
                                         &gathered.reads, Purpose::Stored, context.now};
            auto findings = read_answer(*answer, checking);
            if (findings) {
                account.findings = as_stored(std::move(*findings));
            } else {
                account.unchecked = findings.error().text();
            }
        }
    }
    return accounts;
}

}  // namespace dutybook::rules
