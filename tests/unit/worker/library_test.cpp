#include "worker/library_calendar.h"
#include "worker/library_decimal.h"
#include "worker/library_names.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::worker;

namespace {

std::string due(PeriodRequest request) {
    const auto result = compute_period(request);
    return result ? result->computed : result.error().text();
}
PeriodRequest days(const char* trigger, int period) {
    PeriodRequest request;
    request.trigger = trigger;
    request.period = period;
    request.runs_from = "service";
    request.service = "personal";
    return request;
}
PeriodRequest before(PeriodRequest request) {
    request.backward = true;
    return request;
}
PeriodRequest by_mail(PeriodRequest request) {
    request.service = "mail";
    return request;
}
PeriodRequest hours(const char* trigger, int period) {
    PeriodRequest request = days(trigger, period);
    request.unit = Unit::Hours;
    request.zone = "America/New_York";
    return request;
}
Decimal dec(const char* text) {
    return *Decimal::parse(text);
}

}  // namespace

TEST_CASE("a last day on a holiday moves to the next open day (FRCP 6(a)(1))") {
    CHECK(due(days("2026-05-04", 21)) == "2026-05-26");
    CHECK(due(days("2026-05-04", 20)) == "2026-05-26");  // a Sunday before Memorial Day
    CHECK(due(days("2026-05-04", 22)) == "2026-05-26");
    CHECK(due(days("2026-03-02", 7)) == "2026-03-09");  // short periods count every day
}

TEST_CASE("backward periods go on backward (FRCP 6(a)(5))") {
    CHECK(due(before(days("2026-03-02", 14))) == "2026-02-13");
    CHECK(due(before(days("2026-07-10", 7))) == "2026-07-02");
}

TEST_CASE("service by mail rolls, adds three days and rolls again (FRCP 6(d))") {
    CHECK(due(by_mail(days("2026-08-21", 14))) == "2026-09-08");
    CHECK(due(by_mail(before(days("2026-03-02", 14)))) == "2026-02-13");
    PeriodRequest entry = by_mail(days("2026-08-21", 14));
    entry.runs_from = "entry";
    CHECK(due(entry) == "2026-09-04");
}

TEST_CASE("hours are elapsed and keep their minute over a weekend and a clock change") {
    CHECK(due(hours("2026-10-30T09:00:00-04:00", 72)) == "2026-11-02T08:00:00-05:00");
    CHECK(due(hours("2026-10-29T09:17:00-04:00", 72)) == "2026-11-02T08:17:00-05:00");
    PeriodRequest nowhere = hours("2026-10-30T09:00:00-04:00", 72);
    nowhere.zone = "";
    CHECK(due(nowhere).find("time zone") != std::string::npos);
}

TEST_CASE("hours by mail get three days too, at the same time of day (FRCP 6(d))") {
    CHECK(due(by_mail(hours("2026-06-01T10:00:00-04:00", 48))) == "2026-06-08T10:00:00-04:00");
    CHECK(due(by_mail(hours("2026-10-29T09:00:00-04:00", 24))) == "2026-11-02T09:00:00-05:00");
    PeriodRequest entry = by_mail(hours("2026-06-01T10:00:00-04:00", 48));
    entry.runs_from = "entry";
    CHECK(due(entry) == "2026-06-03T10:00:00-04:00");
}

TEST_CASE("state holidays count forward only, an inaccessible office extends the time") {
    PeriodRequest request = days("2026-03-10", 7);
    request.holidays.push_back({*parse_date("2026-03-17"), "Evacuation Day", true});
    CHECK(due(request) == "2026-03-18");
    PeriodRequest back = before(days("2026-03-24", 7));
    back.holidays = request.holidays;
    CHECK(due(back) == "2026-03-17");
    PeriodRequest snow = days("2026-03-10", 8);
    snow.inaccessible.push_back(*parse_date("2026-03-18"));
    CHECK(due(snow) == "2026-03-19");
    // FRCP 6(a)(3): extended onward, also where the count went backward.
    PeriodRequest storm = before(days("2026-02-09", 14));
    storm.inaccessible = {*parse_date("2026-01-26"), *parse_date("2026-01-27")};
    CHECK(due(storm) == "2026-01-28");
}

TEST_CASE("federal holidays are on their observed day, in the right year") {
    const auto has = [](int year, const char* day) {
        for (const Holiday& holiday : federal_holidays(year)) {
            if (date_text(holiday.day) == day) return true;
        }
        return false;
    };
    CHECK(has(2026, "2026-07-03"));
    CHECK(has(2021, "2021-12-31"));  // New Year's Day 2022 was a Saturday
    CHECK_FALSE(has(2022, "2022-01-01"));
    CHECK_FALSE(has(2020, "2020-06-19"));
    CHECK(has(2027, "2027-06-18"));
    CHECK(federal_holidays(2026).size() == 11);
}

TEST_CASE("months clamp to the last day") {
    CHECK(date_text(*add_period(*parse_date("2027-01-31"), 1, Unit::Months)) == "2027-02-28");
    CHECK(date_text(*add_period(*parse_date("2024-02-29"), 1, Unit::Years)) == "2025-02-28");
    CHECK_FALSE(parse_date("2023-02-29"));
}

TEST_CASE("series skip dates that a month lacks and dates that are excepted") {
    SeriesRequest request;
    request.start = *parse_date("2026-01-31");
    request.from = request.start;
    request.to = *parse_date("2026-05-31");
    request.frequency = "monthly";
    const auto monthly = occurrences(request);
    REQUIRE(monthly);
    CHECK(monthly->size() == 3);  // January, March, May
    request.start = request.from = *parse_date("2026-09-07");
    request.to = *parse_date("2026-09-20");
    request.frequency = "weekly";
    request.weekdays = {1, 3};
    request.except = {*parse_date("2026-09-09")};
    const auto weekly = occurrences(request);
    REQUIRE(weekly);
    CHECK(weekly->size() == 3);
}

TEST_CASE("decimals are exact") {
    CHECK((dec("0.1") + dec("0.1") + dec("0.1")).compare(dec("0.3")) == 0);
    CHECK((dec("0.10") + dec("0.2")).text() == "0.30");
    CHECK((dec("0.6") * dec("110.00") - dec("5.00")).text() == "61.000");
    CHECK(dec("120").divided_by(dec("32"), 4, Rounding::HalfUp)->text() == "3.7500");
    CHECK(dec("2.5").rounded(0, Rounding::HalfEven).text() == "2");
    CHECK(dec("-2.5").rounded(0, Rounding::HalfUp).text() == "-3");
    CHECK(dec("0.3167").rounded_to(dec("0.1"), Rounding::Up)->text() == "0.4");
    CHECK_FALSE(dec("1").divided_by(dec("0.00"), 2, Rounding::Up));
    for (const char* wrong : {"", "-", "1.", ".5", "1e3", "0x1", " 1", "1,5"}) {
        CHECK_FALSE(Decimal::parse(wrong));
    }
}

TEST_CASE("names fold as people compare them") {
    CHECK(fold_name("Zoë O'Hara Jr.") == fold_name("Zoe OHara"));
    CHECK(fold_name("Anne-Marie  Dupont") == fold_name("ANNEMARIE DUPONT"));
    CHECK(fold_name("Li") != fold_name("Lu"));
    CHECK(fold_company("Baker & Sons, Inc.") == fold_company("Baker and Sons"));
    CHECK(fold_company("The Hartford Co.") == fold_company("Hartford"));
    CHECK(fold_company("Inc.") == "inc");
}
