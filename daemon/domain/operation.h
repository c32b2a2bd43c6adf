#pragma once
// An operation: one change to one record, by one writer. What is written here is format 1; the
// text that its writer made is the truth and is kept and relayed byte for byte.
//
// One operation is one JSON object on one line, without its identity: the writer is the log's, the
// sequence number its place in the log (the segment says the first). Members, in canonical order:
//
//   "add"       {field: [element, ...]}  elements added to a set field
//   "at"        UTC milliseconds of the writer's own clock; left out when equal to hlc[0]
//   "auth"      how the person was authenticated ("socket", "token", "device"); optional
//   "by"        the person's id
//   "device"    optional
//   "do"        create | change | delete | restore | resolve | finalise | retract
//               ("erase" is reserved; any other word is a newer verb)
//   "final"     true on a create whose kind is final at once
//   "first"     [writer, seq]: the identity under which this operation was issued first; only the
//               same site may name it
//   "format"    number; left out for 1; higher is a newer format
//   "hlc"       [milliseconds, counter]
//   "inc"       {field: integer}  increments of counter fields
//   "kind"      on create
//   "on_behalf" a person's id, optional
//   "reason"    optional
//   "record"    the record's id: 1 to 128 of letters, digits, "._-:"
//   "remove"    {field: [element, ...]}  elements removed from a set field
//   "set"       {field: value}  registers; null clears the field
//   "source"    "imported" | "device"; left out for "entered"
//   "zone"      the site's time zone
//
// One verb `change` with four maps, instead of a verb for each: one form that a person saves is
// one operation, whatever sorts of field it touches. History shows a line per field with its own
// verb. The operation says how it merges, never the reader's schema.
//
// Rejected: CBOR (gains nothing after compression), identities inside the line (they are the
// place), values as a DOM (the fold compares and hashes canonical text only).

#include "base/clock.h"
#include "base/result.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::domain {

struct Limits {
    static constexpr std::size_t operation_bytes = 64 * 1024;
    static constexpr std::size_t record_bytes = 1024 * 1024;
    static constexpr std::size_t segment_packed = 1024 * 1024;
    static constexpr std::size_t segment_plain = 8 * 1024 * 1024;
    static constexpr std::size_t depth = 32;
    static constexpr std::size_t id_length = 128;
};

// "<site>-<incarnation>", both lower-case base32.
using Writer = std::string;
std::string_view site_of(std::string_view writer);

struct OperationId {
    Writer writer;
    std::uint64_t seq = 0;  // 1 is the first
    auto operator<=>(const OperationId&) const = default;
    std::string text() const { return writer + ":" + std::to_string(seq); }
};

struct Hlc {
    Millis ms = 0;
    std::uint32_t counter = 0;
    auto operator<=>(const Hlc&) const = default;
};

enum class Verb : std::uint8_t { Create, Change, Delete, Restore, Resolve, Finalise, Retract };
std::string_view name_of(Verb verb);

enum class Act : std::uint8_t { Set, Add, Remove, Increment };

struct FieldChange {
    std::string field;
    Act act = Act::Set;
    std::string value;  // canonical JSON: the value, ONE element, or the increment
};

struct Operation {
    OperationId id;                    // where this copy stands
    std::optional<OperationId> first;  // identity of the first issue, if this is not it
    Hlc hlc;
    Millis at = 0;
    Verb verb = Verb::Change;
    std::string record;
    std::string kind;                  // create only
    bool final = false;                // create only
    std::vector<FieldChange> changes;  // sorted by field, then act, then value
    std::string by, auth, on_behalf, device, source = "entered", zone, reason;

    const OperationId& identity() const { return first ? *first : id; }
};

// What the bytes of one line are. The verdict depends on the bytes and the place alone, and is the
// same in every version that knows the format.
enum class Reading : std::uint8_t { Good, Malformed, Newer };
struct ReadOperation {
    Reading reading = Reading::Good;
    Operation operation;  // Good: all of it; else at least `id`
    std::string why;      // Malformed, Newer
};
ReadOperation read_operation(std::string_view line, const OperationId& id);

// The canonical line of an operation (RFC 8785); fails if it breaks a limit of format 1.
Result<std::string> write_operation(const Operation& operation);

bool valid_record_id(std::string_view id);
bool valid_field_name(std::string_view name);  // 1-128, no control characters, no leading '@'
bool valid_kind(std::string_view kind);        // words of [a-z0-9_] joined by '.'
bool valid_writer(std::string_view writer);

}  // namespace dutybook::domain
