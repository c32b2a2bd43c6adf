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
    if (records.empty()) return;
    if (parts_.tell_children) parts_.tell_children(records);
    if (!any_rules()) return;
    ++order_;
    for (const std::string& record : records) changed_[record] = order_;
}

void Rechecks::note_written(std::vector<Written> group) {
    if (parts_.tell_children) {
        std::vector<std::string> records;
        records.reserve(group.size());
        for (const Written& one : group) records.push_back(one.record);
        parts_.tell_children(records);
    }
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
    if (!looked_back_ && any_rules()) TRY(look_back());
    const auto plugins = parts_.evaluator->plugins(facts_.name);
    std::vector<std::string> digests;
    digests.reserve(plugins.size());
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

void Rechecks::note_parent(const std::vector<std::string>& records,
                           const store::IndexPoint& point) {
    if (!any_rules() || !looked_back_) return;  // looking back will find it
    if (point.index == parent_seen_.index && point.order <= parent_seen_.order) return;
    parent_seen_ = point;
    ++order_;
    for (const std::string& record : records) changed_[facts_.parent + "/" + record] = order_;
}

Result<void> Rechecks::look_back() {
    looked_back_ = true;
    ++order_;
    TRY(look_back_in(parts_.index->reader(), facts_.name));
    if (facts_.parent.empty() || !parts_.read_parent) return {};
    TRY(parts_.read_parent([this](store::IndexReader& parent) -> Result<void> {
        TRY_ASSIGN(parent_seen_, parent.point());
        return look_back_in(parent, facts_.parent);
    }));
    return {};
}

Result<void> Rechecks::look_back_in(store::IndexReader& reader, const std::string& space) {
    store::IndexReader& own = parts_.index->reader();
    TRY_ASSIGN(const auto upto, own.judged_upto(space));
    judged_upto_[space] = upto;
    TRY_ASSIGN(const auto judged, own.judged());
    if (judged.verdicts.empty()) return {};  // nothing that could be doubtful
    TRY_ASSIGN(const auto changed, reader.changed_since(upto));
    const std::string prefix = space == facts_.name ? "" : space + "/";
    for (const std::string& id : changed) changed_[prefix + id] = order_;
    return {};
}

// Nothing is doubtful any more: from here on a later start need not look back further.
Result<void> Rechecks::settle() {
    if (!looked_back_) return {};
    const auto remember = [this](const std::string& space, const store::IndexPoint& point) {
        store::IndexPoint& known = judged_upto_[space];
        if (known == point) return Result<void>{};
        known = point;
        return parts_.index->set_judged_upto(space, point);
    };
    TRY_ASSIGN(const auto now, parts_.index->reader().point());
    TRY(remember(facts_.name, now));
    return facts_.parent.empty() ? Result<void>{} : remember(facts_.parent, parent_seen_);
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
    if (subjects_.empty()) TRY(settle());
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
    ids.reserve(records.size());
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

// As needs see it; nothing if it is gone.
Result<std::optional<rules::RuleRecord>> Rechecks::changed_record(const std::string& id) const {
    std::optional<rules::RuleRecord> found;
    const auto slash = id.find('/');
    if (slash == std::string::npos) {
        TRY_ASSIGN(const auto stored, parts_.index->reader().get(id));
        if (stored) found = rule_record(stored->state, stored->version, facts_.name);
        return found;
    }
    const auto read = [&](store::IndexReader& parent) -> Result<void> {
        TRY_ASSIGN(const auto stored, parent.get(std::string_view(id).substr(slash + 1)));
        if (stored) found = rule_record(stored->state, stored->version, facts_.parent);
        return {};
    };
    TRY(parts_.read_parent(read));
    if (found) found->id = id;
    return found;
}

Result<void> Rechecks::spread(std::size_t changes) {
    store::IndexReader& reader = parts_.index->reader();
    IndexSource source(facts_, parts_);
    for (; !changed_.empty() && changes > 0; --changes) {
        const auto [id, order] = *changed_.begin();
        TRY_ASSIGN(const auto looked, reader.judged_with(id));
        for (const std::string& subject : looked) doubt(subject, order);
        TRY_ASSIGN(auto record, changed_record(id));
        if (record) {
            const rules::RecordChange change{std::nullopt, std::move(record)};
            TRY_ASSIGN(const auto touched,
                       parts_.evaluator->touched(facts_.name, {&change, 1}, source));
            for (const std::string& subject : touched) doubt(subject, order);
        }
        changed_.erase(changed_.begin());
    }
    if (changed_.empty()) judged_.clear();
    return {};
}

}  // namespace dutybook::core
