#pragma once
// Records as iCalendar components and back: duties are VTODOs, meetings and shifts VEVENTs. The UID
// is the record's id, so that a calendar that comes back meets its own records.

#include "base/clock.h"
#include "formats/mapping.h"

#include <vector>

namespace dutybook::formats {

// Records as the API gives them; of other kinds than core.duty, core.meeting and core.shift none.
// A duty without a due date has no place in a calendar and is left out.
Result<std::string> render_calendar(const std::vector<Json>& records, Millis stamp);

// VEVENTs become core.meeting, VTODOs core.duty. What repeats becomes a record for each time up to
// a year from `now`, with the time in its id, so that an occurrence that is moved or cancelled
// later is met again. A cancelled event is a removal. What records do not hold (a repetition
// without an end) is told as a warning, what libical's parser refuses as a bad row.
Result<Mapped> read_calendar(std::string_view text, const std::string& file,
                             const std::string& zone, Millis now);

}  // namespace dutybook::formats
