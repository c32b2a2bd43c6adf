#include "core/rechecks.h"

#include "core/record_source.h"
#include "core/verdict_row.h"

#include <algorithm>

namespace dutybook::core {

namespace {

constexpr std::size_t page = 1000;  // records looked at for a missing verdict in one slice

}  // namespace

bool Rechecks::any_rules() const {
    return parts_.evaluator != nullptr && !parts_.evaluator->plugins(facts_.name).empty();
}

void Rechecks::note(const std::vector<std::string>& records) {
    if (!any_rules()) return;
    ++order_;
    for (const std::string& record : records) changed_[record] = order_;
}

void Rechecks::note_written(std::vector<Written> group) {
    if (!any_rules()) return;
    std::uint64_t last = 0;
    for (Written& one : group) {
        last = std::max(last, one.order);
        const std::uint64_t order = order_ + 1 + one.order;
        changed_[one.record] = order;
        judged_.erase(one.record);
        if (!one.judged) continue;
        judged_[one.record] = order;
        subjects_.erase(one.record);
        later_.erase(one.record);
        if (one.again_at) again_.emplace(*one.again_at, one.record);
    }
    order_ += 1 + last;
}

Result<void> Rechecks::note_missing() {
    if (parts_.evaluator == nullptr) return {};
    const auto plugins = parts_.evaluator->plugins(facts_.name);
    std::vector<std::string> digests;
    for (const auto& plugin : plugins) digests.push_back(plugin.digest);
    TRY(parts_.index->keep_verdicts_of(digests));
    std::map<std::string, Search> by_kind;
    for (const auto& plugin : plugins) {
        for (const std::string& kind : plugin.kinds) {
            Search& search = by_kind[kind];
            search.kind = kind;
            search.digests.push_back(plugin.digest);
            search.all = search.all || std::binary_search(plugin.clock_kinds.begin(),
                                                          plugin.clock_kinds.end(), kind);
        }
    }
    searches_.clear();
    for (auto& [kind, search] : by_kind) searches_.push_back(std::move(search));
    later_.clear();
    return {};
}

// The next page of what note_missing() looks for.
Result<void> Rechecks::search() {
    Search& search = searches_.front();
    store::IndexReader& reader = parts_.index->reader();
    std::string next;
    if (search.all) {
        store::Query query;
        query.kind = search.kind;
        query.after = search.after;
        query.limit = page;
        TRY_ASSIGN(store::Page got, reader.list(query));
        for (auto& record : got.records) subjects_.insert(std::move(record.state.id));
        next = std::move(got.next);
    } else {
        TRY_ASSIGN(auto got, reader.unjudged(search.kind, search.digests, search.after, page));
        for (auto& id : got.records) subjects_.insert(std::move(id));
        next = std::move(got.next);
    }
    if (next.empty()) {
        searches_.pop_front();
    } else {
        search.after = std::move(next);
    }
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
        TRY(spread(subjects));
        return true;
    }
    if (subjects_.empty() && !searches_.empty()) {
        TRY(search());
        return true;
    }
    std::vector<rules::RuleRecord> records;
    while (!subjects_.empty() && records.size() < subjects) {
        const std::string id = std::move(subjects_.extract(subjects_.begin()).value());
        TRY_ASSIGN(const auto stored, parts_.index->reader().get(id));
        if (!stored || stored->state.deleted) continue;
        records.push_back(rule_record(stored->state, stored->version, facts_.name));
    }
    if (records.empty()) return !searches_.empty();
    TRY(judge(records));
    return !subjects_.empty() || !searches_.empty();
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
        verdicts.push_back(verdict_row(one));
        if (one.again_at) again_.emplace(*one.again_at, one.record);
    }
    TRY(parts_.index->put_verdicts(verdicts));
    bool down = false;
    for (const auto& one : evaluation.unchecked) {
        if (!one.later) continue;
        later_.insert(one.record);
        down = true;
    }
    if (!evaluation.judgements.empty()) wait_ = first_wait;
    // Once for all slices of one try.
    const Millis now = parts_.clock->monotonic();
    if (down && now >= wake_at_) {
        wake_at_ = now + wait_;
        wait_ = std::min(wait_ * 2, longest_wait);
    }
    return {};
}

// A subject whose verdict was made with the change is not made doubtful by it.
void Rechecks::doubt(const std::string& subject, std::uint64_t changed) {
    const auto judged = judged_.find(subject);
    if (judged == judged_.end() || judged->second < changed) subjects_.insert(subject);
}

Result<void> Rechecks::spread(std::size_t changes) {
    store::IndexReader& reader = parts_.index->reader();
    IndexSource source(facts_, parts_);
    for (; !changed_.empty() && changes > 0; --changes) {
        const auto [id, order] = *changed_.begin();
        TRY_ASSIGN(const auto looked, reader.judged_with(id));
        for (const std::string& subject : looked) doubt(subject, order);
        TRY_ASSIGN(const auto stored, reader.get(id));
        if (stored) {
            const rules::RecordChange change{
                std::nullopt, rule_record(stored->state, stored->version, facts_.name)};
            TRY_ASSIGN(const auto touched, parts_.evaluator->touched({&change, 1}, source));
            for (const std::string& subject : touched) doubt(subject, order);
        }
        changed_.erase(changed_.begin());
    }
    if (changed_.empty()) judged_.clear();
    return {};
}

}  // namespace dutybook::core
