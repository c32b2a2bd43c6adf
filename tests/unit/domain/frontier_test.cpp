#include "domain/frontier.h"

#include "domain/digest.h"
#include "domain/hlc.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::domain;

TEST_CASE("AFrontierOnlyAdvances") {
    Frontier frontier;
    frontier.advance("aaa-1", 5, "");
    frontier.advance("aaa-1", 3, "c3");
    CHECK(frontier.seq_of("aaa-1") == 5);
    CHECK(frontier.contains({"aaa-1", 5}));
    CHECK_FALSE(frontier.contains({"aaa-1", 6}));
    CHECK_FALSE(frontier.contains({"bbb-1", 1}));
    frontier.advance("aaa-1", 5, "c5");
    CHECK(frontier.entries().at("aaa-1").segment == "c5");
    frontier.advance("bbb-1", 0, "");
    CHECK(frontier.entries().size() == 1);

    Frontier other;
    other.advance("aaa-1", 4, "c4");
    other.advance("ccc-1", 1, "c1");
    other.merge(frontier);
    frontier.merge(other);
    CHECK(frontier == other);
    CHECK(frontier.seq_of("ccc-1") == 1);
}

TEST_CASE("AFrontierIsCanonicalText") {
    Frontier frontier;
    CHECK(frontier.text() == "{}");
    frontier.advance("bbb-1", 2, "");
    frontier.advance("aaa-1", 5, "c5");
    CHECK(frontier.text() == R"({"aaa-1":[5,"c5"],"bbb-1":[2,""]})");
    CHECK(*Frontier::parse(frontier.text()) == frontier);
    CHECK(Frontier::parse("{}")->empty());
    for (const char* text :
         {"", "[]", "{", R"({"aaa":[1,""]})", R"({"aaa-1":[0,""]})", R"({"aaa-1":[1]})",
          R"({"aaa-1":["1",""]})", R"({"aaa-1":[1,2]})", R"({"aaa-1":[1.5,""]})",
          R"({"aaa-1":[1,""],"aaa-1":[2,""]})", R"({"aaa-1":[-1,""]})"}) {
        CHECK_MESSAGE(!Frontier::parse(text), text);
    }
}

TEST_CASE("TheClockNeverGoesBackAndIsNotDraggedAhead") {
    HybridClock clock;
    CHECK(clock.tick(100) == Hlc{100, 0});
    CHECK(clock.tick(100) == Hlc{100, 1});
    CHECK(clock.tick(50) == Hlc{100, 2});
    clock.observe({100 + HybridClock::max_ahead, 9}, 100);
    CHECK(clock.tick(100) == Hlc{100 + HybridClock::max_ahead, 10});
    clock.observe({100 + HybridClock::max_ahead + 1, 0}, 100);  // too far ahead: not ours
    CHECK(clock.last() == Hlc{100 + HybridClock::max_ahead, 10});
    clock.observe({1, 0}, 100);
    CHECK(clock.last() == Hlc{100 + HybridClock::max_ahead, 10});
    clock.restore({1, 0});
    CHECK(clock.last().ms == 100 + HybridClock::max_ahead);
    HybridClock full;
    full.restore({5, 4294967295u});
    CHECK(full.tick(1) == Hlc{6, 0});
}

TEST_CASE("ADigestIsASetsSum") {
    const Hash x = blake2b("x"), y = blake2b("y");
    Hash most;
    most.fill(0xff);
    Digest a, b;
    a.add(x);
    a.add(most);
    a.add(y);
    b.add(y);
    b.add(x);
    CHECK(a != b);
    a.remove(most);
    CHECK(a == b);
    CHECK(a.text().size() == 66);
    CHECK(a.text().substr(0, 2) == "1:");
    CHECK(*Digest::parse(a.text()) == a);
    a.remove(x);
    a.remove(y);
    CHECK(a == Digest{});
    CHECK(Digest{}.text() == "1:" + std::string(64, '0'));
    for (std::string text :
         {std::string(), "2:" + std::string(64, '0'), "1:" + std::string(63, '0'),
          "1:" + std::string(64, 'g'), "1:" + std::string(64, 'A')}) {
        CHECK_MESSAGE(!Digest::parse(text), text);
    }
    CHECK(operation_hash({"a-b", 1}, "1") != operation_hash({"a-b", 11}, ""));
}
