#pragma once
// Lines of a LEDES invoice as time and expense entries.

#include "formats/ledes.h"
#include "formats/mapping.h"

namespace dutybook::formats {

// `matters`: LAW_FIRM_MATTER_ID -> the matter's record id. A line of an unknown matter, an
// invoice-level adjustment (IF, IE) and an amount that does not add up are told and left out.
Mapped records_of(const LedesFile& ledes, const std::map<std::string, std::string>& matters,
                  const std::string& file);

}  // namespace dutybook::formats
