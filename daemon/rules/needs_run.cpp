// The lookups carried out over a RecordSource.

#include "base/crypto.h"
#include "rules/needs.h"

#include <algorithm>
#include <set>

namespace dutybook::rules {
namespace {

Result<std::vector<RuleRecord>> look_up(const Need& need, const Bindings& bindings,
                                        const NeedContext& context, RecordSource& source,
                                        std::string& unchecked) {
    auto queries = forward(need, bindings, context);
    if (!queries) {
        unchecked = queries.error().text();
        return std::vector<RuleRecord>{};
    }
    std::map<std::string, RuleRecord> found;
    for (const NeedQuery& query : *queries) {
        TRY_ASSIGN(NeedAnswer answer, source.find(query));
        if (answer.parent_missing) {
            unchecked =
                "the need \"" + need.name + "\" looks into the parent space, which is not here";
        }
        if (answer.cut_off) found.clear();
        for (RuleRecord& record : answer.records) found.emplace(record.id, std::move(record));
        if (answer.cut_off || found.size() > need.limit) {
            unchecked = "more than " + std::to_string(need.limit) + " records match the need \"" +
                        need.name + "\"";
            return std::vector<RuleRecord>{};
        }
    }
    std::vector<RuleRecord> records;
    for (auto& [id, record] : found) {
        records.push_back(std::move(record));
        if (!need.list) break;
    }
    return records;
}

// Follows reaches until only subjects are left.
class Spread {
public:
    Spread(const NeedSet& set, const NeedContext& context, RecordSource& source)
        : set_(set), context_(context), source_(source) {}

    Result<void> from(const RuleRecord& record) {
        const bool subject =
            record.space == context_.space &&
            std::find(set_.kinds.begin(), set_.kinds.end(), record.kind) != set_.kinds.end();
        if (subject) subjects_.insert(record.id);
        for (const Need& need : set_.needs) {
            if (need.kind == record.kind) TRY(turn_round(need, record));
        }
        while (!waiting_.empty()) {
            const auto [need, current] = std::move(waiting_.back());
            waiting_.pop_back();
            TRY(turn_round(*need, current));
        }
        return {};
    }
    std::vector<std::string> subjects() const { return {subjects_.begin(), subjects_.end()}; }

private:
    Result<void> turn_round(const Need& need, const RuleRecord& record) {
        for (const Reach& reach : backward(set_, need, record, context_)) TRY(follow(reach));
        return {};
    }
    Result<void> follow(const Reach& reach) {
        TRY_ASSIGN(NeedAnswer answer, source_.find(reach.query));
        for (RuleRecord& record : answer.records) {
            if (reach.through == nullptr) {
                if (record.space == context_.space) subjects_.insert(record.id);
            } else if (seen_.emplace(reach.through->name, record.id).second) {
                waiting_.emplace_back(reach.through, std::move(record));
            }
        }
        return {};
    }

    const NeedSet& set_;
    const NeedContext& context_;
    RecordSource& source_;
    std::set<std::string> subjects_;
    std::set<std::pair<std::string, std::string>> seen_;
    std::vector<std::pair<const Need*, RuleRecord>> waiting_;
};

}  // namespace

Result<Gathered> gather(const NeedSet& set, const RuleRecord& subject, const NeedContext& context,
                        RecordSource& source) {
    Bindings bindings;
    bindings[set.subject] = {subject};
    Gathered gathered;
    std::set<std::string> reads;
    Json digested = Json::array();
    for (const Need& need : set.needs) {
        TRY_ASSIGN(std::vector<RuleRecord> records,
                   look_up(need, bindings, context, source, gathered.unchecked));
        for (const RuleRecord& record : records) {
            reads.insert(record.id);
            digested.push_back({need.name, record.id, record.version});
        }
        bindings[need.name] = std::move(records);
    }
    bindings.erase(set.subject);
    gathered.records = std::move(bindings);
    gathered.reads.assign(reads.begin(), reads.end());
    gathered.digest = hex(blake2b("dutybook.needs.1", canonical(digested))).substr(0, 32);
    return gathered;
}

Result<std::vector<std::string>> reached(const NeedSet& set, const RecordChange& change,
                                         const NeedContext& context, RecordSource& source) {
    Spread spread(set, context, source);
    for (const auto* version : {&change.before, &change.after}) {
        if (*version) TRY(spread.from(**version));
    }
    return spread.subjects();
}

}  // namespace dutybook::rules
