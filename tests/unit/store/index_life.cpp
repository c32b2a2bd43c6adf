// The index over time: schemas change, newer operations become readable, readers run beside.

#include "support/index_contract.h"
#include "support/scratch.h"

#include "store/index_values.h"
#include "store/sqlite.h"

#include <atomic>
#include <set>
#include <thread>

using namespace dutybook;
using namespace dutybook::testing;

namespace {

std::unique_ptr<store::Index> open_or_fail(const std::string& path, const Kinds& kinds) {
    auto opened = store::open_sqlite_index(path, kinds);
    REQUIRE_MESSAGE(opened, opened.error().text());
    return std::move(*opened);
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("fields that a schema marks later are indexed from then on") {
    const Scratch scratch;
    const std::string path = scratch.path("index.db");
    Author north("northsite-1111");
    north.create("d1", "core.duty", {{"place", "\"yard\""}, {"starts", "\"2026-05-09\""}});
    north.create("d2", "core.duty", {{"place", "\"hall\""}, {"starts", "\"2026-05-07\""}});
    north.create("d3", "core.duty", {{"place", "\"yard\""}, {"starts", "\"2026-05-08\""}});
    std::string digest;
    {
        const Kinds none;
        const auto index = open_or_fail(path, none);
        apply_all(*index, north.runs());
        CHECK(list_ids(*index, {.kind = "core.duty"}) == Ids{"d3", "d2", "d1"});
        CHECK(list_ids(*index, {.where = {{"place", "\"yard\""}}}) == Ids{"d3", "d1"});
        CHECK(index->reader().referring("yard", 10).value().empty());
        digest = digest_of(*index);
        REQUIRE(index->close_cleanly());
    }
    Kinds kinds;
    kinds["core.duty"].effective = "starts";
    kinds["core.duty"].fields["place"].indexed = true;
    kinds["core.duty"].fields["place"].refers = "core.place";
    const auto index = open_or_fail(path, kinds);
    while (index->catch_up_search(100).value()) {
    }
    CHECK(list_ids(*index, {.kind = "core.duty"}) == Ids{"d1", "d3", "d2"});
    CHECK(list_ids(*index, {.where = {{"place", "\"yard\""}}}) == Ids{"d1", "d3"});
    CHECK(index->reader().referring("yard", 10).value().size() == 2);
    CHECK(list_ids(*index, {.text = "yard"}) == Ids{"d3", "d1"});
    CHECK(digest_of(*index) == digest);

    // And while it runs, at the next change of such a record.
    kinds["core.duty"].fields["place"].searched = false;
    kinds["core.duty"].fields["place"].indexed = false;
    kinds["core.duty"].fields["place"].refers.clear();
    north.change("d2", {{"place", "\"gate\""}});
    apply_all(*index, north.runs());
    while (index->catch_up_search(100).value()) {
    }
    CHECK(list_ids(*index, {.text = "yard"}).empty());
    CHECK(index->reader().referring("yard", 10).value().empty());
    CHECK(list_ids(*index, {.where = {{"place", "\"gate\""}}}) == Ids{"d2"});
    CHECK(index->check());
}

TEST_CASE("what an older version could not read is folded by one that can") {
    const Scratch scratch;
    const std::string path = scratch.path("index.db"), copy = scratch.path("copy.db");
    const Kinds kinds = test_kinds();
    Author north("northsite-1111");
    north.create("d1", "core.duty", {});
    north.change("d1", {{"title", "\"Mop\""}});
    const std::string readable = north.line(2);
    north.change("d1", {{"title", "\"Dust\""}});
    Author older("northsite-1111");
    older.write_raw(north.line(1));
    older.write_raw("{\"format\":99}");
    older.write_raw(north.line(3));
    {
        const auto index = open_or_fail(path, kinds);
        apply_all(*index, older.runs(std::string(40, 'e')));
        CHECK(index->waiting().size() == 1);
        CHECK(index->frontier().seq_of("northsite-1111") == 1);
    }
    {
        // The line as this version would find it, had it been newer than the last one.
        auto db = store::Database::open(path, store::Database::Mode::Write);
        REQUIRE(db);
        (*db)->keep_wal_on_close(true);
        REQUIRE((*db)->run("UPDATE kept SET line = ?1 WHERE seq = 2", readable));
    }
    const auto index = open_or_fail(path, kinds);
    CHECK(index->waiting().empty());
    const domain::FrontierEntry expected{3, std::string(40, 'e')};
    CHECK(index->frontier().entries().at("northsite-1111") == expected);
    CHECK(index->reader().get("d1").value()->state.fields.at("title") == "\"Dust\"");
    const auto other = open_or_fail(copy, kinds);
    apply_all(*other, north.runs());
    CHECK(digest_of(*index) == digest_of(*other));
}

TEST_CASE("readers see whole applies while the writer goes on, and never an error") {
    const Scratch scratch;
    const Kinds kinds = test_kinds();
    const auto index = open_or_fail(scratch.path("index.db"), kinds);
    Author north("northsite-1111");
    // Each apply creates two records with the same title.
    for (int i = 0; i < 150; ++i) {
        for (const char* part : {"a", "b"}) {
            north.create("d" + std::to_string(i) + part, "core.duty",
                         {{"priority", "\"high\""}, {"title", "\"Sweep\""}});
        }
    }
    std::atomic<bool> stop{false};
    std::atomic<int> reads{0}, wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            while (!stop) {
                store::Query query{.kind = "core.duty", .limit = 1000};
                if (t == 1) query.where = {{"priority", "\"high\""}};
                if (t == 2) query.text = "sweep";
                const auto page = index->reader().list(query);
                const auto counts = index->reader().counts();
                if (!page || !counts || page->records.size() % 2 != 0) ++wrong;
                ++reads;
            }
        });
    }
    for (std::uint64_t seq = 1; seq < north.last(); seq += 2) {
        apply_all(*index, north.runs(seq, seq + 1));
    }
    while (reads < 10) std::this_thread::yield();
    stop = true;
    for (auto& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(list_ids(*index, {.text = "sweep", .limit = 1000}).size() == 300);
    REQUIRE(index->close_cleanly());
    CHECK(index->reader().counts().error().code == Code::Unavailable);
}

