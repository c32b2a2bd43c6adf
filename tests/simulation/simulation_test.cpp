// Live histories and their replays in random orders. A failure prints its seed; run one alone with
// DUTYBOOK_SEED=<n>. DUTYBOOK_HISTORIES=<n> runs more or fewer.

#include "base/log.h"
#include "simulation/replay.h"
#include "support/journal_contract.h"
#include "support/source_dir.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

using namespace dutybook;
using namespace dutybook::simulation;

namespace {

constexpr std::uint64_t orders_per_history = 25;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::shared_ptr<const rules::KindRegistry> kinds() {
    static const auto registry = [] {
        set_log_level(LogLevel::Error);  // thousands of stores are opened and die
        const std::filesystem::path folder = dutybook::tests::source_dir() / "schemas/kinds";
        auto loaded = rules::KindRegistry::load({&folder, 1});
        REQUIRE_MESSAGE(loaded, loaded.error().text());
        return *loaded;
    }();
    return registry;
}

std::string listed(const std::vector<std::string>& lines) {
    std::string out;
    for (std::size_t i = 0; i < lines.size() && i < 30; ++i) out += "\n  " + lines[i];
    return out;
}

WorldOptions options_of(std::uint64_t seed) {
    WorldOptions options;
    options.sites = 2 + seed % 6;
    options.steps = 120 + 20 * (seed % 5);
    return options;
}

WorldOptions unnoticed(std::uint64_t seed) {
    WorldOptions options = options_of(seed);
    options.unnoticed = true;
    return options;
}

void print(const char* what, const Counts& counts) {
    std::cout << what << ": crashes " << counts.crashes << ", partitions " << counts.partitions
              << ", duplicates " << counts.duplicates << ", restores " << counts.restores
              << ", clones " << counts.clones << ", rollbacks " << counts.rollbacks
              << ", clock jumps " << counts.clock_jumps << ", acknowledged " << counts.acknowledged
              << ", lost " << counts.lost << ", doubled " << counts.doubled << "\n";
}

}  // namespace

TEST_CASE("AllSitesShowOneStateInEveryOrder") {
    const std::uint64_t first = number_from("DUTYBOOK_SEED", 1);
    const std::uint64_t histories =
        std::getenv("DUTYBOOK_SEED") ? 1 : number_from("DUTYBOOK_HISTORIES", 40);
    std::cout << "seeds " << first << " to " << first + histories - 1 << "\n";
    Counts live, replayed;
    std::uint64_t orders = 0, heads_wrong = 0, heads_seen = 0, closed_lose = 0;
    for (std::uint64_t seed = first; seed < first + histories; ++seed) {
        CAPTURE(seed);
        World world(seed, kinds(), options_of(seed));
        world.run();
        const bool settled = world.settle();
        world.audit();
        INFO("seed " << seed << listed(world.errors()));
        REQUIRE(settled);
        CHECK(world.errors().empty());
        live.add(world.counts());
        const std::string digest = world.digests().front();
        closed_lose += closed_frontiers_lose(world.sites().front()->disk);

        Site& rebuilt = *world.sites().back();
        rebuilt.die(true);
        REQUIRE(rebuilt.start(false));
        CHECK(rebuilt.digest() == digest);

        for (std::uint64_t order = 0; order < orders_per_history; ++order, ++orders) {
            const auto again = replay(world.hub(), seed * 1000 + order, kinds());
            CAPTURE(order);
            INFO(listed(again.errors));
            CHECK(again.settled);
            for (const auto& each : again.digests) CHECK(each == digest);
            replayed.add(again.counts);
            heads_wrong += again.heads_wrong;
            heads_seen += again.heads_seen;
        }
    }
    print("live histories", live);
    print("replays", replayed);
    for (const auto& [at, times] : live.crashed_in) std::cout << "  " << at << " " << times << "\n";
    std::cout << histories << " histories, " << orders
              << " orders; controls: surviving heads wrong " << heads_wrong << " of " << heads_seen
              << ", closed frontiers lose " << closed_lose << "\n";
    CHECK(live.lost == 0);
    CHECK(live.doubled == 0);
    if (histories < 40) return;  // a single seed need not hold everything
    for (const std::uint64_t count :
         {live.crashes, live.partitions, live.duplicates, live.restores, live.clones,
          live.rollbacks, live.clock_jumps, live.acknowledged, replayed.crashes,
          replayed.partitions, replayed.duplicates, replayed.clock_jumps}) {
        CHECK(count > 0);
    }
    for (const char* at :
         {"journal.append", "journal.plan_seal", "journal.finish_seal", "log.append.ref",
          "log.take_over.ref", "index.apply", "transfer.fetch", "transfer.push"}) {
        CHECK_MESSAGE(live.crashed_in[at] > 0, at);
    }
    CHECK(heads_wrong > 0);
    CHECK(closed_lose > 0);
}

TEST_CASE("TheSameSeedGivesTheSameTrace") {
    for (const std::uint64_t seed : {3u, 4u, 5u}) {
        World one(seed, kinds(), options_of(seed)), two(seed, kinds(), options_of(seed)),
            other(seed + 100, kinds(), options_of(seed));
        for (World* world : {&one, &two, &other}) {
            world->run();
            world->settle();
        }
        CHECK(one.trace() == two.trace());
        CHECK(one.trace() != other.trace());
        const auto again = replay(one.hub(), seed, kinds());
        CHECK(replay(two.hub(), seed, kinds()).trace == again.trace);
    }
}

// Nobody tells a restored or cloned store: it goes on under its old name until a remote shows it.
// By then both branches of its log may have been handed out, to different remotes. Every site must
// come to apply the same one, the author's own included, and what only the other holds must come
// back.
TEST_CASE("UnnoticedForksSettleEverywhereAndLoseNothing") {
    const std::uint64_t first = number_from("DUTYBOOK_SEED", 1);
    const std::uint64_t histories =
        std::getenv("DUTYBOOK_SEED") ? 1 : number_from("DUTYBOOK_HISTORIES", 40);
    Counts all;
    for (std::uint64_t seed = first; seed < first + histories; ++seed) {
        World world(seed, kinds(), unnoticed(seed));
        world.run();
        const bool settled = world.settle();
        world.audit();
        INFO("seed " << seed << listed(world.errors()));
        CHECK(settled);
        CHECK(world.errors().empty());
        CHECK(world.counts().lost == 0);
        CHECK(world.counts().doubled == 0);
        all.add(world.counts());
    }
    print("unnoticed", all);
    std::cout << histories << " unnoticed histories, forks " << all.forks << "\n";
    if (histories < 40) return;
    CHECK(all.restores > 0);
    CHECK(all.clones > 0);
    CHECK(all.forks > 0);
}

TEST_CASE("ControlAStoreThatLosesAcknowledgedWritesIsFoundOut") {
    std::uint64_t lost = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        WorldOptions options = options_of(seed);
        options.loses_writes = true;
        World world(seed, kinds(), options);
        world.run();
        world.settle();
        world.audit();
        lost += world.counts().lost;
    }
    std::cout << "control: lost " << lost << "\n";
    CHECK(lost > 0);
}

TEST_CASE("MemoryJournal keeps the journal's contract") {
    testing::JournalData data;
    testing::Faults faults;
    testing::journal_contract([&]() -> std::unique_ptr<store::Journal> {
        data = {};
        return std::make_unique<testing::MemoryJournal>(data, faults);
    });
}
