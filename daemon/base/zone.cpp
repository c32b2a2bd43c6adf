// The part of clock.h that needs the time zone database.

#include "base/clock.h"

#include <date/tz.h>

#include <cstdio>
#include <optional>

namespace dutybook {

namespace detail {
std::string format_local(Millis local);
std::optional<Millis> scan_local(std::string_view text);
std::optional<Millis> scan_time_of_day(std::string_view text);
}  // namespace detail

namespace {

using std::chrono::milliseconds;
constexpr Millis day_length = 86'400'000;

const date::time_zone* find_zone(const std::string& name) {
    try {
        return date::locate_zone(name.empty() ? "UTC" : name);
    } catch (const std::exception&) {
        return nullptr;
    }
}

date::sys_days new_year(date::year year) {
    return date::sys_days(year / date::January / 1);
}

// The tables of zone files end with 2037, and the library does not read the rule that stands behind
// them. A later year is told as the last one within the tables that has the same calendar, since a
// rule such as "the second Sunday in March" depends on nothing else. Returns how much later it is.
Millis beyond_tables(Millis time) {
    constexpr date::year last{2037};
    const auto day = date::floor<date::days>(date::sys_time<milliseconds>(milliseconds(time)));
    const date::year year = date::year_month_day(day).year();
    if (year <= last) return 0;
    for (date::year same = last;; --same) {
        const bool same_calendar = same.is_leap() == year.is_leap() &&
                                   date::weekday(new_year(same)) == date::weekday(new_year(year));
        if (same_calendar) return milliseconds(new_year(year) - new_year(same)).count();
    }
}

Millis offset_at(const date::time_zone* zone, Millis instant) {
    if (zone == nullptr) return 0;
    const date::sys_time<milliseconds> at{milliseconds(instant - beyond_tables(instant))};
    return milliseconds(zone->get_info(at).offset).count();
}

Millis floor_days(Millis value) {
    const Millis rest = value % day_length;
    return value - (rest < 0 ? rest + day_length : rest);
}

// A local time that the clocks skip is the instant of the jump; one that they show twice is the
// first, unless that lies before `not_before`.
Millis to_instant(const date::time_zone* zone, Millis local, std::optional<Millis> not_before) {
    if (zone == nullptr) return local;
    const Millis later = beyond_tables(local);
    const date::local_time<milliseconds> at{milliseconds(local - later)};
    const Millis first =
        later + zone->to_sys(at, date::choose::earliest).time_since_epoch().count();
    if (!not_before || first >= *not_before) return first;
    return later + zone->to_sys(at, date::choose::latest).time_since_epoch().count();
}

}  // namespace

std::string format_in_zone(Millis instant, const std::string& zone) {
    const date::time_zone* found = find_zone(zone);
    if (found == nullptr) return format_utc(instant);
    const Millis offset = offset_at(found, instant);
    const Millis minutes = (offset < 0 ? -offset : offset) / 60'000;
    char text[16];
    std::snprintf(text, sizeof text, "%c%02d:%02d", offset < 0 ? '-' : '+',
                  static_cast<int>(minutes / 60 % 100), static_cast<int>(minutes % 60));
    return detail::format_local(instant + offset) + text;
}

Result<Millis> parse_instant_of_person(std::string_view text, const std::string& zone, Millis now) {
    if (text == "now") return now;
    const date::time_zone* found = find_zone(zone);
    if (const auto time = detail::scan_time_of_day(text)) {
        return to_instant(found, floor_days(now + offset_at(found, now)) + *time, std::nullopt);
    }
    if (const auto local = detail::scan_local(text)) {
        return to_instant(found, *local, std::nullopt);
    }
    auto exact = parse_instant(text);
    if (!exact) {
        Error error = std::move(exact).error();
        error.fix = "write now, 14:30, 2026-05-04, 2026-05-04T14:30 or 2026-05-04T14:30:00-04:00";
        return error;
    }
    return *exact;
}

std::string local_date(Millis instant, const std::string& zone) {
    return detail::format_local(instant + offset_at(find_zone(zone), instant)).substr(0, 10);
}

int local_minute_of_day(Millis instant, const std::string& zone) {
    const Millis local = instant + offset_at(find_zone(zone), instant);
    return static_cast<int>((local - floor_days(local)) / 60'000);
}

Millis next_local_time(Millis from, int minute_of_day, const std::string& zone) {
    const date::time_zone* found = find_zone(zone);
    // The local day can begin before or after that of `from`'s offset: look from the day before.
    const Millis today = floor_days(from + offset_at(found, from));
    for (Millis day = today - day_length;; day += day_length) {
        const Millis candidate = to_instant(found, day + minute_of_day * Millis{60'000}, from);
        if (candidate >= from) return candidate;
    }
}

bool zone_exists(const std::string& zone) {
    return !zone.empty() && find_zone(zone) != nullptr;
}

std::string system_zone() {
    try {
        return date::current_zone()->name();
    } catch (const std::exception&) {
        return "UTC";
    }
}

}  // namespace dutybook
