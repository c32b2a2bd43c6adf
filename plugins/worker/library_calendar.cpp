#include "worker/library_calendar.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

namespace dutybook::worker {

namespace {

using namespace date;

constexpr int service_days = 3;  // FRCP 6(d)
constexpr int roll_limit = 366;  // days; a court that is closed for a year is bad data
constexpr std::size_t occurrence_limit = 10'000;

Day observed(Day actual) {
    const weekday day(actual);
    if (day == Saturday) return actual - days(1);
    if (day == Sunday) return actual + days(1);
    return actual;
}

std::string weekday_name(Day day) {
    static constexpr const char* names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                            "Thursday", "Friday", "Saturday"};
    return names[weekday(day).c_encoding()];
}

// Why a day does not count as a last day; nothing if it does.
class ClosedDays {
public:
    explicit ClosedDays(const PeriodRequest& request) : backward_(request.backward) {
        for (const Holiday& holiday : request.holidays) add(holiday);
        inaccessible_.insert(request.inaccessible.begin(), request.inaccessible.end());
    }

    bool inaccessible(Day day) const { return inaccessible_.count(day) > 0; }

    std::optional<std::string> why(Day day) {
        const weekday of_week(day);
        if (of_week == Saturday || of_week == Sunday) return "a " + weekday_name(day);
        const int year = static_cast<int>(year_month_day(day).year());
        if (federal_.insert({year, true}).second) {
            for (const Holiday& holiday : federal_holidays(year)) add(holiday);
        }
        const auto found = closed_.find(day);
        if (found == closed_.end()) return std::nullopt;
        return found->second;
    }

private:
    void add(const Holiday& holiday) {
        if (backward_ && holiday.forward_only) return;
        closed_.emplace(holiday.day, holiday.name);
    }

    bool backward_;
    std::set<Day> inaccessible_;
    std::map<Day, std::string> closed_;
    std::map<int, bool> federal_;
};

// Goes on, in the direction of the count, to a day that is open. Where the clerk's office is
// inaccessible on it, the time is extended (FRCP 6(a)(3)): onward from there, also in a backward
// count.
Result<Day> roll(Day day, ClosedDays& closed, bool backward, std::vector<std::string>& steps) {
    for (int i = 0; i < roll_limit; ++i) {
        auto why = closed.why(day);
        if (!why) {
            if (!closed.inaccessible(day)) return day;
            why = "a day on which the clerk's office is inaccessible";
            backward = false;
        }
        const Day next = backward ? day - days(1) : day + days(1);
        steps.push_back(date_text(day) + " is " + *why + ": go on to " + date_text(next));
        day = next;
    }
    return malformed("no open day within a year: check the court's calendar");
}

bool adds_service_days(const PeriodRequest& request) {
    return !request.backward && request.runs_from == "service" &&
           (request.service == "mail" || request.service == "left_with_clerk" ||
            request.service == "other_consented_means");
}

// From the day on which the period would end. FRCP 6(d) adds to a "specified time", be it days or
// hours: what is counted in hours keeps its time of day.
Result<Day> last_day(Day day, ClosedDays& closed, const PeriodRequest& request,
                     std::vector<std::string>& steps) {
    TRY_ASSIGN(day, roll(day, closed, request.backward, steps));
    if (!adds_service_days(request)) return day;
    const Day later = day + days(service_days);
    steps.push_back("service by " + request.service + ": 3 days are added: " + date_text(later) +
                    ", a " + weekday_name(later));
    return roll(later, closed, false, steps);
}

Result<PeriodResult> compute_hours(const PeriodRequest& request) {
    if (!zone_exists(request.zone)) {
        return malformed("an hour period needs the court's time zone", "/tz");
    }
    auto trigger = parse_instant(request.trigger);
    if (!trigger) return malformed("an hour period starts at an instant", "/trigger");
    const Millis span = request.period * 3'600'000;
    const Millis end = request.backward ? *trigger - span : *trigger + span;
    PeriodResult result;
    result.steps.push_back("the period begins at once: " + format_in_zone(*trigger, request.zone));
    result.steps.push_back(std::to_string(request.period) + " hours " +
                           (request.backward ? "before" : "after") +
                           " that, every hour counted: " + format_in_zone(end, request.zone));
    const std::string local = local_date(end, request.zone);
    TRY_ASSIGN(const Day day, parse_date(local));
    ClosedDays closed(request);
    TRY_ASSIGN(const Day open, last_day(day, closed, request, result.steps));
    Millis last = end;
    if (open != day) {
        // Same time of day on the last day, by the court's wall clock.
        TRY_ASSIGN(const Millis noon, parse_instant_of_person(date_text(open), request.zone, end));
        last = next_local_time(noon, local_minute_of_day(end, request.zone), request.zone) +
               end % 60'000;
        result.steps.push_back("same time on that day: " + format_in_zone(last, request.zone));
    }
    result.computed = format_in_zone(last, request.zone);
    return result;
}

Result<std::vector<Day>> weekly(const SeriesRequest& request) {
    std::vector<unsigned> wanted;
    for (const int day : request.weekdays) {
        if (day < 1 || day > 7) return malformed("weekdays are 1 (Monday) to 7", "/weekdays");
        wanted.push_back(static_cast<unsigned>(day));
    }
    if (wanted.empty()) wanted.push_back(weekday(request.start).iso_encoding());
    std::sort(wanted.begin(), wanted.end());
    std::vector<Day> all;
    const Day monday = request.start - days(weekday(request.start).iso_encoding() - 1);
    for (Day week = monday; week <= request.to; week += weeks(request.interval)) {
        for (const unsigned day : wanted) all.push_back(week + days(day - 1));
        if (all.size() > occurrence_limit * 8) break;
    }
    return all;
}

}  // namespace

