#include "site_fixture.h"

#include "base/kept_file.h"

#include <algorithm>

using namespace dutybook;
using namespace dutybook::testing;
using core::Action;

namespace {

void fill(TestSite& site, int count, const std::string& prefix) {
    std::vector<core::WriteRequest> many;
    for (int i = 0; i < count; ++i) {
        many.push_back(
            create("core.duty", duty(prefix + std::to_string(i)), prefix + std::to_string(i)));
    }
    for (const auto& result : site.engine().write(many)) REQUIRE(result.has_value());
}

core::SpaceEngine::Seal forced() {
    core::SpaceEngine::Seal how;
    how.force = true;
    return how;
}

std::uint64_t operations(TestSite& site) {
    const auto counts = site.index().reader().counts();
    REQUIRE(counts.has_value());
    return counts->operations;
}

bool stands(TestSite& site, const std::string& kind) {
    const auto alarms = site.engine().alarms();
    return std::any_of(alarms.begin(), alarms.end(),
                       [&](const auto& alarm) { return alarm.kind == kind; });
}

}  // namespace

TEST_CASE("an index that was deleted comes back from log and journal with the same digest") {
    TestSite a("aaaa", {.operations = 50}), b("bbbb");
    fill(a, 120, "x");
    fill(b, 30, "y");
    write(b, patch("y3", {{"priority", "high"}}));
    exchange(a, b);
    fill(a, 7, "tail");
    const auto digest = a.digest();
    const auto held = operations(a);
    a.delete_index();
    CHECK(a.digest() == digest);
    CHECK(operations(a) == held);
    write(a, patch("tail0", {{"title", "goes on"}}));
}

TEST_CASE("seals: at so many operations, at an age, cut where the frontier changes") {
    TestSite a("aaaa", {.operations = 10}), b("bbbb");
    fill(a, 9, "x");
    CHECK_FALSE(a.engine().seal_due());
    CHECK(*a.engine().seal({}) == 0);
    a.clock().advance(3'600'000);
    CHECK(a.engine().seal_due());
    CHECK(*a.engine().seal({}) == 1);
    fill(a, 25, "y");
    CHECK(*a.engine().seal({}) == 2);
    CHECK(a.engine().unsealed() == 5);
    fill(b, 1, "b");
    a.pull_from(b);
    fill(a, 2, "z");
    CHECK(*a.engine().seal(forced()) == 2);  // one under each frontier
    CHECK(a.engine().unsealed() == 0);
}

TEST_CASE("volumes close at their size and name the one before") {
    TestSite a("aaaa", {.operations = 50, .age = 1, .volume_bytes = 4096});
    fill(a, 500, "x");
    REQUIRE(a.engine().seal(forced()).has_value());
    const auto volumes = a.log().volumes();
    REQUIRE(volumes.has_value());
    REQUIRE(volumes->size() > 1);
    CHECK((*volumes)[1].previous == (*volumes)[0].tip);
    CHECK(volumes->back().last == 500);
}

