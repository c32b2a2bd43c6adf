#include "site_fixture.h"

using namespace dutybook;
using namespace dutybook::testing;
using core::Action;

namespace {

void seal_all(TestSite& site) {
    core::SpaceEngine::Seal all;
    all.force = true;
    REQUIRE(site.engine().seal(all).has_value());
}

}  // namespace

TEST_CASE("apart, two fields of one record: both hold and nothing is a conflict") {
    TestSite a("aaaa"), b("bbbb");
    write(a, create("core.duty", duty("x"), "d1"));
    exchange(a, b);
    write(a, patch("d1", {{"title", "y"}}));
    write(b, patch("d1", {{"priority", "high"}}));
    exchange(a, b);
    CHECK(a.digest() == b.digest());
    const auto state = shown(b, "d1");
    CHECK(state.fields.at("title") == R"("y")");
    CHECK(state.fields.at("priority") == R"("high")");
    CHECK(state.conflicts.empty());
}

TEST_CASE("apart, one field: one value is shown, both are kept until somebody settles it") {
    TestSite a("aaaa"), b("bbbb");
    write(a, create("core.duty", duty("x"), "d1"));
    exchange(a, b);
    write(a, patch("d1", {{"priority", "low"}}));
    b.clock().advance(1000);
    write(b, patch("d1", {{"priority", "high"}}));
    exchange(a, b);
    CHECK(a.digest() == b.digest());
    REQUIRE(shown(a, "d1").conflicts.size() == 1);
    CHECK(shown(a, "d1").conflicts[0].values.size() == 2);
    CHECK(shown(a, "d1").fields.at("priority") == R"("high")");
    CHECK(write(a, resolve("d1", "priority", "high")).wrote);
    CHECK(shown(a, "d1").conflicts.empty());
    exchange(a, b);
    CHECK(shown(b, "d1").conflicts.empty());
    CHECK(a.digest() == b.digest());
    CHECK_FALSE(write(b, resolve("d1", "priority", "high")).wrote);
    CHECK(refused(b, resolve("d1", "priority", "low")).code == Code::Conflict);
}

TEST_CASE("setting a field to the value it shows settles its conflict") {
    TestSite a("aaaa"), b("bbbb");
    write(a, create("core.duty", duty("x"), "d1"));
    exchange(a, b);
    write(a, patch("d1", {{"priority", "low"}}));
    write(b, patch("d1", {{"priority", "high"}}));
    exchange(a, b);
    const auto value = Json::parse(shown(a, "d1").fields.at("priority"));
    CHECK(write(a, patch("d1", {{"priority", value}})).wrote);
    CHECK(shown(a, "d1").conflicts.empty());
}

TEST_CASE("delete against edit keeps the record, listed, until one command settles it") {
    TestSite a("aaaa"), b("bbbb");
    write(a, create("core.duty", duty("x"), "d1"));
    write(a, create("core.duty", duty("y"), "d2"));
    exchange(a, b);
    for (const char* id : {"d1", "d2"}) {
        write(a, act(Action::Delete, id));
        write(b, patch(id, {{"title", "z"}}));
    }
    exchange(a, b);
    REQUIRE(shown(a, "d1").conflicts.size() == 1);
    CHECK(shown(a, "d1").conflicts[0].field == "@record");
    CHECK_FALSE(shown(a, "d1").deleted);
    write(a, resolve("d1", "@record", "keep"));
    write(b, resolve("d2", "@record", "delete"));
    exchange(a, b);
    CHECK(a.digest() == b.digest());
    CHECK(shown(b, "d1").conflicts.empty());
    CHECK(shown(a, "d2").deleted);
    CHECK(refused(a, resolve("d1", "@record", "perhaps")).pointer == "/value");
}

TEST_CASE("sets and counters merge without a conflict") {
    TestSite a("aaaa"), b("bbbb");
    write(a, create("core.duty", duty("x"), "d1"));
    write(a, create("core.need", {{"text", "chair"}}, "n1"));
    exchange(a, b);
    write(a, patch("d1", {{"tags", {{"$add", {"x"}}}}}));
    write(b, patch("d1", {{"tags", {{"$add", {"y"}}}}}));
    write(a, patch("n1", {{"times_seen", {{"$increment", 1}}}}));
    write(b, patch("n1", {{"times_seen", {{"$increment", 1}}}}));
    exchange(a, b);
    CHECK(shown(a, "d1").fields.at("tags") == R"(["x","y"])");
    CHECK(shown(b, "n1").fields.at("times_seen") == "2");
    CHECK(a.digest() == b.digest());
}

TEST_CASE("a clock that is years ahead hides no later, informed change and drags nobody along") {
    TestSite a("aaaa"), b("bbbb");
    b.clock().advance(Millis{10} * 365 * 24 * 3600 * 1000);
    write(b, create("core.duty", duty("x"), "d1"));
    a.pull_from(b);
    const auto written = write(a, patch("d1", {{"title", "known"}}));
    CHECK(written.record.state.changed_at <= b.clock().now());
    exchange(a, b);
    CHECK(shown(b, "d1").fields.at("title") == R"("known")");
    const auto rows = a.index().reader().operations("d1");
    REQUIRE(rows.has_value());
    CHECK(rows->back().operation.hlc.ms < a.clock().now() + 10 * 60 * 1000);
}