Result<Day> parse_date(std::string_view text) {
    const auto number = [&](std::size_t at, std::size_t size) {
        int value = 0;
        for (const char c : text.substr(at, size)) {
            if (c < '0' || c > '9') return -1;
            value = value * 10 + (c - '0');
        }
        return value;
    };
    if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
        const int y = number(0, 4);
        const int m = number(5, 2);
        const int d = number(8, 2);
        if (y >= 1 && m >= 0 && d >= 0) {
            const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                                      day(static_cast<unsigned>(d))};
            if (date.ok()) return Day(date);
        }
    }
    return malformed("\"" + std::string(text.substr(0, 40)) + "\" is not a date (YYYY-MM-DD)");
}

std::string date_text(Day day) {
    const year_month_day date(day);
    char out[16];
    std::snprintf(out, sizeof(out), "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return out;
}

Result<Unit> unit_from(std::string_view name) {
    if (name == "hour") return Unit::Hours;
    if (name == "day") return Unit::Days;
    if (name == "week") return Unit::Weeks;
    if (name == "month") return Unit::Months;
    if (name == "year") return Unit::Years;
    return malformed("a unit is one of hour, day, week, month, year", "/unit");
}

Result<Day> add_period(Day day, std::int64_t count, Unit unit) {
    if (count > 1'000'000 || count < -1'000'000) return malformed("a period over 1,000,000");
    if (unit == Unit::Hours) return malformed("a date has no hours");
    if (unit == Unit::Days) return day + days(count);
    if (unit == Unit::Weeks) return day + weeks(count);
    const auto step = months(static_cast<int>(unit == Unit::Years ? count * 12 : count));
    year_month_day date(day);
    date += step;
    if (!date.year().ok()) return malformed("a date beyond the calendar");
    if (!date.ok()) date = date.year() / date.month() / last;
    return Day(date);
}

std::vector<Holiday> federal_holidays(int year_number) {
    const year y(year_number);
    std::vector<Holiday> all;
    const auto fixed = [&](year of, month m, unsigned d, const char* name) {
        const Day day = observed(of / m / date::day(d));
        if (year_month_day(day).year() == y) all.push_back({day, name, false});
    };
    fixed(y, January, 1, "New Year's Day");
    if (year_number >= 1986)
        all.push_back({y / January / Monday[3], "Martin Luther King's Birthday"});
    all.push_back({y / February / Monday[3], "Washington's Birthday"});
    all.push_back({y / May / Monday[last], "Memorial Day"});
    if (year_number >= 2021) fixed(y, June, 19, "Juneteenth");
    fixed(y, July, 4, "Independence Day");
    all.push_back({y / September / Monday[1], "Labor Day"});
    all.push_back({y / October / Monday[2], "Columbus Day"});
    fixed(y, November, 11, "Veterans Day");
    all.push_back({y / November / Thursday[4], "Thanksgiving Day"});
    fixed(y, December, 25, "Christmas Day");
    // A New Year's Day on a Saturday is observed on 31 December of this year.
    fixed(y + years(1), January, 1, "New Year's Day (of the next year)");
    return all;
}

Result<PeriodResult> compute_period(const PeriodRequest& request) {
    if (request.period < 0) return malformed("a period is not negative; say direction", "/period");
    if (request.unit == Unit::Hours) return compute_hours(request);
    auto trigger = parse_date(request.trigger.substr(0, 10));
    if (!trigger) return malformed("the period starts at a date", "/trigger");
    PeriodResult result;
    ClosedDays closed(request);
    const char* word = request.backward ? "before" : "after";
    TRY_ASSIGN(Day day, add_period(*trigger, request.backward ? -request.period : request.period,
                                   request.unit));
    static constexpr const char* units[] = {"hours", "days", "weeks", "months", "years"};
    result.steps.push_back("the day of the event, " + date_text(*trigger) + ", does not count");
    result.steps.push_back(
        std::to_string(request.period) + " " + units[static_cast<std::size_t>(request.unit)] + " " +
        word + " it, every day counted: " + date_text(day) + ", a " + weekday_name(day));
    TRY_ASSIGN(day, last_day(day, closed, request, result.steps));
    result.steps.push_back("the last day is " + date_text(day) + ", a " + weekday_name(day));
    result.computed = date_text(day);
    return result;
}

Result<std::vector<Day>> occurrences(const SeriesRequest& request) {
    if (request.interval < 1 || request.interval > 10'000) {
        return malformed("an interval is 1 to 10,000", "/interval");
    }
    std::vector<Day> all;
    if (request.frequency == "weekly") {
        TRY_ASSIGN(all, weekly(request));
    } else {
        const Unit unit = request.frequency == "daily"     ? Unit::Days
                          : request.frequency == "monthly" ? Unit::Months
                          : request.frequency == "yearly"  ? Unit::Years
                                                           : Unit::Hours;
        if (unit == Unit::Hours) {
            return malformed("frequency is daily, weekly, monthly or yearly", "/frequency");
        }
        for (std::int64_t i = 0; i < 1'000'000; i += request.interval) {
            TRY_ASSIGN(const Day day, add_period(request.start, i, unit));
            if (day > request.to) break;
            // RFC 5545: a month that lacks the day has no occurrence.
            const bool clamped = unit != Unit::Days &&
                                 year_month_day(day).day() != year_month_day(request.start).day();
            if (!clamped) all.push_back(day);
        }
    }
    std::erase_if(all, [&](Day day) {
        return day < request.start || day < request.from || day > request.to ||
               (request.until && day > *request.until) ||
               std::find(request.except.begin(), request.except.end(), day) != request.except.end();
    });
    if (all.size() > occurrence_limit) return malformed("a series of over 10,000 dates");
    return all;
}

}  // namespace dutybook::worker
