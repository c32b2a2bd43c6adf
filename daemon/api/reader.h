#pragma once
// Who reads, and what may be shown to them.
//
// Privacy classes: a person's roles (core.role_assignment, as of today) open classes, by the core
// plugin's setting `role_classes`; `ordinary` is open to all. A person without any role in the
// space or its parent is not limited: whoever may use the socket can read the store's files, and a
// site that keeps no roles has nothing to go by. One's own `hr` records are always open.
//
// Walls (LEG-R14): a record whose kind marks fields with "x-access" is for the people in these
// fields alone, as soon as one of them that is a list names somebody; so is every record of class
// `privileged` that refers to it. Walls hold for everybody, roles or not.

#include "api/call.h"
#include "rules/manifest.h"

#include <map>
#include <set>

namespace dutybook::api {

class Walls {
public:
    Walls(core::Book& book, core::SpaceService& space, std::string reader)
        : book_(book), space_(space), reader_(std::move(reader)) {}
    Result<bool> hides(const domain::RecordState& state);

private:
    struct Doors {
        std::vector<std::string> access, leads_to;  // fields
    };
    const Doors& doors_of(const std::string& kind);
    Result<bool> hides(const domain::RecordState& state, int depth);
    bool named_in(const domain::RecordState& state, const Doors& doors, bool& wall) const;

    core::Book& book_;
    core::SpaceService& space_;
    const std::string reader_;
    std::map<std::string, Doors> doors_;
};

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
    ReaderSource(rules::RecordSource& all, const domain::KindCatalog& kinds, const Reading& reading,
                 Walls& walls)
        : all_(all), kinds_(kinds), reading_(reading), walls_(walls) {}
    Result<rules::NeedAnswer> find(const rules::NeedQuery& query) override;
    std::uint64_t hidden() const { return hidden_.size(); }

private:
    Result<bool> open(const rules::RuleRecord& record);

    rules::RecordSource& all_;
    const domain::KindCatalog& kinds_;
    const Reading& reading_;
    Walls& walls_;
    std::set<std::string> hidden_;
};

}  // namespace dutybook::api
