#pragma once
// ISO 8601 durations and moments for declared needs. Pure.
//
// A stored time is an instant or a calendar date, and a rule may compare one with the other. Which
// date an instant is depends on a zone, so a mixed comparison is answered on the wide side: a need
// may bring a record too many, never one too few.

#include "base/clock.h"
#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace dutybook::rules {

struct Duration {
    int months = 0;      // years are twelve
    int days = 0;        // weeks are seven
    Millis elapsed = 0;  // hours, minutes, seconds
    bool operator==(const Duration&) const = default;
    Duration operator-() const { return {-months, -days, -elapsed}; }
};

// "PT24H", "P30D", "P1Y6M", "P2W", "P1DT12H". No fractions, no sign, each
// part at most 6 digits.
Result<Duration> parse_duration(std::string_view text);

// One end of a range, in both forms that a field can have.
struct Bound {
    Millis instant = 0;
    std::string date;
    bool operator==(const Bound&) const = default;
};

enum class End : unsigned char { From, To };

// The moment that a field's text holds (a date or an instant), moved by a duration, as that end of
// a range. Days are calendar days of a date and 24 hours of an instant; months clamp to the last
// day of the month. Nothing if the text is neither.
std::optional<Bound> bound_of(std::string_view text, const Duration& moved, End end);
Bound bound_of(Millis instant, const Duration& moved, End end);

// The end of the range of all moments that, moved by `moved`, could be `text`: moving back, on the
// wide side where months clamp.
std::optional<Bound> bound_before(std::string_view text, const Duration& moved, End end);

}  // namespace dutybook::rules
