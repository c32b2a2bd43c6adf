#pragma once
// Records as CSV tables: OneRoster 1.1, Ed-Fi attendance, and any kind as it is.

#include "base/json.h"
#include "base/result.h"

#include <map>
#include <string>
#include <vector>

namespace dutybook::formats {

using Records = std::vector<Json>;  // as the API gives them

// File name -> text, manifest.csv included: a bulk export of the kinds that `import oneroster`
// reads. Ids lose the prefix that the import gave them. No formula guard: programs read these.
std::map<std::string, std::string> render_oneroster(const std::map<std::string, Records>& by_kind,
                                                    const std::string& system);

// date,student,school,category,reason with Ed-Fi's AttendanceEventCategory values, as
// `import attendance` reads them.
std::string render_edfi_attendance(const Records& events);

// Any kind: its id and its fields in the order of the kind, cells guarded against formulas. Lists
// of texts are joined by commas, other lists and objects are JSON.
std::string render_records_csv(const Records& records, const std::vector<std::string>& fields);

}  // namespace dutybook::formats
