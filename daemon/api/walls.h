#pragma once
// Walls (LEG-R14). A record whose kind marks fields with "x-access" is for the people in these
// fields alone, as soon as one of them that is a list names somebody; so is every record that leads
// to it, by a reference to a kind of class `privileged` or by a field marked "x-about". Walls hold
// for everybody, whatever their roles, and at every door that shows what a record says.

#include "core/book.h"
#include "rules/finding.h"

#include <map>
#include <optional>
#include <set>

namespace dutybook::api {

class Walls {
public:
    // For one request of `reader` about one space; not thread-safe.
    Walls(core::Book& book, core::SpaceService& space, std::string reader)
        : book_(book), space_(space), reader_(std::move(reader)) {}

    using Fields = std::map<std::string, std::string>;  // canonical JSON, as the fold holds them
    struct Subject {
        const std::string& reference;  // "id" or "space/id"
        const std::string& kind;
        const Fields& fields;
    };
    Result<bool> hides(const Subject& subject) { return hides(space_, subject, reference_depth); }
    Result<bool> hides(const domain::RecordState& state) {
        return hides({state.id, state.kind, state.fields});
    }
    // A record that is not here is behind no wall.
    Result<bool> hides(const std::string& reference) {
        return hides_reference(space_, reference, reference_depth);
    }
    // What a finding says of a record behind a wall is behind that wall too.
    Result<bool> hides_some(const rules::Finding& finding);
    Result<bool> hides_all(const rules::Finding& finding);

    // Findings as JSON, for the reader: of one that concerns a record behind a wall only the rule,
    // its severity and the records that the reader may see are left, so that a verdict stays what
    // it is. `language` is the reader's.
    Result<void> mask(Json& findings, const std::string& language);

    // References of the records with a wall that were opened to the reader.
    const std::set<std::string>& opened() const { return opened_; }

private:
    static constexpr int reference_depth = 4;  // proof of service -> filing -> matter, one to spare
    struct Known {
        bool hidden = false;
        int depth = -1;  // to which it was looked at
    };
    // `in`: the space that holds the record, in which its references are meant.
    Result<bool> hides(core::SpaceService& in, const Subject& subject, int depth);
    Result<bool> hides_reference(core::SpaceService& in, const std::string& reference, int depth);
    Result<bool> hides_one_in(core::SpaceService& in, const Json& value, int depth);

    core::Book& book_;
    core::SpaceService& space_;
    const std::string reader_;
    std::map<std::string, Known> known_;  // by "space/id"
    std::set<std::string> opened_;
};

// What a listener of events is told of a change; nothing where it is behind a wall.
std::optional<core::Change> change_for(core::Book& book, const core::Change& change,
                                       const std::string& reader);

}  // namespace dutybook::api
