#include "needs_fixture.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::rules;
using test::MemoryKinds;
using test::MemorySource;
using test::record;

namespace {

const MemoryKinds kinds{{"m.dose", {"order", "person", "by"}},
                        {"m.order", {"person", "prescriber"}},
                        {"m.consent", {"order", "persons"}},
                        {"c.credential", {"person"}},
                        {"c.person", {}}};

NeedSet set_of(const char* needs, const char* kind = "m.dose", bool clock = false) {
    auto set = parse_needs(Json::parse(needs), "dose", {kind}, clock, "/rules/0/needs");
    REQUIRE_MESSAGE(set.has_value(), set.error().text());
    return *set;
}

Error refused(const char* needs) {
    const auto set = parse_needs(Json::parse(needs), "dose", {"m.dose"}, false, "/rules/0/needs");
    REQUIRE(!set.has_value());
    return set.error();
}

NeedContext school() {
    NeedContext context;
    context.space = "school";
    context.kinds = &kinds;
    return context;
}

RuleRecord dose(const char* id, const char* order, const char* at) {
    return record(id, "m.dose", {{"order", order}, {"person", "p1"}, {"at", at}});
}

std::vector<std::string> ids(const std::vector<RuleRecord>& records) {
    std::vector<std::string> found;
    for (const RuleRecord& one : records) found.push_back(one.id);
    return found;
}

using Ids = std::vector<std::string>;

const char* const two_needs = R"({
    "order": {"kind": "m.order", "id": "dose.order"},
    "others": {"kind": "m.dose", "where": {"person": "dose.person"}, "field": "at",
               "from": "dose.at - PT24H", "to": "dose.at + PT24H"}})";

}  // namespace

TEST_CASE("a need by id and one by conditions become exact lookups") {
    const NeedSet set = set_of(two_needs);
    const Bindings bindings{{"dose", {dose("d1", "o1", "2026-05-04T12:00:00Z")}}};
    const auto by_id = forward(*set.find("order"), bindings, school());
    REQUIRE(by_id.has_value());
    REQUIRE(by_id->size() == 1);
    CHECK(by_id->front().ids == Ids{"o1"});
    CHECK(by_id->front().kind == "m.order");

    const auto others = forward(*set.find("others"), bindings, school());
    REQUIRE(others->size() == 1);
    const NeedQuery& query = others->front();
    CHECK(query.where == decltype(query.where){{"person", "\"p1\""}});
    CHECK(query.space == "school");
    CHECK(format_utc(*query.from) == "2026-05-03T12:00:00Z");
    CHECK(format_utc(*query.to) == "2026-05-05T12:00:00Z");
}

TEST_CASE("a path without a value asks nothing") {
    const NeedSet set = set_of(two_needs);
    const Bindings bindings{{"dose", {record("d1", "m.dose", {{"person", "p1"}})}}};
    CHECK(forward(*set.find("order"), bindings, school())->empty());
    CHECK(forward(*set.find("others"), bindings, school())->empty());
}

TEST_CASE("needs follow those that they depend on, and lists ask for each") {
    const NeedSet set = set_of(R"({
        "consents": {"kind": "m.consent", "where": {"order": "order._id"}},
        "signers": {"kind": "c.person", "id": "consents.persons", "list": true},
        "order": {"kind": "m.order", "id": "dose.order"}})");
    CHECK(set.needs[0].name == "order");
    CHECK(set.needs[1].name == "consents");
    MemorySource source;
    source.records = {record("o1", "m.order", {{"person", "p1"}}),
                      record("c1", "m.consent", {{"order", "o1"}, {"persons", {"p7", "p8"}}}),
                      record("c2", "m.consent", {{"order", "o2"}, {"persons", {"p9"}}}),
                      record("p7", "c.person", Json::object()),
                      record("p8", "c.person", Json::object()),
                      record("p9", "c.person", Json::object())};
    const auto gathered = gather(set, dose("d1", "o1", "2026-05-04T12:00:00Z"), school(), source);
    REQUIRE(gathered.has_value());
    CHECK(gathered->unchecked.empty());
    CHECK(ids(gathered->records.at("consents")) == Ids{"c1"});
    CHECK(ids(gathered->records.at("signers")) == Ids{"p7", "p8"});
    CHECK(gathered->reads == Ids{"c1", "o1", "p7", "p8"});
    CHECK(!gathered->records.contains("dose"));
}

