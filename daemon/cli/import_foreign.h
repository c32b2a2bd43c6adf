#pragma once
// Foreign formats that no mapping describes: calendars, LEDES invoices, FHIR bundles.

#include "cli/session.h"
#include "formats/mapping.h"

#include <string>

namespace dutybook::cli {

bool is_foreign(const std::string& format);  // ics, ledes, fhir
Result<formats::Mapped> read_foreign(Session& session, const std::string& format,
                                     const std::string& path);

}  // namespace dutybook::cli
