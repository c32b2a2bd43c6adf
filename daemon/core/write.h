#pragma once
// What a caller asks to write, and what he gets. The same shapes serve one form and a line of a
// batch.
//
// Pointers of errors point into the body that the request came in: for a create the object with
// "id", "kind" and "fields" ("/fields/priority"), for a patch the patch itself ("/priority"), for
// a resolve the object with "field" and "value". Further errors of one request, if there are more
// than one, stand in the error's `detail` as {"errors":[{"pointer","what"}]}.

#include "base/json.h"
#include "base/result.h"
#include "domain/operation.h"
#include "store/index.h"

#include <functional>
#include <string>
#include <vector>

namespace dutybook::core {

struct Caller {
    std::string by;    // person's id (or the account's name)
    std::string auth;  // "socket", "token"
    std::string on_behalf, device;
    std::string source = "entered";  // entered, imported, device
};

enum class Action : std::uint8_t {
    Create,
    Patch,
    Delete,
    Restore,
    Resolve,
    Finalise,
    Retract,
    Complete,  // what a plugin that was down at the write fills in later
    Migrate,   // what a plugin makes of a record of an older shape: exactly `fields`
};

struct WriteRequest {
    Action action = Action::Create;
    std::string id;     // Create: empty = made here
    std::string kind;   // Create
    Json fields;        // Create: an object. Patch: RFC 7396, plus per field
                        // {"$add": [...], "$remove": [...], "$increment": n}.
                        // Migrate: whole values, null clears
    std::string field;  // Resolve: a field or "@record"
    Json value;         // Resolve: the value; for "@record" "keep" or "delete"
    std::string reason;
    std::string if_version;       // empty = none named
    std::string idempotency_key;  // empty = none
    Caller caller;
};

struct Written {
    std::string id;
    bool wrote = false;           // false: it stood already (nothing journalled)
    store::StoredRecord record;   // as after this write; changed_order is not set
    std::string findings = "[]";  // canonical JSON array
    bool checked = true;          // false: a plugin was down, verdict is made up later
    std::string same_as;          // id of an equal record added within the last minute, or empty
};

struct CheckRequest {
    std::string kind, id;
    Json fields;
    Caller caller;
};
struct Checked {
    std::string verdict;        // allow warn deny reject
    Json fields;                // completed
    Json findings;              // array
    std::string earliest_next;  // instant or empty
};

}  // namespace dutybook::core
