#pragma once
// What rules may look up: the space's index, then its parent.

#include "core/space_engine.h"

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
    Result<bool> by_conditions(const rules::NeedQuery& query, Where where, const Take& take) const;

    const SpaceFacts& facts_;
    const SpaceParts& parts_;
};

rules::RuleRecord rule_record(const domain::RecordState& state, const std::string& version,
                              const std::string& space);

}  // namespace dutybook::core
