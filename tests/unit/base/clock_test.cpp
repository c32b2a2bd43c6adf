#include "base/clock.h"

#include <doctest/doctest.h>

using namespace dutybook;

namespace {

const std::string detroit = "America/Detroit";

Millis at(std::string_view text) {
    const auto result = parse_instant(text);
    REQUIRE_MESSAGE(result, std::string(text));
    return *result;
}

Millis person(std::string_view text, std::string_view now) {
    const auto result = parse_instant_of_person(text, detroit, at(now));
    REQUIRE_MESSAGE(result, std::string(text));
    return *result;
}

}  // namespace

TEST_CASE("InstantsRoundTrip") {
    CHECK(format_utc(0) == "1970-01-01T00:00:00Z");
    CHECK(format_utc(1) == "1970-01-01T00:00:00.001Z");
    CHECK(format_utc(-1) == "1969-12-31T23:59:59.999Z");
    for (const char* text : {"2026-05-04T08:00:00Z", "2024-02-29T23:59:59.120Z",
                             "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"}) {
        CHECK(
            format_utc(at(text)) ==
            (std::string(text) == "2024-02-29T23:59:59.120Z" ? "2024-02-29T23:59:59.120Z" : text));
    }
    CHECK(at("2026-05-04T08:00:00-04:00") == at("2026-05-04T12:00:00Z"));
    CHECK(at("2026-05-04T08:00:00.1239+05:30") == at("2026-05-04T02:30:00.123Z"));
    CHECK(at("2026-05-04t08:00:00z") == at("2026-05-04T08:00:00Z"));
}

TEST_CASE("ImpossibleInstantsAreRefused") {
    for (const char* text :
         {"", "2026-05-04", "2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-04-31T00:00:00Z",
          "2026-05-04T24:00:00Z", "2026-06-30T23:59:60Z", "2026-05-04T08:00Z",
          "2026-05-04T08:00:00", "2026-05-04T08:00:00+24:00", "2026-05-04T08:00:00.Z",
          "2026-05-04T08:00:00Zx", "+2026-05-04T08:00:00Z", "2026-05-04T08:60:00Z"}) {
        CHECK_MESSAGE(!parse_instant(text), text);
    }
}

TEST_CASE("clocks change beyond the tables of zone files, too") {
    const std::string york = "America/New_York";
    for (const char* year : {"2037", "2038", "2041", "2044", "2060"}) {
        const std::string y = year;
        CHECK(format_in_zone(at(y + "-07-01T12:00:00Z"), york) == y + "-07-01T08:00:00-04:00");
        CHECK(format_in_zone(at(y + "-01-15T12:00:00Z"), york) == y + "-01-15T07:00:00-05:00");
    }
    // The second Sunday of March 2041 is the tenth.
    CHECK(format_in_zone(at("2041-03-10T06:59:00Z"), york) == "2041-03-10T01:59:00-05:00");
    CHECK(format_in_zone(at("2041-03-10T07:00:00Z"), york) == "2041-03-10T03:00:00-04:00");
    CHECK(*parse_instant_of_person("2041-07-01T08:00", york, 0) == at("2041-07-01T12:00:00Z"));
}

TEST_CASE("ZonesAndDates") {
    CHECK(format_in_zone(at("2026-05-04T12:00:00Z"), detroit) == "2026-05-04T08:00:00-04:00");
    CHECK(format_in_zone(at("2026-01-04T12:00:00Z"), detroit) == "2026-01-04T07:00:00-05:00");
    CHECK(format_in_zone(at("2026-01-04T12:00:00Z"), "Asia/Kolkata") ==
          "2026-01-04T17:30:00+05:30");
    CHECK(format_in_zone(at("2026-01-04T12:00:00Z"), "No/Where") == "2026-01-04T12:00:00Z");
    CHECK(local_date(at("2026-05-04T02:00:00Z"), detroit) == "2026-05-03");
    CHECK(local_minute_of_day(at("2026-05-04T12:30:00Z"), detroit) == 8 * 60 + 30);
    CHECK(zone_exists(detroit));
    CHECK_FALSE(zone_exists("No/Where"));
    CHECK_FALSE(zone_exists(""));
    CHECK(zone_exists(system_zone()));
}

TEST_CASE("PeopleWriteLocalTimes") {
    const char* now = "2026-05-04T01:00:00Z";  // still the third in Detroit
    CHECK(person("now", now) == at(now));
    CHECK(person("14:30", now) == at("2026-05-03T18:30:00Z"));
    CHECK(person("2026-05-04", now) == at("2026-05-04T04:00:00Z"));
    CHECK(person("2026-05-04T14:30", now) == at("2026-05-04T18:30:00Z"));
    CHECK(person("2026-05-04T14:30:15", now) == at("2026-05-04T18:30:15Z"));
    CHECK(person("2026-05-04T14:30:00Z", now) == at("2026-05-04T14:30:00Z"));
    // Skipped by the clocks: the instant of the jump. Shown twice: the first.
    CHECK(person("2026-03-08T02:30", now) == at("2026-03-08T07:00:00Z"));
    CHECK(person("2026-11-01T01:30", now) == at("2026-11-01T05:30:00Z"));
    for (const char* text : {"", "noon", "25:00", "2026-02-30", "14:30 "}) {
        CHECK_MESSAGE(!parse_instant_of_person(text, detroit, 0), text);
    }
}

TEST_CASE("NextLocalTimeHoldsAcrossClockChanges") {
    const auto next = [](std::string_view from, int minute) {
        return format_utc(next_local_time(at(from), minute, detroit));
    };
    CHECK(next("2026-05-04T12:00:00Z", 22 * 60) == "2026-05-05T02:00:00Z");
    CHECK(next("2026-05-05T02:00:00Z", 22 * 60) == "2026-05-05T02:00:00Z");
    CHECK(next("2026-05-05T02:00:00.001Z", 22 * 60) == "2026-05-06T02:00:00Z");
    CHECK(next("2026-03-08T06:00:00Z", 150) == "2026-03-08T07:00:00Z");  // 02:30 is skipped
    CHECK(next("2026-11-01T05:00:00Z", 90) == "2026-11-01T05:30:00Z");   // 01:30, first
    CHECK(next("2026-11-01T05:31:00Z", 90) == "2026-11-01T06:30:00Z");   // 01:30, second
}