TEST_CASE("what is read gives a digest that changes with a version, not with the order") {
    const NeedSet set = set_of(two_needs);
    MemorySource source;
    source.records = {record("o1", "m.order", Json::object()),
                      dose("d2", "o1", "2026-05-04T11:00:00Z"),
                      dose("d3", "o1", "2026-05-04T10:00:00Z")};
    const RuleRecord subject = dose("d1", "o1", "2026-05-04T12:00:00Z");
    const std::string digest = gather(set, subject, school(), source)->digest;
    std::reverse(source.records.begin(), source.records.end());
    CHECK(gather(set, subject, school(), source)->digest == digest);
    source.records[0].version = "v2";
    CHECK(gather(set, subject, school(), source)->digest != digest);
}

TEST_CASE("constants, configuration and now") {
    const NeedSet set = set_of(R"({
        "due": {"kind": "m.order", "where": {"state": {"const": "open"}, "route": "config.route"},
                "field": "end", "from": "now", "to": "now + config.ahead"}})",
                               "m.dose", true);
    NeedContext context = school();
    context.now = *parse_instant("2026-05-04T12:00:00Z");
    context.configuration = {{"route", "oral"}, {"ahead", "P7D"}};
    const Bindings bindings{{"dose", {dose("d1", "o1", "2026-05-04T12:00:00Z")}}};
    const auto queries = forward(set.needs[0], bindings, context);
    REQUIRE(queries->size() == 1);
    CHECK(queries->front().where.size() == 2);
    CHECK(format_utc(*queries->front().to) == "2026-05-11T12:00:00Z");
    context.configuration["ahead"] = "soon";
    CHECK(forward(set.needs[0], bindings, context)->empty());
}

TEST_CASE("more records than the limit, or more lookups than 200, leave the rule unchecked") {
    const NeedSet set = set_of(R"({"others": {"kind": "m.dose", "where": {"person": "dose.person"},
                                   "limit": 2}})");
    MemorySource source;
    for (int i = 0; i < 3; ++i) {
        source.records.push_back(
            dose(("d" + std::to_string(i)).c_str(), "o1", "2026-05-04T12:00:00Z"));
    }
    const auto gathered = gather(set, source.records[0], school(), source);
    CHECK(gathered->unchecked == "more than 2 records match the need \"others\"");
    CHECK(gathered->records.at("others").empty());

    RuleRecord many = source.records[0];
    Json persons = Json::array();
    for (int i = 0; i < 300; ++i) persons.push_back("p" + std::to_string(i));
    many.fields["person"] = canonical(persons);
    CHECK(gather(set, many, school(), source)->unchecked.find("200 lookups") != std::string::npos);
}

TEST_CASE("references name records of the parent as each space writes them") {
    const NeedSet set = set_of(R"({
        "credentials": {"kind": "c.credential", "where": {"person": "dose.by"}},
        "order": {"kind": "m.order", "id": "dose.order"},
        "consents": {"kind": "m.consent", "where": {"order": "order._id"}}})");
    MemorySource source;
    source.records = {record("c1", "c.credential", {{"person", "p5"}}, "district"),
                      record("c2", "c.credential", {{"person", "p5"}}, "school"),
                      record("c3", "c.credential", {{"person", "district/p5"}}, "school"),
                      record("o1", "m.order", Json::object(), "district"),
                      record("n1", "m.consent", {{"order", "district/o1"}}, "school"),
                      record("n2", "m.consent", {{"order", "o1"}}, "school"),
                      record("n3", "m.consent", {{"order", "o1"}}, "district")};
    RuleRecord subject = dose("d1", "district/o1", "2026-05-04T12:00:00Z");
    subject.fields["by"] = "\"district/p5\"";
    auto gathered = gather(set, subject, school(), source);
    CHECK(ids(gathered->records.at("credentials")) == Ids{"c3", "district/c1"});
    CHECK(ids(gathered->records.at("order")) == Ids{"district/o1"});
    CHECK(ids(gathered->records.at("consents")) == Ids{"district/n3", "n1"});

    subject.fields["by"] = "\"p5\"";  // another person, of the school itself
    gathered = gather(set, subject, school(), source);
    CHECK(ids(gathered->records.at("credentials")) == Ids{"c2"});
}

