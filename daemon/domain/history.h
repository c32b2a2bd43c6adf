#pragma once
// What happened to one record, each change after those that it knew of, and its state at a time.

#include "domain/fold.h"

namespace dutybook::domain {

struct HistoryLine {
    OperationId operation;
    std::string
        verb;  // create, set, add, remove, increment, delete, restore, resolve, finalise, retract
    std::string field;                 // empty for whole-record verbs
    std::string old_value, new_value;  // canonical JSON, empty = none
    Millis at = 0;
    std::string by, reason;
};

// Changes made apart are told by their clocks, then their identities: the same lines at every site
// and after every rebuild, whatever order `operations` came in. Copies of one identity give one
// line.
std::vector<HistoryLine> history(std::span<const Known> operations);
// The state made of the operations whose `at` is not after `instant`.
RecordState state_at(std::span<const Known> operations, Millis instant);

struct FieldDifference {
    std::string field, a, b;
};
std::vector<FieldDifference> difference(const RecordState& a, const RecordState& b);

}  // namespace dutybook::domain
