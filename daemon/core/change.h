#pragma once
// From what a person sends to the changes of an operation. Pure: JSON and the shown state in,
// changes out; nothing is validated against the kind's schema here.

#include "base/json.h"
#include "core/working.h"
#include "domain/kind.h"

#include <vector>

namespace dutybook::core {

using Changes = std::vector<domain::FieldChange>;

// Set fields become additions of their elements, counters increments, the rest registers; members
// that are null are left out. Code::Malformed with "/fields/..." for a name that is no field, a
// set that is no array, a counter that is no whole number.
Result<Changes> changes_of_create(const Json& fields, const domain::KindTraits& traits);

// RFC 7396 for registers; sets and counters by {"$add", "$remove", "$increment"} or as the whole
// value, compared with what is shown. Only what differs from what is shown, or settles a conflict,
// is a change; an empty result says that everything stands already.
Result<Changes> changes_of_patch(const Json& patch, const Working& record,
                                 const domain::KindTraits& traits);

// Whole values, as a plugin's `migrate` gives them; null clears.
Result<Changes> changes_of_migration(const Json& fields, const Working& record,
                                     const domain::KindTraits& traits);

// The shown fields as one object.
Json fields_of(const domain::RecordState& state);

}  // namespace dutybook::core
