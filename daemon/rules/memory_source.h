#pragma once
// Records held in memory, looked up as the store's would be: what plugin tests and shadow runs
// look into. Two spaces, the own one and its parent.

#include "rules/evaluator.h"

#include <map>
#include <string>

namespace dutybook::rules {

class MemorySource final : public RecordSource {
public:
    explicit MemorySource(std::string home, std::string parent = "district")
        : home_(std::move(home)), parent_(std::move(parent)) {}

    void put(RuleRecord record);  // by space and id; replaces
    const RuleRecord* get(const std::string& space, const std::string& id) const;
    const std::string& home() const { return home_; }
    const std::string& parent() const { return parent_; }
    void clear() { records_.clear(); }

    Result<NeedAnswer> find(const NeedQuery& query) override;

private:
    bool has_id(const RuleRecord& record, const NeedQuery& query) const;

    std::string home_, parent_;
    std::map<std::pair<std::string, std::string>, RuleRecord> records_;  // by space and id
};

// Whether a record is one that a query asks for; ids and spaces apart.
bool matches(const RuleRecord& record, const NeedQuery& query);

}  // namespace dutybook::rules
