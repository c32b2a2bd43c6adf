#include "rules/duration.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::rules;

namespace {

std::string date_of(const char* text, const char* duration, End end, bool back = false) {
    Duration moved = *parse_duration(duration);
    if (back) moved = -moved;
    return bound_of(text, moved, end)->date;
}

}  // namespace

TEST_CASE("durations are read as ISO 8601 says") {
    CHECK(*parse_duration("PT24H") == Duration{0, 0, 86'400'000});
    CHECK(*parse_duration("P1Y6M2W3DT4H5M6S") == Duration{18, 17, 14'706'000});
    for (const char* wrong : {"", "P", "PT", "24H", "P1", "P1H", "PT1D", "P1D1Y", "P-1D", "P1.5D",
                              "P1DT", "p1d", "P1D ", "P9999999D", "P999999Y", "P1D1D"}) {
        CAPTURE(wrong);
        CHECK(!parse_duration(wrong).has_value());
    }
}

TEST_CASE("dates move by the calendar, instants by elapsed time") {
    CHECK(date_of("2026-01-31", "P1M", End::From) == "2026-02-28");
    CHECK(date_of("2024-02-29", "P1Y", End::From) == "2025-02-28");
    CHECK(date_of("2026-03-01", "P30D", End::From, true) == "2026-01-30");
    CHECK(date_of("2026-03-01", "PT36H", End::To) == "2026-03-03");
    CHECK(date_of("2026-03-01", "PT36H", End::From) == "2026-03-02");
    const auto bound = bound_of("2026-03-08T01:00:00-05:00", *parse_duration("PT24H"), End::From);
    CHECK(format_utc(bound->instant) == "2026-03-09T06:00:00Z");
    CHECK_FALSE(bound_of("tomorrow", {}, End::From).has_value());
}

TEST_CASE("between a date and an instant the range is wide enough for every zone") {
    const auto from = bound_of("2026-03-08", {}, End::From);
    const auto to = bound_of("2026-03-08", {}, End::To);
    CHECK(from->instant <= *parse_instant("2026-03-08T00:00:00+14:00"));
    CHECK(to->instant >= *parse_instant("2026-03-08T23:59:59-12:00"));
    CHECK(bound_of("2026-03-08T05:00:00Z", {}, End::From)->date == "2026-03-07");
    CHECK(bound_of("2026-03-08T20:00:00Z", {}, End::To)->date == "2026-03-09");
}

TEST_CASE("moving back is wide where months have other lengths") {
    const Duration month = *parse_duration("P1M");
    // 31 January and 28 January both come to 28 February.
    CHECK(bound_before("2026-02-28", month, End::From)->date <= "2026-01-28");
    CHECK(bound_before("2026-02-28", month, End::To)->date >= "2026-01-31");
}
