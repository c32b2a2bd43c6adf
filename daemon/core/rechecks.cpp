#include "core/rechecks.h"

#include "core/record_source.h"

#include <algorithm>

namespace dutybook::core {

namespace {

constexpr std::size_t page = 1000;

// Calls `each` for every living record of a kind.
template <class F>
Result<void> each_record(store::IndexReader& reader, const std::string& kind, F each) {
    store::Query query;
    query.kind = kind;
    query.limit = page;
    do {
        TRY_ASSIGN(const store::Page got, reader.list(query));
        for (const store::StoredRecord& record : got.records) each(record);
        query.after = got.next;
    } while (!query.after.empty());
    return {};
}

// Verdicts that fit what is shown, as "record@version digest".
Result<std::set<std::string>> verdicts_held(store::IndexReader& reader) {
    std::set<std::string> held;
    std::string after;
    while (true) {
        TRY_ASSIGN(const auto verdicts, reader.verdicts(after, page));
        if (verdicts.empty()) return held;
        for (const store::Verdict& one : verdicts) {
            held.insert(one.record + "@" + one.version + " " + one.plugin_digest);
        }
        after = verdicts.back().record;
    }
}

}  // namespace

bool Rechecks::any_rules() const {
    return parts_.evaluator != nullptr && !parts_.evaluator->plugins(facts_.name).empty();
}

void Rechecks::note(const std::vector<std::string>& records) {
    if (any_rules()) changed_.insert(records.begin(), records.end());
}

Result<void> Rechecks::note_missing() {
    if (!any_rules()) return {};
    store::IndexReader& reader = parts_.index->reader();
    TRY_ASSIGN(const auto held, verdicts_held(reader));
    for (const auto& plugin : parts_.evaluator->plugins(facts_.name)) {
        for (const std::string& kind : plugin.kinds) {
            const bool clock =
                std::binary_search(plugin.clock_kinds.begin(), plugin.clock_kinds.end(), kind);
            TRY(each_record(reader, kind, [&](const store::StoredRecord& record) {
                const std::string key =
                    record.state.id + "@" + record.version + " " + plugin.digest;
                if (clock || held.count(key) == 0) subjects_.insert(record.state.id);
            }));
        }
    }
    later_.clear();
    return {};
}

Result<void> Rechecks::note_parent(const std::vector<rules::RuleRecord>& changed) {
    if (!any_rules()) return {};
    std::vector<rules::RecordChange> changes;
    for (const rules::RuleRecord& record : changed) {
        TRY_ASSIGN(const auto looked,
                   parts_.index->reader().judged_with(facts_.parent + "/" + record.id));
        subjects_.insert(looked.begin(), looked.end());
        changes.push_back({std::nullopt, record});
    }
    IndexSource source(facts_, parts_);
    TRY_ASSIGN(const auto touched, parts_.evaluator->touched(changes, source));
    for (const std::string& id : touched) {
        TRY_ASSIGN(const auto own, parts_.index->reader().get(id));
        if (own) subjects_.insert(id);
    }
    return {};
}

void Rechecks::wake() {
    if (!later_.empty() && parts_.clock->monotonic() >= wake_at_) {
        subjects_.merge(later_);
        later_.clear();
    }
    const Millis now = parts_.clock->now();
    while (!again_.empty() && again_.begin()->first <= now) {
        subjects_.insert(std::move(again_.begin()->second));
        again_.erase(again_.begin());
    }
}

Result<bool> Rechecks::run(std::size_t subjects) {
    wake();
    if (!changed_.empty()) {
        std::vector<std::string> slice;
        while (!changed_.empty() && slice.size() < subjects) {
            slice.push_back(std::move(changed_.extract(changed_.begin()).value()));
        }
        TRY(spread(slice));
        return true;
    }
    std::vector<rules::RuleRecord> records;
    while (!subjects_.empty() && records.size() < subjects) {
        const std::string id = std::move(subjects_.extract(subjects_.begin()).value());
        TRY_ASSIGN(const auto stored, parts_.index->reader().get(id));
        if (!stored || stored->state.deleted) continue;
        records.push_back(rule_record(stored->state, stored->version, facts_.name));
    }
    if (records.empty()) return false;
    TRY(judge(records));
    return !subjects_.empty();
}

Result<void> Rechecks::judge(const std::vector<rules::RuleRecord>& records) {
    IndexSource source(facts_, parts_);
    TRY_ASSIGN(const auto evaluation,
               parts_.evaluator->evaluate(records, rules::Purpose::Stored, source));
    std::vector<std::string> ids;
    for (const rules::RuleRecord& record : records) ids.push_back(record.id);
    TRY(parts_.index->drop_verdicts(ids));  // also those of plugins that were before
    std::vector<store::Verdict> verdicts;
    for (const auto& one : evaluation.judgements) {
        verdicts.push_back({one.record, one.version, one.plugin_digest,
                            rules::write_findings(rules::as_stored(one.findings)), one.reads});
        if (one.again_at) again_.emplace(*one.again_at, one.record);
    }
    TRY(parts_.index->put_verdicts(verdicts));
    bool down = false;
    for (const auto& one : evaluation.unchecked) {
        if (!one.later) continue;
        later_.insert(one.record);
        down = true;
    }
    if (down) {
        wake_at_ = parts_.clock->monotonic() + wait_;
        wait_ = std::min(wait_ * 2, longest_wait);
    } else if (!evaluation.judgements.empty()) {
        wait_ = first_wait;
    }
    return {};
}

Result<void> Rechecks::spread(const std::vector<std::string>& changed) {
    std::vector<rules::RecordChange> changes;
    store::IndexReader& reader = parts_.index->reader();
    for (const auto& id : changed) {
        TRY_ASSIGN(const auto looked, reader.judged_with(id));
        subjects_.insert(looked.begin(), looked.end());
        TRY_ASSIGN(const auto stored, reader.get(id));
        if (!stored) continue;
        subjects_.insert(id);
        changes.push_back({std::nullopt, rule_record(stored->state, stored->version, facts_.name)});
    }
    IndexSource source(facts_, parts_);
    TRY_ASSIGN(const auto touched, parts_.evaluator->touched(changes, source));
    subjects_.insert(touched.begin(), touched.end());
    return {};
}

}  // namespace dutybook::core