TEST_CASE("a page that was begun goes on where it stood while records come and change") {
    const Scratch scratch;
    const Kinds kinds = test_kinds();
    const auto index = open_or_fail(scratch.path("index.db"), kinds);
    Author north("northsite-1111");
    for (int i = 0; i < 30; ++i) north.create("old" + std::to_string(i), "core.duty", {});
    apply_all(*index, north.runs());
    store::Query query{.kind = "core.duty", .limit = 10};
    std::set<std::string> seen;
    while (true) {
        const auto page = index->reader().list(query).value();
        for (const auto& record : page.records) CHECK(seen.insert(record.state.id).second);
        if (page.next.empty()) break;
        query.after = page.next;
        north.create("new" + std::to_string(seen.size()), "core.duty", {});
        north.change("old3", {{"title", "\"changed\""}});
        apply_all(*index, north.runs());
    }
    for (int i = 0; i < 30; ++i) CHECK(seen.contains("old" + std::to_string(i)));
}

TEST_CASE("elements of a canonical array, as they stand") {
    using Views = std::vector<std::string_view>;
    CHECK(store::elements("[]").empty());
    CHECK(store::elements("7").empty());
    CHECK(store::elements("[1]") == Views{"1"});
    CHECK(store::elements(R"(["a,b","c\"],d",[1,2],{"k":[3,"]"]}])") ==
          Views{R"("a,b")", R"("c\"],d")", "[1,2]", R"({"k":[3,"]"]})"});
}
