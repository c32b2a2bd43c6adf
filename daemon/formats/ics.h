#pragma once
// iCalendar (RFC 5545) by libical: what calendars subscribe to. Calendar text shows no health or
// privileged content: that is the report's duty, the renderer adds nothing.

#include "base/clock.h"
#include "formats/blocks.h"

namespace dutybook::formats {

// The events of all `events` blocks. An event is {"uid","summary"} and either "date" (all day) or
// "start" with "end"; "todo": true makes a VTODO whose due is that; "description", "location",
// "categories", "priority" (1 to 9), "status" and "alarm_minutes" are optional. `stamp` is DTSTAMP:
// the same export twice gives the same text. Refuses instants and dates that cannot be read, by
// pointer.
Result<std::string> render_ics(const Report& report, Millis stamp);

}  // namespace dutybook::formats
