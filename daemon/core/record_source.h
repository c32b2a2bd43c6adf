#pragma once
// What rules may look up: the space's index, then its parent. Made for one evaluation, in which
// nothing is written: an answer is remembered, because the rules of one batch ask much twice.

#include "core/space_engine.h"

#include <unordered_map>

namespace dutybook::core {

class IndexSource final : public rules::RecordSource {
public:
    IndexSource(const SpaceFacts& facts, const SpaceParts& parts) : facts_(facts), parts_(parts) {}
    Result<rules::NeedAnswer> find(const rules::NeedQuery& query) override;

private:
    struct Where {
        bool own = true, parent = true;
    };
    using Take = std::function<void(const store::StoredRecord&, const std::string& space)>;
    Result<void> by_ids(const rules::NeedQuery& query, Where where, rules::NeedAnswer& answer,
                        const Take& take) const;
    void narrow_time(const rules::NeedQuery& query, store::Query& page) const;
    Result<bool> read_parent(const SpaceParts::Reading& read) const;  // false = it is not here
    // Whether the parent is wanted and not here.
    Result<bool> by_conditions(const rules::NeedQuery& query, Where where, const Take& take,
                               const std::function<bool()>& enough) const;

    Result<rules::NeedAnswer> look_up(const rules::NeedQuery& query) const;

    static constexpr std::size_t most_remembered = 20'000;  // records

    const SpaceFacts& facts_;
    const SpaceParts& parts_;
    std::unordered_map<std::string, rules::NeedAnswer> remembered_;  // by the query's text
    std::size_t records_remembered_ = 0;
};

// Whether a record is one that the query asks for, its ids and space aside.
bool answers(const rules::RuleRecord& record, const rules::NeedQuery& query);

rules::RuleRecord rule_record(const domain::RecordState& state, const std::string& version,
                              const std::string& space);

}  // namespace dutybook::core
