#pragma once
// The wall clock, and instants as text. Time zones come from Debian's date library (tz database).

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace dutybook {

// UTC milliseconds since 1970. Chosen over nanoseconds: an HLC wants no more, and JSON holds it.
using Millis = std::int64_t;

class Clock {
public:
    virtual ~Clock() = default;
    virtual Millis now() const = 0;        // wall clock; may jump
    virtual Millis monotonic() const = 0;  // for deadlines; never jumps
};

class SystemClock final : public Clock {
public:
    Millis now() const override;
    Millis monotonic() const override;
};

// "2026-05-04T08:00:00.000Z"; milliseconds are left out when zero.
std::string format_utc(Millis instant);
// The same instant with a zone's offset: "2026-05-04T04:00:00-04:00". UTC if the zone is unknown.
std::string format_in_zone(Millis instant, const std::string& zone);
// RFC 3339 with offset or Z. Refuses impossible dates, hours beyond 23 and leap seconds.
Result<Millis> parse_instant(std::string_view text);
// What people may write: "now", "HH:MM" (today in the zone), "YYYY-MM-DD" (midnight there),
// "YYYY-MM-DDTHH:MM[:SS]" (there), or RFC 3339.
Result<Millis> parse_instant_of_person(std::string_view text, const std::string& zone, Millis now);
// The calendar date ("2026-05-04") of an instant in a zone.
std::string local_date(Millis instant, const std::string& zone);
// Minutes after local midnight, and the first instant at or after `from` with that local time.
int local_minute_of_day(Millis instant, const std::string& zone);
Millis next_local_time(Millis from, int minute_of_day, const std::string& zone);
bool zone_exists(const std::string& zone);
std::string system_zone();

}  // namespace dutybook
