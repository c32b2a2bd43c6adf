#pragma once
// What a reader may see, at every door that shows what a record says: listing, search, history,
// conflicts, findings, events, exports, reports.
//
// Walls (LEG-R14): a record whose kind marks fields with "x-access" is for the people in these
// fields alone, as soon as one of them that is a list names somebody; so is every record that leads
// to it, by a reference to a kind of class `privileged` or by a field marked "x-about". Walls hold
// for everybody, whatever their roles. Privacy classes (privacy.h) hold for the record itself, and
// for what people answered about it.

#include "api/privacy.h"
#include "core/book.h"
#include "rules/finding.h"

#include <optional>

namespace dutybook::api {

class Walls {
public:
    // Walls alone: for who acts, and is told why an act is refused whatever their role; and where
    // classes are looked at elsewhere.
    enum class Hold : std::uint8_t { WallsAndClasses, WallsAlone };

    // For one request of `reader` about one space; not thread-safe.
    Walls(const Services& services, core::SpaceService& space, Reader reader,
          Hold hold = Hold::WallsAndClasses)
        : services_(services), space_(space), reader_(std::move(reader)), hold_(hold) {}

    struct Subject {
        const std::string& reference;  // "id" or "space/id"
        const std::string& kind;
        const Fields& fields;
        const std::string& by;  // who wrote it
    };
    Result<bool> hides(const Subject& subject);
    Result<bool> hides(const domain::RecordState& state) {
        return hides({state.id, state.kind, state.fields, state.created.by});
    }
    // A record that is not here is not hidden.
    Result<bool> hides(const std::string& reference);
    // What a finding says of a hidden record is hidden too.
    Result<bool> hides_some(const rules::Finding& finding);
    Result<bool> hides_all(const rules::Finding& finding);

    // Findings as JSON, for the reader: of one that concerns a hidden record only the rule, its
    // severity and the records that the reader may see are left, so that a verdict stays what it
    // is. `language` is the reader's.
    Result<void> mask(Json& findings, const std::string& language);

    // References of the records with a wall that were opened to the reader.
    const std::set<std::string>& opened() const { return opened_; }

private:
    static constexpr int reference_depth = 4;  // proof of service -> filing -> matter, one to spare
    struct Known {
        bool walled = false, closed = false;
        int depth = -1;  // to which it was looked at
    };
    // `in`: the space that holds the record, in which its references are meant.
    Result<bool> walled(core::SpaceService& in, const Subject& subject, int depth);
    Result<Known> look_at(core::SpaceService& in, const std::string& reference, int depth);
    Result<bool> one_walled(core::SpaceService& in, const Json& value, int depth);
    // Of a class that the reader's roles do not open.
    Result<bool> closed(const Subject& subject);

    const Services& services_;
    core::SpaceService& space_;
    const Reader reader_;
    const Hold hold_;
    std::optional<Reading> reading_;      // asked for with the first record that is not ordinary
    std::map<std::string, Known> known_;  // by "space/id"
    std::set<std::string> opened_;
};

// What a listener of events is told of a change; nothing where the record is hidden.
std::optional<core::Change> change_for(const Services& services, const core::Change& change,
                                       const Reader& reader);

}  // namespace dutybook::api
