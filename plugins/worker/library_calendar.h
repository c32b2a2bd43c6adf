#pragma once
// Calendar dates, holidays and legal periods. Dates are days; what depends on a clock is in
// base/clock.h.

#include "base/clock.h"
#include "base/result.h"

#include <date/date.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::worker {

using Day = date::sys_days;

Result<Day> parse_date(std::string_view text);  // YYYY-MM-DD, a real date
std::string date_text(Day day);

enum class Unit : std::uint8_t { Hours, Days, Weeks, Months, Years };
Result<Unit> unit_from(std::string_view name);
// Months and years clamp to the month's last day (31 Jan + 1 month = 28 Feb). No hours.
Result<Day> add_period(Day day, std::int64_t count, Unit unit);

struct Holiday {
    Day day;  // observed
    std::string name;
    bool forward_only = false;  // state holidays count only for periods after an event
};
// The eleven federal holidays (5 USC 6103(a)) that are observed in the year's weekdays: Saturday's
// on the Friday before (which may lie in the old year), Sunday's on the Monday after (EO 11582).
// Juneteenth from 2021, Martin Luther King's from 1986.
std::vector<Holiday> federal_holidays(int year);

struct PeriodRequest {
    std::string trigger;  // date, or instant for hours
    std::int64_t period = 0;
    Unit unit = Unit::Days;
    bool backward = false;
    std::string runs_from;          // service, entry, event
    std::string service;            // none personal ecf mail left_with_clerk other_consented_means
    std::string zone;               // of the court; needed for hours
    std::vector<Holiday> holidays;  // of the court, beside the federal ones
    std::vector<Day> inaccessible;  // the clerk's office is closed: the time is extended
};
struct PeriodResult {
    std::string computed;            // date, or instant for hours
    std::vector<std::string> steps;  // for people, in English
};
// FRCP 6(a), (c), (d). Mail and its kin: roll, add three days, roll again; only after an event and
// only for periods that run from service.
Result<PeriodResult> compute_period(const PeriodRequest& request);

struct SeriesRequest {
    Day from, to;  // window, both inclusive
    Day start;     // of the series
    std::optional<Day> until;
    std::string frequency;  // daily weekly monthly yearly
    int interval = 1;
    std::vector<int> weekdays;  // 1 = Monday ... 7; weekly only, empty = the start's
    std::vector<Day> except;
};
// At most 10,000 dates.
Result<std::vector<Day>> occurrences(const SeriesRequest& request);

}  // namespace dutybook::worker
