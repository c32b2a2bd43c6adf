#pragma once
// What people write for a record: an id, a unique prefix, `@words`, or `space/id`.

#include "api/call.h"

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

// A short text for people: the field that names such a record.
std::string title_of(const domain::RecordState& state);

}  // namespace dutybook::api
