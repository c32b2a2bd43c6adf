#include "rules/duration.h"

#include "rules/schema_formats.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace dutybook::rules {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::month;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr Millis hour = 3'600'000;
constexpr Millis day_length = 24 * hour;
// Of any zone that there is: local midnight lies between 14 h before and 12 h after UTC's.
constexpr Millis farthest_east = 14 * hour;
constexpr Millis farthest_west = 12 * hour;
constexpr std::size_t most_digits = 6;

sys_days day_of(std::string_view date) {
    const auto number = [&](std::size_t from, std::size_t count) {
        int value = 0;
        std::from_chars(date.data() + from, date.data() + from + count, value);
        return value;
    };
    return sys_days(year{number(0, 4)} / month{static_cast<unsigned>(number(5, 2))} /
                    day{static_cast<unsigned>(number(8, 2))});
}

sys_days day_of(Millis instant) {
    return floor<days>(
        std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(instant)));
}

// Clamped to the years that a date's text can hold.
std::string text_of(sys_days date) {
    const year_month_day value(
        std::clamp(date, sys_days(year{0} / 1 / 1), sys_days(year{9999} / 12 / 31)));
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(value.year()),
                  static_cast<unsigned>(value.month()), static_cast<unsigned>(value.day()));
    return text;
}

Millis midnight(sys_days date) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(date.time_since_epoch()).count();
}

sys_days plus_months(sys_days date, int count) {
    const year_month_day value(date);
    const year_month_day moved = value + months(count);
    if (moved.ok()) return sys_days(moved);
    return sys_days(moved.year() / moved.month() / std::chrono::last);
}

Bound from_date(sys_days date, const Duration& moved, End end) {
    const sys_days whole = plus_months(date, moved.months) + days(moved.days);
    // Hours on a date: outward to whole days.
    const Millis exact = midnight(whole) + moved.elapsed;
    const sys_days first = day_of(exact);
    const bool rounded = midnight(first) != exact;
    const sys_days result = end == End::To && rounded ? first + days(1) : first;
    const Millis instant = end == End::From ? midnight(result) - farthest_east
                                            : midnight(result) + day_length + farthest_west;
    return {instant, text_of(result)};
}

Bound from_instant(Millis instant, const Duration& moved, End end) {
    const sys_days date = day_of(instant);
    const Millis moved_by_months = midnight(plus_months(date, moved.months)) - midnight(date);
    const Millis exact = instant + moved_by_months + moved.days * day_length + moved.elapsed;
    const Millis edge = end == End::From ? exact - farthest_west : exact + farthest_east;
    return {exact, text_of(day_of(edge))};
}

// A month back may be 28 to 31 days: the end that is asked for decides.
Duration reversed(const Duration& moved, End end) {
    const bool low = end == End::From;
    const int shortest = 28, longest = 31;
    const int length = (moved.months > 0) == low ? longest : shortest;
    return {0, -moved.days - moved.months * length, -moved.elapsed};
}

bool is_date(std::string_view text) {
    return find_format("date")->accepts(text);
}

// "12H" -> 12 and 'H'; false if it is not of that form.
bool read_part(std::string_view& text, std::int64_t& number, char& unit) {
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || digits > most_digits || digits == text.size()) return false;
    std::from_chars(text.data(), text.data() + digits, number);
    unit = text[digits];
    text.remove_prefix(digits + 1);
    return true;
}

// Units must come in the order of `units`, each at most once.
template <class Apply>
bool read_parts(std::string_view text, std::string_view units, const Apply& apply) {
    while (!text.empty()) {
        std::int64_t number = 0;
        char unit = 0;
        if (!read_part(text, number, unit)) return false;
        const std::size_t place = units.find(unit);
        if (place == std::string_view::npos) return false;
        units.remove_prefix(place + 1);
        apply(unit, number);
    }
    return true;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    const Error wrong =
        malformed("\"" + std::string(text) + "\" is no duration (write PT24H, P30D, P1M or P1Y)");
    if (text.size() < 3 || text.front() != 'P') return wrong;
    const std::size_t t = text.find('T');
    const std::string_view dates = text.substr(1, t == std::string_view::npos ? t : t - 1);
    const std::string_view times = t == std::string_view::npos ? "" : text.substr(t + 1);
    if (t != std::string_view::npos && times.empty()) return wrong;
    Duration duration;
    const bool good = read_parts(dates, "YMWD",
                                 [&](char unit, std::int64_t number) {
                                     const int count = static_cast<int>(number);
                                     if (unit == 'Y') duration.months += 12 * count;
                                     if (unit == 'M') duration.months += count;
                                     if (unit == 'W') duration.days += 7 * count;
                                     if (unit == 'D') duration.days += count;
                                 }) &&
                      read_parts(times, "HMS", [&](char unit, std::int64_t number) {
                          if (unit == 'H') duration.elapsed += number * hour;
                          if (unit == 'M') duration.elapsed += number * 60'000;
                          if (unit == 'S') duration.elapsed += number * 1'000;
                      });
    constexpr int most_months = 12 * 1000;
    constexpr int most_days = 366 * 1000;
    if (!good || duration.months > most_months || duration.days > most_days) return wrong;
    return duration;
}

std::optional<Bound> bound_of(std::string_view text, const Duration& moved, End end) {
    if (is_date(text)) return from_date(day_of(text), moved, end);
    const auto instant = parse_instant(text);
    if (!instant) return std::nullopt;
    return from_instant(*instant, moved, end);
}

Bound bound_of(Millis instant, const Duration& moved, End end) {
    return from_instant(instant, moved, end);
}

std::optional<Bound> bound_before(std::string_view text, const Duration& moved, End end) {
    return bound_of(text, reversed(moved, end), end);
}

}  // namespace dutybook::rules
