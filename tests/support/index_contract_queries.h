#pragma once
// What an Index must answer; see index_contract.h.

#include "support/index_asking.h"

#include <algorithm>

namespace dutybook::testing {

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

}  // namespace dutybook::testing
