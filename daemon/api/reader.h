#pragma once
// Gives a report what its reader may see (walls.h, privacy.h), in a shape that it can rely on.

#include "api/walls.h"
#include "rules/kinds.h"

namespace dutybook::api {

// A school's report sees the district's records, too, and both write ids of these their own way:
// "district/p1" in the school, "p1" in the district. A report is given the id alone everywhere, and
// looks up what was written either way. Counts what it left out.
class ReaderSource final : public rules::RecordSource {
public:
    // `facts`: of the space of the reader's request, which `walls` are for. They hold to walls
    // alone: a report that is made for a role is not limited by classes, and `reading` says so.
    ReaderSource(rules::RecordSource& all, const rules::Kinds& kinds, const Reading& reading,
                 const core::SpaceFacts& facts, Walls& walls)
        : all_(all), kinds_(kinds), reading_(reading), facts_(facts), walls_(walls) {}
    Result<rules::NeedAnswer> find(const rules::NeedQuery& query) override;
    std::uint64_t hidden() const { return hidden_.size(); }
    // Records that are not what their kind says: a report cannot say anything sensible of them.
    const std::set<std::string>& unfit() const { return unfit_; }
    // What was asked for by its date, and shown: what the report is about.
    const std::set<std::string>& dated() const { return dated_; }

private:
    Result<bool> open(const rules::RuleRecord& record);
    // The query with a condition on a reference written the other way.
    std::optional<rules::NeedQuery> other_way(const rules::NeedQuery& query) const;
    void name_plainly(rules::RuleRecord& record) const;

    rules::RecordSource& all_;
    const rules::Kinds& kinds_;
    const Reading& reading_;
    const core::SpaceFacts& facts_;
    Walls& walls_;
    std::set<std::string> hidden_, unfit_, dated_;
};

}  // namespace dutybook::api