TEST_CASE("the frontier claims only what has been folded") {
    TestSite a("aaaa"), b("bbbb");
    write(a, create("core.duty", duty("x"), "d1"));
    seal_all(a);
    b.take_over_from(a);
    CHECK(b.engine().frontier().seq_of(a.engine().writer()) == 0);
    b.fold_all();
    CHECK(b.engine().frontier().seq_of(a.engine().writer()) == 1);
}

TEST_CASE("received operations are folded in slices, each resumable after a crash") {
    TestSite a("aaaa", {.operations = 50}), b("bbbb");
    std::vector<core::WriteRequest> many;
    for (int i = 0; i < 400; ++i) many.push_back(create("core.duty", duty(std::to_string(i))));
    for (const auto& result : a.engine().write(many)) REQUIRE(result.has_value());
    seal_all(a);
    b.take_over_from(a);
    const auto first = b.engine().fold_received(100);
    REQUIRE(first.has_value());
    CHECK(first->more);
    CHECK(first->operations >= 100);
    CHECK(first->operations < 400);
    b.restart();
    b.fold_all();
    CHECK(a.digest() == b.digest());
}

TEST_CASE("peers: what they hold of ours, and when they will be heard again") {
    TestSite a("aaaa"), b("bbbb");
    write(a, create("core.duty", duty("x"), "d1"));
    b.pull_from(a);
    core::SpaceEngine::Seal receipt;
    receipt.receipt = true;
    receipt.next_heard = b.clock().now() + 86'400'000;
    const auto sealed = b.engine().seal(receipt);
    REQUIRE(sealed.has_value());
    CHECK(*sealed == 1);
    CHECK(*b.engine().seal(receipt) == 0);  // once is enough
    a.pull_from(b);
    const auto peers = a.engine().peers();
    REQUIRE(peers.size() == 1);
    CHECK(peers[0].site == "bbbb");
    CHECK(peers[0].holds_of_ours == 1);
    CHECK(peers[0].next_heard == receipt.next_heard);
    CHECK(*a.engine().seal(receipt) == 1);  // it has not said yet when it will be heard again
    CHECK(*a.engine().seal(receipt) == 0);
    b.pull_from(a);
    CHECK(*b.engine().seal(receipt) == 0);  // a receipt is not answered with a receipt
}

namespace {

void add_duties(TestSite& site, int first, int count) {
    std::vector<core::WriteRequest> requests;
    for (int i = first; i < first + count; ++i) {
        requests.push_back(create("core.duty", duty("x"), "d" + std::to_string(i)));
    }
    for (const auto& one : site.engine().write(requests)) REQUIRE(one.has_value());
    seal_all(site);
}

std::uint64_t records_shown(TestSite& site) {
    return site.index().reader().counts()->records;
}

}  // namespace

TEST_CASE("a large load is folded while more of it is fetched, as one") {
    TestSite author("aaaa"), joiner("bbbb", {}, 100);
    add_duties(author, 0, 80);
    joiner.take_over_from(author);
    joiner.engine().arrived(true);
    CHECK(joiner.engine().may_fold_arrived());
    joiner.fold_all();
    CHECK_FALSE(joiner.engine().may_fold_arrived());
    CHECK(records_shown(joiner) == 0);  // too little to begin with

    for (int part = 1; part < 4; ++part) {
        add_duties(author, part * 80, 80);
        joiner.take_over_from(author);
        joiner.engine().arrived(true);
        joiner.fold_all();
        CHECK(joiner.engine().frontier().empty());  // until the end nothing of it is shown
        CHECK(records_shown(joiner) == static_cast<std::uint64_t>(80 * (part + 1)));
    }
    write(author, patch("d7", {{"title", "changed"}}));
    seal_all(author);
    joiner.take_over_from(author);
    joiner.engine().arrived(false);
    joiner.fold_all();
    CHECK(joiner.digest() == author.digest());
    CHECK(joiner.engine().frontier().seq_of(author.engine().writer()) == 321);
    CHECK(shown(joiner, "d7").fields.at("title") == R"("changed")");
}

TEST_CASE("who writes during a large load is shown at once, and the load goes on") {
    TestSite author("aaaa"), joiner("bbbb", {}, 100);
    add_duties(author, 0, 150);
    joiner.take_over_from(author);
    joiner.engine().arrived(true);
    joiner.fold_all();
    write(joiner, create("core.duty", duty("mine"), "mine"));
    CHECK(shown(joiner, "mine").fields.at("title") == R"("mine")");
    CHECK(shown(joiner, "d3").born);
    add_duties(author, 150, 50);
    joiner.take_over_from(author);
    joiner.engine().arrived(true);
    joiner.fold_all();
    joiner.engine().arrived(false);
    joiner.fold_all();
    CHECK(records_shown(joiner) == 201);
    exchange(author, joiner);
    CHECK(joiner.digest() == author.digest());
}
