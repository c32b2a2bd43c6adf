#pragma once
// What rules may look up while a group of writes is judged: the index as it was before the group,
// and over it what the group wrote so far. Each write is judged as if those before it, and itself,
// had been stored, so that a batch finds what the same writes find one by one.

#include "core/record_source.h"

#include <set>
#include <unordered_map>

namespace dutybook::core {

class GroupSource final : public rules::RecordSource {
public:
    GroupSource(const SpaceFacts& facts, const SpaceParts& parts)
        : facts_(facts), index_(facts, parts) {}

    // The record as the next write leaves it.
    void add(rules::RuleRecord record);
    // Forgets the writes behind the first `count`.
    void keep(std::size_t count);
    std::size_t size() const { return records_.size(); }
    std::span<const rules::RuleRecord> last(std::size_t count) const {
        return std::span(records_).last(count);
    }

    // From now on the writes up to and including the subject's are seen; without a subject, all.
    void looking_for(const rules::RuleRecord& subject) override;
    void looking_for_all() { seen_ = records_.size(); }
    Result<rules::NeedAnswer> find(const rules::NeedQuery& query) override;

private:
    using Places = std::vector<std::size_t>;  // in records_, ascending
    const rules::RuleRecord* seen(const std::string& id) const;
    Places candidates(const rules::NeedQuery& query);
    void enter(std::size_t place, const std::string& field);

    const SpaceFacts& facts_;
    IndexSource index_;
    std::vector<rules::RuleRecord> records_;
    std::size_t seen_ = 0;
    std::unordered_map<std::string, Places> by_id_;
    // By kind, field and value, for the fields that were ever asked for; "" is the kind alone.
    std::set<std::string> asked_;
    std::unordered_map<std::string, Places> by_value_;
};

}  // namespace dutybook::core
