#include "core/rechecks.h"

#include "core/record_source.h"

namespace dutybook::core {

void Rechecks::note(const std::vector<std::string>& records) {
    if (!parts_.evaluator || parts_.evaluator->plugins(facts_.name).empty()) return;
    changed_.insert(records.begin(), records.end());
}

Result<bool> Rechecks::run(std::size_t subjects) {
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
    IndexSource source(facts_, parts_);
    TRY_ASSIGN(const auto evaluation,
               parts_.evaluator->evaluate(records, rules::Purpose::Stored, source));
    std::vector<store::Verdict> verdicts;
    for (const auto& one : evaluation.judgements) {
        verdicts.push_back({one.record, one.version, one.plugin_digest,
                            rules::write_findings(rules::as_stored(one.findings)), one.reads});
    }
    TRY(parts_.index->put_verdicts(verdicts));
    return !subjects_.empty();
}

Result<void> Rechecks::spread(const std::vector<std::string>& changed) {
    std::vector<rules::RecordChange> changes;
    for (const auto& id : changed) {
        TRY_ASSIGN(const auto stored, parts_.index->reader().get(id));
        rules::RecordChange change;
        if (stored) change.after = rule_record(stored->state, stored->version, facts_.name);
        changes.push_back(std::move(change));
    }
    IndexSource source(facts_, parts_);
    TRY_ASSIGN(const auto touched, parts_.evaluator->touched(changes, source));
    std::vector<std::string> all = touched;
    all.insert(all.end(), changed.begin(), changed.end());
    TRY(parts_.index->drop_verdicts(all));
    subjects_.insert(all.begin(), all.end());
    return {};
}

}  // namespace dutybook::core