TEST_CASE("an amended order reaches its doses and nothing else") {
    const NeedSet set = set_of(two_needs);
    MemorySource source;
    source.records = {dose("d1", "o1", "2026-05-04T12:00:00Z"),
                      dose("d2", "o2", "2026-05-04T12:00:00Z"),
                      dose("d3", "o1", "2026-08-04T12:00:00Z")};
    const RecordChange change{std::nullopt, record("o1", "m.order", {{"min_interval_min", 240}})};
    CHECK(*reached(set, change, school(), source) == Ids{"d1", "d3"});
}

TEST_CASE("a dose reaches itself and the doses around it, as it was and as it is") {
    const NeedSet set = set_of(two_needs);
    MemorySource source;
    source.records = {dose("near_old", "o1", "2026-05-04T10:00:00Z"),
                      dose("near_new", "o1", "2026-05-20T10:00:00Z"),
                      dose("far", "o1", "2026-06-04T10:00:00Z"),
                      dose("edge", "o1", "2026-05-05T12:00:00Z"),
                      dose("over", "o1", "2026-05-05T12:00:01Z"),
                      dose("moved", "o1", "2026-05-20T12:00:00Z")};
    const RecordChange change{dose("moved", "o1", "2026-05-04T12:00:00Z"),
                              dose("moved", "o1", "2026-05-20T12:00:00Z")};
    CHECK(*reached(set, change, school(), source) == Ids{"edge", "moved", "near_new", "near_old"});
}

TEST_CASE("a record of no kind that is needed reaches nothing") {
    MemorySource source;
    source.records = {dose("d1", "o1", "2026-05-04T12:00:00Z")};
    const RecordChange change{std::nullopt, record("x", "core.duty", {{"order", "o1"}})};
    CHECK(reached(set_of(two_needs), change, school(), source)->empty());
    CHECK(source.asked.empty());
}

TEST_CASE("a need without conditions is reached from everywhere") {
    const NeedSet set = set_of(R"({"calendar": {"kind": "l.calendar"}})");
    MemorySource source;
    source.records = {dose("d1", "o1", "2026-05-04T12:00:00Z"),
                      dose("d2", "o2", "2026-05-04T12:00:00Z")};
    const RecordChange change{std::nullopt, record("cal", "l.calendar", {{"tz", "x"}})};
    CHECK(*reached(set, change, school(), source) == Ids{"d1", "d2"});
}

TEST_CASE("bugs in needs are refused with the place") {
    Error error = refused(R"({"order": {"kind": "m.order", "id": "doze.order"}})");
    CHECK(error.pointer == "/rules/0/needs/order/id");
    CHECK(error.fix == "did you mean dose?");
    CHECK(refused(R"({"a": {"kind": "x.y", "id": "b.f"}, "b": {"kind": "x.y", "id": "a.f"}})")
              .what.find("circle") != std::string::npos);
    CHECK(refused(R"({"dose": {"kind": "x.y"}})").pointer == "/rules/0/needs/dose");
    CHECK(refused(R"({"a": {"kind": "x.y", "field": "at", "from": "now - P1D"}})").pointer ==
          "/rules/0/needs/a/from");
    CHECK(refused(R"({"a": {"kind": "x.y", "field": "at", "from": "dose.at - 24H"}})").pointer ==
          "/rules/0/needs/a/from");
    CHECK(refused(R"({"a": {"kind": "x.y", "where": {"f": "dose"}}})").pointer ==
          "/rules/0/needs/a/where/f");
    CHECK(refused(R"({"a": {"kind": "x.y", "id": "dose._nothing"}})").what.find("_created") !=
          std::string::npos);
    CHECK(refused(R"({"a": {"kind": "x.y", "id": "dose.f", "where": {"g": "dose.g"}}})")
              .what.find("not by both") != std::string::npos);
}
