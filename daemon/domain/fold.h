#pragma once
// The fold: a pure function from a set of operations of one record to its state and conflicts.
//
// b supersedes a if b's frontier contains a (any copy of it), or b comes later than a in the same
// writer's log. A field shows its maximal operations: those that no operation of that field,
// superseded ones included, supersedes. If a lying frontier leaves none, all count and `alarm` is
// set. Among concurrent values the HLC, then the writer, then seq picks the one shown.
//
// Copies: an operation issued again under a new writer of the same site names its first identity;
// all copies count as one operation, whose frontier is the union of theirs and whose content is
// that of the lowest (writer, seq) held. A copy that claims another site's identity is malformed.
// Only equal content makes a copy: where a claimed identity holds something else (a log that forked
// before its other branch was issued again), the claimant counts under its own identity. And only
// places that are held can be known: a claim alone gives none, because a frontier that reaches the
// claimed place may mean what the other branch wrote there. At worst a conflict is listed until
// the first issue arrives; nothing is lost in silence.
//
// Sorts on one field: registers are maximal among the field's register operations; a set element
// among the operations on (field, element); a counter is the sum of its increments, each identity
// once. Where operations of several sorts meet on one field, a register is shown before a set
// before a counter, and the field is listed as a conflict until a register operation supersedes
// all operations of the other sorts. A set shows its elements sorted by canonical text.
//
// Deleted: all maximal operations of the record (every verb) are deletes. A mixture leaves the
// record alive and lists field "@record" with values "keep" and "delete". Deleting hides, it
// clears no field. Status is a join: retracted over final over draft. Kind, creator and creation
// instant come from the earliest create by (hlc, identity); without a create the record is
// "unborn": kept, counted in the digest of operations, not shown.
//
// Values equal as canonical JSON are no conflict. Null clears a field. A counter is shown within
// +-(2^53-1). The span may hold several records' operations only by mistake: all are folded as one.

#include "domain/frontier.h"
#include "domain/operation.h"

#include "base/crypto.h"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace dutybook::domain {

struct Known {
    const Operation* operation = nullptr;
    const Frontier* frontier = nullptr;  // under which this copy was made
};

struct ConflictValue {
    std::string value;      // canonical JSON
    OperationId operation;  // first identity
    Millis at = 0;
    std::string by;
};

struct Conflict {
    std::string field;                  // or "@record"
    std::string shown;                  // canonical JSON; null if a clearing is shown
    std::vector<ConflictValue> values;  // sorted: the shown one first, then by hlc descending
};

enum class Status : std::uint8_t { Draft, Final, Retracted };
std::string_view name_of(Status status);

struct RecordState {
    std::string id;
    std::string kind;
    bool born = false;
    bool deleted = false;
    bool alarm = false;  // a frontier lied
    Status status = Status::Draft;
    Operation created;       // the earliest create: the envelope (changes left empty)
    Millis changed_at = 0;   // latest `at` of its operations
    OperationId changed_by;  // identity of that one
    std::map<std::string, std::string> fields;  // canonical JSON; sets as arrays, counters numbers
    std::vector<Conflict> conflicts;            // sorted by field
};

RecordState fold(std::span<const Known> operations);

// Part of the digest: id, kind, status, deleted, fields, conflicts (values, identities, at, by).
// Never findings, receipts, frontiers or local times.
Hash hash_of(const RecordState& state);
// The version that a person's form names: first 16 hex digits of the hash.
std::string version_of(const RecordState& state);

}  // namespace dutybook::domain
