#pragma once
// What every Index must do, the real one and any fake. Call it from a test case of your own:
//
//   TEST_CASE("MyIndex keeps the index's contract") { index_contract(make); }
//
// `make` gives a new, empty index each time it is called; the catalog outlives it.

#include "support/operations.h"

#include <algorithm>
#include <functional>

namespace dutybook::testing {

using MakeIndex = std::function<std::unique_ptr<store::Index>(const domain::KindCatalog&)>;

inline store::Applied apply_all(store::Index& index, const std::vector<store::Run>& runs) {
    auto applied = index.apply(runs);
    REQUIRE_MESSAGE(applied, applied.error().text());
    return std::move(*applied);
}

inline std::string digest_of(store::Index& index) {
    return index.reader().digest().value();
}
inline std::string operations_digest_of(store::Index& index) {
    return index.reader().operations_digest().value();
}

// Ids of all pages, `limit` at a time.
inline std::vector<std::string> list_ids(store::Index& index, store::Query query) {
    std::vector<std::string> ids;
    for (int pages = 0; pages < 1000; ++pages) {
        const auto page = index.reader().list(query);
        REQUIRE_MESSAGE(page, page.error().text());
        CHECK(page->records.size() <= query.limit);
        for (const auto& record : page->records) ids.push_back(record.state.id);
        if (page->next.empty()) return ids;
        query.after = page->next;
    }
    FAIL("the pages do not end");
    return ids;
}

inline void index_contract_of_apply(const MakeIndex& make) {
    const Kinds kinds = test_kinds();
    const auto index = make(kinds);
    REQUIRE(index != nullptr);
    auto& reader = index->reader();
    Author north("northsite-1111"), south("southsite-1111");

    SUBCASE("an empty index") {
        CHECK_FALSE(reader.get("d1").value());
        CHECK(reader.counts().value().records == 0);
        CHECK(reader.counts().value().operations == 0);
        CHECK(digest_of(*index) == domain::Digest().text());
        CHECK(index->frontier().empty());
        CHECK(index->waiting().empty());
        CHECK(list_ids(*index, {}).empty());
        CHECK(index->check());
    }
    SUBCASE("a created record is shown, with frontier, counts and digests") {
        north.create("d1", "core.duty", {{"title", "\"Sweep\""}});
        const auto applied = apply_all(*index, north.runs(std::string(40, 'b')));
        CHECK(applied.records == std::vector<std::string>{"d1"});
        CHECK(applied.operations == 1);
        CHECK(applied.last_hlc == domain::Hlc{north.now(), 0});
        const auto record = reader.get("d1").value();
        REQUIRE(record);
        CHECK(record->state.kind == "core.duty");
        CHECK(record->state.fields.at("title") == "\"Sweep\"");
        CHECK(record->version == domain::version_of(record->state));
        CHECK(reader.counts().value().records == 1);
        CHECK(digest_of(*index) != domain::Digest().text());
        const domain::FrontierEntry expected{1, std::string(40, 'b')};
        CHECK(index->frontier().entries().at(north.writer()) == expected);
        CHECK(reader.frontier().value() == index->frontier());
    }
    SUBCASE("what is held already counts once, a gap is refused whole") {
        for (int i = 1; i <= 4; ++i) north.create("d" + std::to_string(i), "core.duty", {});
        CHECK(apply_all(*index, north.runs(1, 2)).operations == 2);
        const std::string digest = digest_of(*index), held = operations_digest_of(*index);
        const auto gap = index->apply(north.runs(4, 4));
        REQUIRE_FALSE(gap);
        CHECK(gap.error().code == Code::Conflict);
        CHECK(digest_of(*index) == digest);
        CHECK(apply_all(*index, north.runs(1, 2)).operations == 0);
        CHECK(operations_digest_of(*index) == held);
        CHECK(apply_all(*index, north.runs(1, 4)).operations == 2);
        CHECK(reader.counts().value().operations == 4);
        CHECK(index->check());
    }
    SUBCASE("a refused apply leaves nothing of its other runs") {
        north.create("d1", "core.duty", {});
        south.create("d2", "core.duty", {});
        south.create("d3", "core.duty", {});
        auto runs = north.runs();
        runs.push_back(south.runs(2, 2).front());
        CHECK_FALSE(index->apply(runs));
        CHECK(index->frontier().empty());
        CHECK_FALSE(reader.get("d1").value());
        CHECK(operations_digest_of(*index) == domain::Digest().text());
        apply_all(*index, north.runs());
        CHECK(reader.get("d1").value());
    }
    SUBCASE("values set apart are a conflict until a change that knows both") {
        north.create("d1", "core.duty", {{"priority", "\"low\""}});
        south.learn(north);
        north.change("d1", {{"priority", "\"high\""}});
        south.change("d1", {{"priority", "\"urgent\""}});
        apply_all(*index, north.runs());
        CHECK(reader.conflicts("", 10).value().empty());
        apply_all(*index, south.runs());
        const auto conflicts = reader.conflicts("", 10).value();
        REQUIRE(conflicts.size() == 1);
        REQUIRE(conflicts[0].state.conflicts.size() == 1);
        CHECK(conflicts[0].state.conflicts[0].values.size() == 2);
        CHECK(reader.counts().value().conflicts == 1);
        CHECK(reader.conflicts("d1", 10).value().empty());
        north.learn(south);
        north.change("d1", {{"priority", "\"normal\""}});
        apply_all(*index, north.runs());
        CHECK(reader.conflicts("", 10).value().empty());
        CHECK(reader.counts().value().conflicts == 0);
        CHECK(reader.get("d1").value()->state.fields.at("priority") == "\"normal\"");
        CHECK(index->check());
    }
    SUBCASE("changes that arrive before their create wait unseen") {
        north.create("d1", "core.duty", {{"title", "\"Sweep\""}});
        south.learn(north);
        south.change("d1", {{"title", "\"Mop\""}});
        apply_all(*index, south.runs());
        CHECK_FALSE(reader.get("d1").value());
        CHECK(reader.counts().value().records == 0);
        CHECK(reader.counts().value().operations == 1);
        CHECK(digest_of(*index) == domain::Digest().text());
        apply_all(*index, north.runs());
        CHECK(reader.get("d1").value()->state.fields.at("title") == "\"Mop\"");
        CHECK(index->check());
    }
    SUBCASE("a malformed operation is kept, named, and folded by nobody") {
        north.create("d1", "core.duty", {});
        north.write_raw("{\"do\":\"change\",\"record\":7}");
        north.change("d1", {{"title", "\"Mop\""}});
        const auto applied = apply_all(*index, north.runs());
        const domain::OperationId bad{north.writer(), 2};
        CHECK(applied.malformed == std::vector<domain::OperationId>{bad});
        CHECK(index->frontier().seq_of(north.writer()) == 3);
        CHECK(reader.counts().value().operations == 3);
        CHECK(reader.get("d1").value()->state.fields.at("title") == "\"Mop\"");
        CHECK(index->check());
    }
    SUBCASE("a newer operation is kept, and its log waits there") {
        north.create("d1", "core.duty", {});
        north.write_raw(
            "{\"at\":1,\"by\":\"p\",\"do\":\"change\",\"format\":2,\"hlc\":[1,0],"
            "\"record\":\"d1\"}");
        north.change("d1", {{"title", "\"Mop\""}});
        const domain::OperationId newer{north.writer(), 2};
        CHECK(apply_all(*index, north.runs()).newer == newer);
        CHECK(index->waiting() == std::vector<domain::OperationId>{newer});
        CHECK(index->frontier().seq_of(north.writer()) == 1);
        CHECK_FALSE(reader.get("d1").value()->state.fields.contains("title"));
        CHECK(reader.counts().value().operations == 3);
        north.change("d1", {{"title", "\"Dust\""}});
        CHECK(apply_all(*index, north.runs()).operations == 1);
        CHECK(index->frontier().seq_of(north.writer()) == 1);
        CHECK(index->check());
    }
    SUBCASE("the operations of a record, in order of arrival, with their frontiers") {
        north.create("d1", "core.duty", {});
        south.learn(north);
        south.change("d1", {{"title", "\"Mop\""}});
        north.change("d1", {{"title", "\"Dust\""}});
        apply_all(*index, north.runs(1, 1));
        apply_all(*index, south.runs(std::string(40, 'c')));
        apply_all(*index, north.runs());
        const auto rows = reader.operations("d1").value();
        REQUIRE(rows.size() == 3);
        CHECK(rows[0].operation.id.text() == "northsite-1111:1");
        CHECK(rows[1].operation.id.text() == "southsite-1111:1");
        CHECK(rows[1].frontier.seq_of(north.writer()) == 1);
        CHECK(rows[1].segment == std::string(40, 'c'));
        CHECK(rows[1].arrived == south.now());
        CHECK(rows[2].operation.id.text() == "northsite-1111:2");
        CHECK(reader.operations("none").value().empty());
    }
    SUBCASE("the journal's tail learns its segment when that comes") {
        north.create("d1", "core.duty", {});
        apply_all(*index, north.runs(""));
        CHECK(index->frontier().entries().at(north.writer()).segment.empty());
        CHECK(apply_all(*index, north.runs(std::string(40, 'd'))).operations == 0);
        CHECK(index->frontier().entries().at(north.writer()).segment == std::string(40, 'd'));
        CHECK(reader.operations("d1").value().at(0).segment == std::string(40, 'd'));
    }
}

inline void index_contract_of_queries(const MakeIndex& make) {
    const Kinds kinds = test_kinds();
    const auto index = make(kinds);
    REQUIRE(index != nullptr);
    auto& reader = index->reader();
    Author north("northsite-1111");
    const auto due = [](int hour) {
        return "\"2026-05-04T" + std::string(hour < 10 ? "0" : "") + std::to_string(hour) +
               ":00:00Z\"";
    };
    using Ids = std::vector<std::string>;

    north.create("d1", "core.duty",
                 {{"due", due(9)},
                  {"person", "\"p1\""},
                  {"priority", "\"high\""},
                  {"title", "\"Sweep the hall\""}});
    north.create(
        "d2", "core.duty",
        {{"due", due(11)}, {"priority", "\"low\""}, {"secret", "\"hall\""}, {"title", "\"Mop\""}});
    north.create("d3", "core.duty",
                 {{"due", due(10)},
                  {"person", "\"p1\""},
                  {"priority", "\"high\""},
                  {"title", "\"Sweep the Caf\u00e9\""}});
    north.create("c1", "core.credential", {{"expires", "\"2026-05-04\""}, {"person", "\"p2\""}});
    north.create("c2", "core.credential", {{"expires", "\"2026-05-06\""}});
    apply_all(*index, north.runs());

    SUBCASE("a kind is listed by its effective instant, newest first") {
        CHECK(list_ids(*index, {.kind = "core.duty"}) == Ids{"d2", "d3", "d1"});
        CHECK(list_ids(*index, {.kind = "core.credential"}) == Ids{"c2", "c1"});
        CHECK(list_ids(*index, {.kind = "core.unknown"}).empty());
        CHECK(list_ids(*index, {}).size() == 5);
    }
    SUBCASE("ranges are half open, instants and dates each by their own") {
        store::Query query{.kind = "core.duty"};
        query.since = parse_instant("2026-05-04T10:00:00Z").value();
        query.until = parse_instant("2026-05-04T11:00:00Z").value();
        CHECK(list_ids(*index, query) == Ids{"d3"});
        store::Query dates{.kind = "core.credential"};
        dates.since_date = "2026-05-04";
        dates.until_date = "2026-05-06";
        CHECK(list_ids(*index, dates) == Ids{"c1"});
        dates.since_date = "soon";
        CHECK(reader.list(dates).error().code == Code::Malformed);
    }
    SUBCASE("conditions on indexed and on other fields, all must hold") {
        CHECK(list_ids(*index, {.kind = "core.duty", .where = {{"priority", "\"high\""}}}) ==
              Ids{"d3", "d1"});
        CHECK(list_ids(*index, {.kind = "core.duty", .where = {{"title", "\"Mop\""}}}) ==
              Ids{"d2"});
        CHECK(list_ids(*index, {.where = {{"priority", "\"high\""},
                                          {"title", "\"Sweep the hall\""}}}) == Ids{"d1"});
        CHECK(list_ids(*index, {.where = {{"person", "\"p1\""}}}).size() == 2);
        CHECK(list_ids(*index, {.where = {{"priority", "\"none\""}}}).empty());
    }
    SUBCASE("a changed record moves in every list") {
        north.change("d1", {{"due", due(12)}, {"priority", "\"low\""}});
        apply_all(*index, north.runs());
        CHECK(list_ids(*index, {.kind = "core.duty"}) == Ids{"d1", "d2", "d3"});
        CHECK(list_ids(*index, {.where = {{"priority", "\"low\""}}}) == Ids{"d1", "d2"});
        CHECK(list_ids(*index, {.where = {{"priority", "\"high\""}}}) == Ids{"d3"});
    }
    SUBCASE("elements of a set are found") {
        domain::Operation operation = north.make(domain::Verb::Change, "d2");
        operation.changes = {{"tags", domain::Act::Add, "\"wet\""},
                             {"tags", domain::Act::Add, "\"yard, east\""}};
        north.write(operation);
        apply_all(*index, north.runs());
        CHECK(list_ids(*index, {.where = {{"tags", "\"yard, east\""}}}) == Ids{"d2"});
        CHECK(list_ids(*index, {.where = {{"tags", "\"wet\""}}}) == Ids{"d2"});
    }
    SUBCASE("pages neither skip nor repeat, ties included") {
        for (int i = 0; i < 40; ++i) {
            north.create("t" + std::to_string(i), "core.duty",
                         {{"due", due(8)}, {"priority", i % 2 == 0 ? "\"high\"" : "\"low\""}});
        }
        apply_all(*index, north.runs());
        const Ids whole = list_ids(*index, {.kind = "core.duty", .limit = 1000});
        CHECK(whole.size() == 43);
        for (std::size_t limit : {1u, 7u, 42u, 43u}) {
            CHECK(list_ids(*index, {.kind = "core.duty", .limit = limit}) == whole);
        }
        CHECK(list_ids(*index, {.where = {{"priority", "\"high\""}}, .limit = 3}).size() == 22);
        CHECK(list_ids(*index, {.limit = 4}).size() == 45);
        const auto bad = reader.list({.after = "nonsense"});
        REQUIRE_FALSE(bad);
        CHECK(bad.error().code == Code::Malformed);
    }
    SUBCASE("words are found wherever they stand, all must match, no syntax") {
        CHECK(list_ids(*index, {.text = "sweep"}) == Ids{"d3", "d1"});
        CHECK(list_ids(*index, {.text = "HALL sweep"}) == Ids{"d1"});
        CHECK(list_ids(*index, {.text = "cafe"}) == Ids{"d3"});
        CHECK(list_ids(*index, {.text = "sweep", .limit = 1}) == Ids{"d3", "d1"});
        CHECK(list_ids(*index, {.kind = "core.credential", .text = "sweep"}).empty());
        CHECK(list_ids(*index, {.where = {{"person", "\"p1\""}}, .text = "hall"}) == Ids{"d1"});
        for (const char* text :
             {"\"", "sweep AND", "NEAR(", "a:b", "-", "*", "(", "hall\u2014mop"}) {
            CHECK_MESSAGE(reader.list({.text = text}), text);
        }
        north.change("d1", {{"title", "\"Polish\""}});
        apply_all(*index, north.runs());
        CHECK(list_ids(*index, {.text = "hall"}).empty());
        CHECK(list_ids(*index, {.text = "polish"}) == Ids{"d1"});
    }
    SUBCASE("a deleted record is shown and listed only when asked for") {
        north.remove("d3");
        apply_all(*index, north.runs());
        CHECK(reader.get("d3").value()->state.deleted);
        CHECK(list_ids(*index, {.kind = "core.duty"}) == Ids{"d2", "d1"});
        CHECK(list_ids(*index, {.kind = "core.duty", .deleted = true}) == Ids{"d2", "d3", "d1"});
        CHECK(list_ids(*index, {.where = {{"priority", "\"high\""}}}) == Ids{"d1"});
        CHECK(list_ids(*index, {.text = "sweep"}) == Ids{"d1"});
        CHECK(reader.counts().value().records == 4);
        CHECK(reader.referring("p1", 10).value() == Ids{"d1"});
    }
    SUBCASE("ids by prefix, records by what they refer to") {
        CHECK(reader.by_prefix("d", 10).value() == Ids{"d1", "d2", "d3"});
        CHECK(reader.by_prefix("d", 2).value() == Ids{"d1", "d2"});
        CHECK(reader.by_prefix("x", 10).value().empty());
        auto referring = reader.referring("p1", 10).value();
        std::sort(referring.begin(), referring.end());
        CHECK(referring == Ids{"d1", "d3"});
        CHECK(reader.referring("p2", 10).value() == Ids{"c1"});
        CHECK(reader.referring("p1", 1).value().size() == 1);
    }
    SUBCASE("verdicts are kept, replaced and dropped") {
        using Found = store::Verdict::Found;
        const Found late{"f2", "R1", blake2b("late")}, early{"f1", "R2", blake2b("early")};
        const std::vector<store::Verdict> verdicts{
            {"d1", "v1", "plugin", "[]", {"p1", "p2"}},
            {"d2", "v1", "plugin", "[1]", {"d1"}, {late, early}},
            {"gone", "v1", "plugin", "[]", {}}};
        const std::string none = reader.judged().value().findings_digest;
        REQUIRE(index->put_verdicts(verdicts));
        const auto found = reader.verdicts_of("d2").value();
        REQUIRE(found.size() == 1);
        CHECK(found[0].record == "d2");
        CHECK(found[0].reads == Ids{"d1"});
        CHECK(found[0].findings == "[1]");
        CHECK(reader.verdicts_of("d3").value().empty());
        CHECK(reader.judged_with("p2").value() == Ids{"d1"});
        auto judged = reader.judged().value();
        CHECK(judged.living["core.duty"] == 3);
        CHECK(judged.verdicts[{"core.duty", "plugin"}] == 2);
        CHECK(judged.findings_digest != none);
        const Ids plugin{"plugin"};
        CHECK(reader.unjudged("core.duty", plugin, "", 10).value().records == Ids{"d3"});
        const auto places = reader.findings("", "", 10).value();
        REQUIRE(places.size() == 2);
        CHECK(places[0].id == "f1");
        CHECK(places[1].record == "d2");
        CHECK(reader.findings("f2", "", 10).value().size() == 1);
        CHECK(reader.findings("", "R1", 10).value().size() == 1);
        CHECK(reader.findings("", "", 1).value().size() == 1);

        const std::vector<store::Verdict> again{{"d2", "v2", "plugin", "[]", {}}};
        REQUIRE(index->put_verdicts(again));
        CHECK(reader.verdicts_of("d2").value().at(0).version == "v2");
        CHECK(reader.findings("", "", 10).value().empty());
        CHECK(reader.judged().value().findings_digest == none);
        CHECK(reader.judged().value().verdicts[{"core.duty", "plugin"}] == 2);
        const Ids drop{"d1"};
        REQUIRE(index->drop_verdicts(drop));
        CHECK(reader.verdicts_of("d1").value().empty());
        CHECK(reader.judged_with("p2").value().empty());
        CHECK(reader.judged().value().verdicts[{"core.duty", "plugin"}] == 1);
        CHECK(index->check());
    }
    SUBCASE("a change of a record takes its verdicts away") {
        const std::vector<store::Verdict> verdicts{{"d1", "v1", "plugin", "[]", {"p1"}},
                                                   {"d3", "v1", "plugin", "[]", {"p1"}}};
        REQUIRE(index->put_verdicts(verdicts));
        north.change("d1", {{"place", "\"yard\""}});
        north.remove("d3");
        apply_all(*index, north.runs());
        CHECK(reader.verdicts_of("d1").value().empty());
        CHECK(reader.judged_with("p1").value().empty());
        auto judged = reader.judged().value();
        CHECK(judged.living["core.duty"] == 2);
        CHECK(judged.verdicts[{"core.duty", "plugin"}] == 0);
        CHECK(index->check());
    }
    SUBCASE("what changed since a point is found again, and how far verdicts reach is remembered") {
        CHECK(reader.judged_upto("school").value() == store::IndexPoint{});
        const auto all = reader.changed_since({}).value();
        const auto before = reader.point().value();
        CHECK(reader.changed_since(before).value().empty());
        CHECK(reader.changed_since({"another", before.order}).value().size() == all.size());
        REQUIRE(index->set_judged_upto("school", before));
        CHECK(reader.judged_upto("school").value() == before);
        CHECK(reader.judged_upto("district").value() == store::IndexPoint{});
        north.change("d1", {{"place", "\"yard\""}});
        apply_all(*index, north.runs());
        CHECK(reader.point().value() != before);
        CHECK(reader.changed_since(before).value() == Ids{"d1"});
        CHECK(reader.judged_upto("school").value() == before);
        const auto later = reader.point().value();
        const auto last = north.last();
        CHECK(index->retract_from(north.writer(), last).value() == Ids{"d1"});
        CHECK(reader.changed_since(later).value() == Ids{"d1"});
        const auto changed = index->retract_from(north.writer(), 2).value();
        CHECK(changed.size() == all.size() - 1);
        CHECK(std::find(changed.begin(), changed.end(), "d2") != changed.end());
        CHECK(index->retract_from(north.writer(), 2).value().empty());
        CHECK(index->check());
    }
    SUBCASE("verdicts of plugins that are off go") {
        const store::Verdict::Found told{"f1", "R1", blake2b("told")};
        const std::vector<store::Verdict> verdicts{{"d1", "v1", "old", "[1]", {}, {told}}};
        const std::string none = reader.judged().value().findings_digest;
        REQUIRE(index->put_verdicts(verdicts));
        REQUIRE(index->keep_verdicts_of(Ids{"old"}));
        CHECK(reader.verdicts_of("d1").value().size() == 1);
        REQUIRE(index->keep_verdicts_of(Ids{"new"}));
        CHECK(reader.verdicts_of("d1").value().empty());
        CHECK(reader.judged().value().findings_digest == none);
        CHECK(reader.judged().value().verdicts.empty());
    }
}

// A small world: three writers who learn of each other now and then and touch the same records.
inline std::vector<Author> index_contract_world(unsigned seed) {
    std::vector<Author> authors{Author("northsite-1111"), Author("southsite-1111"),
                                Author("westsite-1111", 1'700'000'500'000)};
    auto random = [state = seed]() mutable {
        state = state * 1664525u + 1013904223u;
        return state >> 16;
    };
    for (int step = 0; step < 60; ++step) {
        Author& author = authors[random() % 3];
        const std::string record = "r" + std::to_string(random() % 8);
        const std::string value = std::to_string(random() % 5);
        switch (random() % 6) {
            case 0:
                author.create(record, "core.duty", {{"title", "\"Duty " + value + "\""}});
                break;
            case 1:
                author.remove(record);
                break;
            case 2:
                author.learn(authors[random() % 3]);
                break;
            case 3: {
                domain::Operation operation = author.make(domain::Verb::Change, record);
                operation.changes = {{"tags", domain::Act::Add, "\"t" + value + "\""}};
                author.write(operation);
                break;
            }
            default:
                author.change(record, {{"priority", value}, {"title", "\"" + value + "\""}});
        }
    }
    return authors;
}

inline void index_contract_of_order(const MakeIndex& make) {
    const Kinds kinds = test_kinds();
    for (unsigned seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        const std::vector<Author> authors = index_contract_world(seed);
        const auto first = make(kinds);
        for (const Author& author : authors) apply_all(*first, author.runs());
        REQUIRE(first->check());

        // In small pieces and another order, some delivered twice.
        const auto second = make(kinds);
        unsigned random = seed;
        std::vector<std::uint64_t> done(authors.size(), 0);
        for (bool more = true; more;) {
            more = false;
            for (std::size_t i = authors.size(); i-- > 0;) {
                random = random * 1664525u + 1013904223u;
                const std::uint64_t upto =
                    std::min<std::uint64_t>(authors[i].last(), done[i] + (random >> 16) % 4);
                const std::uint64_t from = done[i] > 1 ? done[i] - 1 : 1;
                if (upto > done[i]) apply_all(*second, authors[i].runs(from, upto));
                done[i] = upto;
                more = more || upto < authors[i].last();
            }
        }
        CHECK(digest_of(*second) == digest_of(*first));
        CHECK(operations_digest_of(*second) == operations_digest_of(*first));
        CHECK(second->check());

        // In one bulk load.
        const auto third = make(kinds);
        REQUIRE(third->begin_bulk());
        for (const Author& author : authors) {
            for (const auto& run : author.runs()) apply_all(*third, {run});
        }
        REQUIRE(third->end_bulk());
        while (third->catch_up_search(3).value()) {
        }
        CHECK(digest_of(*third) == digest_of(*first));
        CHECK(operations_digest_of(*third) == operations_digest_of(*first));
        CHECK(third->frontier() == first->frontier());
        CHECK(third->check());
        for (const store::Query& query :
             {store::Query{.kind = "core.duty", .deleted = true}, store::Query{.text = "duty"},
              store::Query{.where = {{"tags", "\"t1\""}}}}) {
            auto expected = list_ids(*first, query), got = list_ids(*third, query);
            std::sort(expected.begin(), expected.end());
            std::sort(got.begin(), got.end());
            CHECK(got == expected);
        }

        // Retracting gives what never having had them gives.
        const auto fourth = make(kinds);
        const std::uint64_t kept = authors[1].last() / 2;
        apply_all(*fourth, authors[0].runs());
        apply_all(*fourth, authors[1].runs(1, kept));
        REQUIRE(first->retract_from(authors[2].writer(), 1));
        REQUIRE(first->retract_from(authors[1].writer(), kept + 1));
        CHECK(digest_of(*first) == digest_of(*fourth));
        CHECK(operations_digest_of(*first) == operations_digest_of(*fourth));
        CHECK(first->frontier() == fourth->frontier());
        CHECK(first->check());
        apply_all(*first, authors[2].runs());
        apply_all(*first, authors[1].runs());
        CHECK(digest_of(*first) == digest_of(*second));
        CHECK(first->check());
    }
}

inline void index_contract(const MakeIndex& make) {
    SUBCASE("applying") {
        index_contract_of_apply(make);
    }
    SUBCASE("asking") {
        index_contract_of_queries(make);
    }
    SUBCASE("any order, any way in") {
        index_contract_of_order(make);
    }
}

}  // namespace dutybook::testing
