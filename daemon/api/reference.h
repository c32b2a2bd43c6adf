#pragma once
// What people write for a record: an id, a unique prefix, `@words`, or `space/id`.

#include "api/call.h"

#include <set>

namespace dutybook::api {

struct Found {
    core::SpaceService* space = nullptr;
    store::StoredRecord record;
};

// Argument 1 of a call, in the space of argument 0. Code::NotFound, also of a record behind a wall;
// Code::Ambiguous with "candidates":[{"id","kind","title"}] in its detail. Finds deleted records
// too (by id and prefix): the caller judges.
Result<Found> find_record(const Call& call);
// What `text` names, in the space of argument 0.
Result<Found> find_record(const Call& call, const std::string& text);

// The same, where only records of these kinds are meant: of several that the words find, the one.
Result<Found> find_record_of(const Call& call, const std::string& text,
                             const std::set<std::string>& kinds);

// A short text for people: the field that names such a record.
std::string title_of(const domain::RecordState& state);

}  // namespace dutybook::api
