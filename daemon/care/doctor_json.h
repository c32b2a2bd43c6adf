#pragma once
// The lines of doctor as the API and the client print them (schemas/doctor.schema.json).

#include "base/json.h"
#include "care/doctor.h"

namespace dutybook::care {

Json to_json(const Lines& lines);  // {"items":[{"check","level","what","fix"}...],"next":null}

}  // namespace dutybook::care
