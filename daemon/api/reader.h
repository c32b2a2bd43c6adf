#pragma once
// Who reads a report, and what it is given. Walls are in walls.h.
//
// Privacy classes: a person's roles (core.role_assignment, as of today) open classes, by the core
// plugin's setting `role_classes`; `ordinary` is open to all. A person without any role in the
// space or its parent is not limited: whoever may use the socket can read the store's files, and a
// site that keeps no roles has nothing to go by. One's own `hr` records are always open.

#include "api/call.h"
#include "api/walls.h"
#include "rules/manifest.h"

#include <set>

namespace dutybook::api {

struct Reading {
    std::string person;
    std::set<std::string> roles;
    std::set<std::string> classes;  // open to the person; of no account where `limited` is false
    bool limited = false;

    bool opens(std::string_view privacy) const;
};
// Of the caller. `engine` is the space's, on its thread.
Result<Reading> reading_of(const Call& call, core::SpaceEngine& engine);

// Gives a report what its reader may see, and counts what it left out.
class ReaderSource final : public rules::RecordSource {
public:
    // `space`: that of the reader's request, which `walls` are for.
    ReaderSource(rules::RecordSource& all, const domain::KindCatalog& kinds, const Reading& reading,
                 std::string space, Walls& walls)
        : all_(all), kinds_(kinds), reading_(reading), space_(std::move(space)), walls_(walls) {}
    Result<rules::NeedAnswer> find(const rules::NeedQuery& query) override;
    std::uint64_t hidden() const { return hidden_.size(); }
    // What was asked for by its date, and shown: what the report is about.
    const std::set<std::string>& dated() const { return dated_; }

private:
    Result<bool> open(const rules::RuleRecord& record);

    rules::RecordSource& all_;
    const domain::KindCatalog& kinds_;
    const Reading& reading_;
    const std::string space_;
    Walls& walls_;
    std::set<std::string> hidden_, dated_;
};

}  // namespace dutybook::api
