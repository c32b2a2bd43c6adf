#pragma once
// Words that calendars leave with and come back with.

#include <array>

namespace dutybook::formats {

// RFC 5545: 1 is the highest priority, 9 the lowest, 5 the middle.
struct CalendarPriority {
    const char* word;
    int number;
};
inline constexpr std::array<CalendarPriority, 4> calendar_priorities{
    {{"urgent", 1}, {"high", 3}, {"normal", 5}, {"low", 9}}};

// The category of our own shifts: no meetings, when they come back.
inline constexpr const char* calendar_shift = "Dutybook shift";

}  // namespace dutybook::formats
