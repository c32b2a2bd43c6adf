#pragma once
// When a repeating VEVENT or VTODO takes place: RRULE and RDATE less EXDATE (RFC 5545, 3.8.5).

#include <libical/ical.h>

#include <string>
#include <vector>

namespace dutybook::formats {

struct Series {
    std::vector<icaltimetype> starts;    // in order, each once, in the zone of the first
    std::vector<icaltimetype> excluded;  // what EXDATE takes out
    bool cut = false;                    // it goes on behind what was taken
};

bool repeats(icalcomponent* component);
// Up to `last`, at most 1,000 times. `first` is the component's start (of a VTODO without one, its
// due time) with its zone.
Series series_of(icalcomponent* component, icaltimetype first, icaltimetype last);

// Names one occurrence, the same in whatever zone it is written: "20260309", "20260309T190000Z".
std::string stamp_of(icaltimetype time);
// The same after as much time as lies between two others: days for dates, seconds for times.
icaltimetype shifted(icaltimetype time, icaltimetype from, icaltimetype to);

}  // namespace dutybook::formats