TEST_CASE("a seal that was cut off after its plan is done again with the same bytes") {
    TestSite a("aaaa"), twin("aaaa");
    for (auto* site : {&a, &twin}) fill(*site, 20, "x");
    store::SealRow row;
    row.header.space = "space0";
    row.header.writer = a.engine().writer();
    row.header.last = 20;
    row.header.time = 1'780'000'000'000;
    REQUIRE(a.journal().plan_seal(row).has_value());
    a.clock().advance(50'000);
    a.restart();
    CHECK(a.engine().unsealed() == 0);
    REQUIRE(twin.engine().seal(forced()).has_value());
    CHECK(a.log().volumes()->front().tip == twin.log().volumes()->front().tip);
}

TEST_CASE("a seal that was cut off after the append is finished, not repeated") {
    TestSite a("aaaa");
    fill(a, 20, "x");
    store::SealRow row;
    row.header.space = "space0";
    row.header.writer = a.engine().writer();
    row.header.last = 20;
    row.header.time = 1'780'000'000'000;
    auto planned = a.journal().plan_seal(row);
    REQUIRE(planned.has_value());
    std::vector<std::string> lines;
    REQUIRE(a.journal()
                .visit(row.header.writer, 1,
                       [&](const auto& line, const auto&) {
                           lines.push_back(line.line);
                           return true;
                       })
                .has_value());
    const auto commit = a.log().append(*planned, lines);
    REQUIRE(commit.has_value());
    a.restart();
    CHECK(a.engine().unsealed() == 0);
    CHECK(a.journal().last_seal(row.header.writer)->value().commit == *commit);
    CHECK(a.log().chain({row.header.writer, 1}, "")->size() == 1);
}

TEST_CASE("a log that was lost is made again from the journal, commit by commit") {
    TestSite a("aaaa", {.operations = 10});
    fill(a, 35, "x");
    REQUIRE(a.engine().seal(forced()).has_value());
    const auto tip = a.log().volumes()->front().tip;
    a.close();
    std::filesystem::remove_all(a.folder("log.git"));
    a.restart();
    REQUIRE(a.log().volumes()->size() == 1);
    CHECK(a.log().volumes()->front().tip == tip);
    CHECK_FALSE(stands(a, "log-damaged"));
}

TEST_CASE("what the journal lost of its end comes back from the index, as it was") {
    TestSite a("aaaa"), peer("bbbb");
    fill(a, 3, "x");
    a.close();
    const auto journal = a.folder("journal.db");
    fs::copy_file(journal, journal + ".before");
    a.restart();
    fill(a, 4, "lost");
    write(a, patch("lost3", {{"priority", "high"}}));
    const auto digest = a.digest();
    const auto last = a.journal().last_seq(a.engine().writer());
    a.close();
    fs::rename(journal + ".before", journal);
    a.restart();
    CHECK(a.journal().last_seq(a.engine().writer()) == last);
    CHECK(a.journal().check());
    CHECK(a.digest() == digest);
    const auto healed = healed_files();
    REQUIRE_FALSE(healed.empty());
    CHECK(healed.back().file == "spaces/north/journal.db-wal");
    CHECK(healed.back().what.find("5 acknowledged") != std::string::npos);
    CHECK_FALSE(healed.back().lost);
    peer.pull_from(a);
    CHECK(peer.digest() == digest);
    a.delete_index();
    CHECK(a.digest() == digest);
}

TEST_CASE("a moved store issues its unsealed tail again under a new writer, once for all") {
    TestSite a("aaaa"), peer("bbbb");
    write(a, create("core.need", {{"text", "chair"}, {"times_seen", 1}}, "n1"));
    peer.pull_from(a);
    write(a, patch("n1", {{"times_seen", {{"$increment", 1}}}, {"text", "two chairs"}}));
    auto copy = a.copy(true);
    CHECK(copy->engine().writer() != a.engine().writer());
    CHECK(stands(*copy, "restored"));
    CHECK(copy->digest() == a.digest());

    // Both live on: the tail travels twice and counts once.
    write(a, patch("n1", {{"times_seen", {{"$increment", 10}}}}));
    write(*copy, patch("n1", {{"times_seen", {{"$increment", 100}}}}));
    peer.pull_from(a);
    peer.pull_from(*copy);
    exchange(a, *copy);
    exchange(a, peer);
    CHECK(shown(peer, "n1").fields.at("times_seen") == "112");
    CHECK(shown(peer, "n1").fields.at("text") == R"("two chairs")");
    CHECK(shown(peer, "n1").conflicts.empty());
    CHECK(peer.digest() == a.digest());
    copy->pull_from(peer);
    copy->pull_from(a);
    CHECK(copy->digest() == a.digest());

    core::SpaceEngine::Seal receipt;
    receipt.force = receipt.receipt = true;
    REQUIRE(peer.engine().seal(receipt).has_value());
    copy->pull_from(peer);
    CHECK_FALSE(stands(*copy, "restored"));
    copy->delete_index();
    CHECK(copy->digest() == a.digest());
}

TEST_CASE("a copy found out late: what it wrote under the shared name counts beside the other's") {
    TestSite a("aaaa"), peer("bbbb");
    write(a, create("core.duty", duty("x"), "d1"));
    peer.pull_from(a);
    auto copy = a.copy(false);  // nobody noticed
    REQUIRE(copy->engine().writer() == a.engine().writer());
    a.clock().advance(5);
    copy->clock().advance(9);
    write(a, create("core.duty", duty("of the original"), "o1"));
    write(a, patch("d1", {{"title", "original"}}));
    write(*copy, create("core.duty", duty("of the copy"), "c1"));
    write(*copy, patch("d1", {{"title", "copy"}}));
    peer.pull_from(a);
    // What a contact does on seeing a log of its own that went on without it.
    REQUIRE(copy->engine().open_new_writer(1, "another store writes under this name").has_value());
    copy->pull_from(peer);
    peer.pull_from(*copy);
    CHECK(copy->digest() == peer.digest());
    CHECK(shown(peer, "o1").fields.at("title") == R"("of the original")");
    CHECK(shown(peer, "c1").fields.at("title") == R"("of the copy")");
    CHECK(shown(peer, "d1").conflicts.size() == 1);
    copy->delete_index();
    CHECK(copy->digest() == peer.digest());
}

TEST_CASE("an own log that gives way takes what only the journal brought out of the index") {
    TestSite a("aaaa"), peer("bbbb");
    write(a, create("core.duty", duty("x"), "d1"));
    peer.pull_from(a);  // seals the first
    write(a, patch("d1", {{"title", "not sealed here"}}));
    auto copy = a.copy(false);
    const auto old = copy->engine().writer();
    REQUIRE(copy->engine().open_new_writer(2, "a third copy sealed the second").has_value());
    REQUIRE(copy->index().frontier().seq_of(old) == 2);
    // Another branch, which parts after the first, wins.
    REQUIRE(copy->engine().give_way(old, 1).has_value());
    CHECK(copy->index().frontier().seq_of(old) == 1);
    CHECK(shown(*copy, "d1").fields.at("title") == R"("x")");
}

TEST_CASE("a crash between the new writer and the index is settled at the next start") {
    TestSite a("aaaa");
    fill(a, 3, "x");
    const auto digest = a.digest();
    const auto old = a.engine().writer();
    auto copy = a.copy(true);
    CHECK(copy->engine().frontier().seq_of(old) == 0);
    // The index as it would stand had the change of writer not reached it.
    std::vector<std::string> lines;
    REQUIRE(copy->journal()
                .visit(old, 1,
                       [&](const auto& line, const auto&) {
                           lines.push_back(line.line);
                           return true;
                       })
                .has_value());
    const domain::Frontier none;
    const store::Run run{old, 1, &none, lines, {}, 1};
    REQUIRE(copy->index().apply({&run, 1}).has_value());
    REQUIRE(copy->index().frontier().seq_of(old) == 3);
    copy->engine().stop();
    copy->restart();
    CHECK(copy->engine().frontier().seq_of(old) == 0);
    CHECK(copy->engine().frontier().seq_of(copy->engine().writer()) == 3);
    CHECK(copy->digest() == digest);
}

TEST_CASE("our stamps go on after our own last one, whatever the clock says") {
    TestSite a("aaaa");
    write(a, create("core.duty", duty("x"), "d1"));
    a.clock().advance(-86'400'000);
    a.restart();
    write(a, patch("d1", {{"title", "y"}}));
    const auto rows = a.index().reader().operations("d1");
    REQUIRE(rows->size() == 2);
    CHECK((*rows)[0].operation.hlc < (*rows)[1].operation.hlc);
}

TEST_CASE("alarms survive a restart and close") {
    TestSite a("aaaa");
    a.engine().raise({"gone-back:hub", "gone-back", "hub", "the remote went back", 0});
    a.restart();
    CHECK(stands(a, "gone-back"));
    a.engine().close_alarm("gone-back:hub");
    a.restart();
    CHECK_FALSE(stands(a, "gone-back"));
}

TEST_CASE("the journal forgets what is sealed, elsewhere and old, and nothing else") {
    TestSite a("aaaa");
    fill(a, 10, "x");
    REQUIRE(a.engine().seal(forced()).has_value());
    const auto own = a.engine().writer();
    a.engine().note_shared(own, 6);
    const auto first_kept = [&] {
        std::uint64_t first = 0;
        REQUIRE(a.journal()
                    .visit(own, 0,
                           [&](const auto& line, const auto&) {
                               first = line.id.seq;
                               return false;
                           })
                    .has_value());
        return first;
    };
    REQUIRE(a.engine().trim_journal().has_value());
    CHECK(first_kept() == 1);
    a.clock().advance(Millis{31} * 24 * 3600 * 1000);
    REQUIRE(a.engine().trim_journal().has_value());
    CHECK(first_kept() == 7);
    const auto digest = a.digest();
    a.delete_index();
    CHECK(a.digest() == digest);
}
