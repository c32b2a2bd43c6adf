#pragma once
// Who reads, and which privacy classes are open to them.
//
// A person's roles (core.role_assignment, as of today, of the space that they ask and its parent)
// open classes, by the core plugin's setting `role_classes`; `ordinary` is open to all. Always open
// is what one wrote oneself, and one's own `hr` records. Not limited is who administers the machine
// and names nobody else, or a person without any role; and everybody where no roles are kept: there
// is nothing to go by.

#include "core/space_service.h"

#include <map>
#include <set>

namespace dutybook::api {

class Call;
struct Services;

struct Reader {
    enum class As : std::uint8_t {
        Person,         // a token, or an account with less than every right
        NamedByKeeper,  // whom an administrator at the socket names
        Keeper,         // an administrator at the socket, as nobody else
    };
    std::string person;  // a person's id, or an account's or token's name
    As as = As::Person;
    core::SpaceService* asks = nullptr;  // the space of the request; null: that of the record
};
Reader reader_of(const Call& call);

using Fields = std::map<std::string, std::string>;  // canonical JSON, as the fold holds them
Json value_of(const Fields& fields, const std::string& field);
std::string without_space(const std::string& id);          // "space/id" -> "id"
bool names(const Json& value, const std::string& person);  // the person, or a list with them

// What was filed is of the class that it shows, whatever the class of its kind.
inline constexpr const char* filed_kind = "core.report";

struct Reading {
    std::string person;
    std::set<std::string> roles;
    std::set<std::string> classes;  // open to the person; of no account where `limited` is false
    bool limited = false;

    // Of a record; `kind` is null where no plugin brings it, `by` who wrote it.
    bool opens(const domain::KindTraits* kind, const Fields& fields, std::string_view by) const;
};
// In `space`, unless the reader asks another. Any thread.
Result<Reading> reading_of(const Services& services, core::SpaceService& space,
                           const Reader& reader);

}  // namespace dutybook::api
