#include "sync/schedule.h"

#include <doctest/doctest.h>

#include <set>

using namespace dutybook;
using namespace dutybook::sync;

namespace {

constexpr Millis minute = 60'000;
const Window detroit{22 * 60, 5 * 60, "America/Detroit"};

Millis at(const std::string& text) {
    const auto instant = parse_instant(text);
    REQUIRE(instant);
    return *instant;
}

RemoteConfig with_window(const std::string& from, const std::string& to,
                         const std::string& zone = "America/Detroit") {
    RemoteConfig remote{"hub", "/srv/hub", from, to, zone, 60'000, false};
    return remote;
}

}  // namespace

TEST_CASE("windows are read strictly") {
    CHECK_FALSE(window_of(with_window("", ""))->has_value());
    const auto window = window_of(with_window("22:00", "05:30"));
    REQUIRE(window);
    CHECK((*window)->from == 22 * 60);
    CHECK((*window)->to == 5 * 60 + 30);
    for (const auto& [from, to] : {std::pair{"22", "05:00"},
                                   {"24:00", "05:00"},
                                   {"22:60", "05:00"},
                                   {"22:00", ""},
                                   {"22:00", "22:00"},
                                   {"+2:00", "05:00"}}) {
        CAPTURE(from);
        CHECK_FALSE(window_of(with_window(from, to)));
    }
    CHECK_FALSE(window_of(with_window("22:00", "05:00", "Mars/Olympus")));
}

TEST_CASE("a night is found before, in and after it, and over midnight") {
    // 22:00 in Detroit is 02:00 UTC in summer.
    for (const char* now :
         {"2026-06-11T02:00:00Z", "2026-06-11T05:00:00Z", "2026-06-11T20:00:00Z"}) {
        CAPTURE(now);
        const Night night = latest_night(detroit, at(now));
        CHECK(format_utc(night.start) == "2026-06-11T02:00:00Z");
        CHECK(format_utc(night.end) == "2026-06-11T09:00:00Z");
    }
    CHECK(format_utc(next_night(detroit, at("2026-06-11T05:00:00Z")).start) ==
          "2026-06-12T02:00:00Z");
    CHECK(format_utc(next_night(detroit, at("2026-06-11T02:00:00Z")).start) ==
          "2026-06-12T02:00:00Z");
}

TEST_CASE("nights across a change of the clocks") {
    // In the night to 2026-03-08 Detroit goes from -5 to -4.
    const Night night = latest_night(detroit, at("2026-03-08T05:00:00Z"));
    CHECK(format_utc(night.start) == "2026-03-08T03:00:00Z");
    CHECK(format_utc(night.end) == "2026-03-08T09:00:00Z");
    const Window inside{2 * 60 + 30, 4 * 60, "America/Detroit"};  // 02:30 does not exist that day
    CHECK(latest_night(inside, at("2026-03-08T07:30:00Z")).end > at("2026-03-08T07:00:00Z"));
}

TEST_CASE("sites begin at different moments of the first half, each at its own") {
    const Night night{1'000'000'000'000, 1'000'000'000'000 + 7 * 60 * minute};
    std::set<Millis> moments;
    for (int site = 0; site < 50; ++site) {
        const std::string salt = "site " + std::to_string(site);
        const Millis moment = beginning(night, salt);
        CHECK(moment == beginning(night, salt));
        CHECK(moment >= night.start);
        CHECK(moment < night.start + 30 * minute);
        moments.insert(moment);
    }
    CHECK(moments.size() > 40);
    const Night brief{night.start, night.start + 10 * minute};
    CHECK(beginning(brief, "x") < brief.start + 5 * minute);
}

TEST_CASE("due once a night, retried with growing pauses, and not after the night") {
    const Millis start = at("2026-06-11T02:00:00Z");
    const Millis begin = beginning({start, start + 7 * 60 * minute}, "s");
    Attempts attempts;
    attempts.added = start - 1000 * minute;
    CHECK(due_at(detroit, attempts, "s", start + minute) == begin);

    attempts.last_attempt = begin;
    attempts.failures = 1;
    CHECK(due_at(detroit, attempts, "s", begin + 1) == begin + minute);
    attempts.failures = 3;
    CHECK(due_at(detroit, attempts, "s", begin + 1) == begin + 4 * minute);
    attempts.failures = 60;
    CHECK(due_at(detroit, attempts, "s", begin + 1) == begin + 30 * minute);

    attempts.last_attempt = start + (7 * 60 - 5) * minute;
    CHECK(due_at(detroit, attempts, "s", attempts.last_attempt + 1) >= at("2026-06-12T02:00:00Z"));

    attempts.last_success = begin + minute;
    CHECK(due_at(detroit, attempts, "s", begin + 2 * minute) >= at("2026-06-12T02:00:00Z"));
    CHECK(due_at(detroit, attempts, "s", at("2026-06-12T02:00:00Z")) < at("2026-06-12T02:31:00Z"));

    // Outside of the night nothing is due, even if it was missed.
    CHECK(due_at(detroit, {}, "s", at("2026-06-11T15:00:00Z")) >= at("2026-06-12T02:00:00Z"));
}

TEST_CASE("a missed night is told from its end until a success") {
    Attempts attempts;
    attempts.added = at("2026-06-10T12:00:00Z");
    CHECK_FALSE(missed_night(detroit, attempts, at("2026-06-10T20:00:00Z")));
    CHECK_FALSE(missed_night(detroit, attempts, at("2026-06-11T05:00:00Z")));
    CHECK(missed_night(detroit, attempts, at("2026-06-11T09:00:00Z")));
    CHECK(missed_night(detroit, attempts, at("2026-06-12T05:00:00Z")));  // in the next one
    attempts.last_success = at("2026-06-11T15:00:00Z");                  // by hand, next day
    CHECK_FALSE(missed_night(detroit, attempts, at("2026-06-11T16:00:00Z")));
    CHECK(missed_night(detroit, attempts, at("2026-06-12T10:00:00Z")));
    attempts.added = at("2026-06-12T08:00:00Z");  // that night it was not there from the beginning
    CHECK_FALSE(missed_night(detroit, attempts, at("2026-06-12T10:00:00Z")));
}
