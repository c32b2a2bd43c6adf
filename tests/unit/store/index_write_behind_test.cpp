// The index that follows later: nobody may see that it does.

#include "store/index_write_behind.h"

#include "support/index_contract.h"
#include "support/scratch.h"

#include <future>

using namespace dutybook;
using namespace dutybook::testing;

namespace {

std::unique_ptr<store::Index> open_behind(const std::string& path,
                                          const domain::KindCatalog& kinds) {
    auto opened = store::open_sqlite_index(path, kinds);
    REQUIRE_MESSAGE(opened, opened.error().text());
    return store::write_behind(std::move(*opened));
}

store::OwnRun own_run(Author& author, std::uint64_t first, std::uint64_t last) {
    const auto runs = author.runs(first, last);
    REQUIRE(runs.size() == 1);
    const store::Run& run = runs.front();
    store::OwnRun own{run.writer, run.first, *run.frontier, {}, run.arrived};
    own.lines.assign(run.lines.begin(), run.lines.end());
    own.operations.reserve(own.lines.size());
    for (std::size_t i = 0; i < own.lines.size(); ++i) {
        own.operations.push_back(
            domain::read_operation(own.lines[i], {own.writer, own.first + i}).operation);
        own.known.push_back({&own.operations.back()});
    }
    return own;
}

}  // namespace

TEST_CASE("an index that follows later keeps the index's contract") {
    const Scratch scratch;
    int count = 0;
    index_contract([&](const domain::KindCatalog& kinds) {
        return open_behind(scratch.path("index" + std::to_string(++count) + ".db"), kinds);
    });
}

TEST_CASE("whatever was given is seen by every read, of any thread") {
    const Scratch scratch;
    const Kinds kinds = test_kinds();
    const auto index = open_behind(scratch.path("index.db"), kinds);
    Author north("northsite-1111");
    constexpr std::uint64_t records = 40;
    for (std::uint64_t i = 1; i <= records; ++i) {
        const std::string id = "d" + std::to_string(i);
        north.create(id, "core.duty", {{"title", "\"Sweep\""}});
        REQUIRE(index->follow(own_run(north, i, i)));
        const auto there = [&] { return index->reader().get(id).value().has_value(); };
        CHECK((i % 2 == 0 ? there() : std::async(std::launch::async, there).get()));
    }
    CHECK(index->reader().counts().value().operations == records);
    CHECK(index->frontier().seq_of(north.writer()) == records);
    CHECK(index->check());
}

TEST_CASE("an id that waits to be taken in is taken") {
    const Scratch scratch;
    const Kinds kinds = test_kinds();
    const auto index = open_behind(scratch.path("index.db"), kinds);
    Author north("northsite-1111");
    north.create("d1", "core.duty", {});
    REQUIRE(index->follow(own_run(north, 1, 1)));
    const std::vector<std::string> ids = {"d1", "d2"};
    CHECK(index->taken(ids).value() == std::vector<std::string>{"d1"});
    CHECK(index->reader().get("d1").value());
    CHECK(index->taken(ids).value() == std::vector<std::string>{"d1"});
}

TEST_CASE("what waits when the index goes is taken in") {
    const Scratch scratch;
    const Kinds kinds = test_kinds();
    Author north("northsite-1111");
    for (int i = 1; i <= 3; ++i) north.create("d" + std::to_string(i), "core.duty", {});
    {
        const auto index = open_behind(scratch.path("index.db"), kinds);
        REQUIRE(index->follow(own_run(north, 1, 3)));
        REQUIRE(index->close_cleanly());
    }
    const auto index = open_behind(scratch.path("index.db"), kinds);
    CHECK(index->frontier().seq_of(north.writer()) == 3);
}

TEST_CASE("a run that the index refuses is told once, and nothing follows it") {
    const Scratch scratch;
    const Kinds kinds = test_kinds();
    const auto index = open_behind(scratch.path("index.db"), kinds);
    Author north("northsite-1111");
    for (int i = 1; i <= 3; ++i) north.create("d" + std::to_string(i), "core.duty", {});
    REQUIRE(index->follow(own_run(north, 2, 2)));  // a gap
    CHECK(index->frontier().empty());
    const auto refused = index->followed();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::Conflict);
    CHECK(index->followed());
    REQUIRE(index->follow(own_run(north, 1, 3)));
    CHECK(index->frontier().seq_of(north.writer()) == 3);
}
