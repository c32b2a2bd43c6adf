#include "site_fixture.h"

#include <algorithm>

using namespace dutybook;
using namespace dutybook::testing;
using core::Action;

TEST_CASE("a created record is shown, and the answer is what the index shows") {
    TestSite site("north");
    auto fields = duty("Bus duty");
    fields["tags"] = {"bus", "yard", "bus"};
    const auto written = write(site, create("core.duty", fields));
    CHECK(written.wrote);
    CHECK(written.id.size() == 26);
    const auto state = shown(site, written.id);
    CHECK(state.fields.at("tags") == R"(["bus","yard"])");
    CHECK(state.fields.at("title") == R"("Bus duty")");
    CHECK(written.record.version == domain::version_of(state));
}

TEST_CASE("what is malformed is refused with a pointer, and nothing is journalled") {
    TestSite site("north");
    auto wrong = duty("Bus duty", "sometimes");
    wrong["state"] = 7;
    const auto error = refused(site, create("core.duty", wrong));
    CHECK(error.code == Code::Malformed);
    CHECK(error.pointer == "/fields/priority");
    CHECK(error.detail.find("/fields/state") != std::string::npos);
    CHECK(refused(site, create("core.dooty", duty("x"))).pointer == "/kind");
    CHECK(refused(site, create("core.duty", duty("x"), "a b")).pointer == "/id");
    CHECK(refused(site, create("core.need", {{"times_seen", 1.5}})).code == Code::Malformed);
    CHECK(site.journal().last_seq(site.engine().writer()) == 0);
}

TEST_CASE("an id is taken for good, also by a deleted record, also within a group") {
    TestSite site("north");
    write(site, create("core.duty", duty("x"), "d1"));
    CHECK(refused(site, create("core.duty", duty("y"), "d1")).code == Code::Exists);
    write(site, act(Action::Delete, "d1"));
    CHECK(refused(site, create("core.duty", duty("y"), "d1")).code == Code::Exists);
    const std::vector group{create("core.duty", duty("y"), "d2"),
                            create("core.duty", duty("z"), "d2")};
    const auto results = site.engine().write(group);
    CHECK(results[0].has_value());
    REQUIRE_FALSE(results[1].has_value());
    CHECK(results[1].error().code == Code::Exists);
}

TEST_CASE("a group sees its own effects and is one journal transaction") {
    TestSite site("north");
    auto second = patch("d1", {{"priority", "urgent"}});
    const std::vector group{create("core.duty", duty("x"), "d1"), std::move(second),
                            act(Action::Finalise, "d1"),
                            patch("d1", {{"title", "no reason given"}})};
    const auto results = site.engine().write(group);
    REQUIRE(results[1].has_value());
    CHECK(results[1]->record.state.fields.at("priority") == R"("urgent")");
    REQUIRE(results[2].has_value());
    CHECK(results[2]->record.state.status == domain::Status::Final);
    REQUIRE_FALSE(results[3].has_value());
    CHECK(results[3].error().code == Code::Rejected);
    CHECK(shown(site, "d1").fields.at("priority") == R"("urgent")");
    CHECK(site.journal().last_seq(site.engine().writer()) == 3);
}

TEST_CASE("setting what is shown writes nothing") {
    TestSite site("north");
    auto fields = duty("x");
    fields["tags"] = {"a"};
    write(site, create("core.duty", fields, "d1"));
    CHECK_FALSE(
        write(site, patch("d1", {{"title", "x"}, {"tags", {"a"}}, {"place", nullptr}})).wrote);
    CHECK_FALSE(write(site, patch("d1", {{"tags", {{"$add", {"a"}}, {"$remove", {"z"}}}}})).wrote);
    CHECK(site.journal().last_seq(site.engine().writer()) == 1);
}

TEST_CASE("sets and counters take instructions and whole values") {
    TestSite site("north");
    auto fields = duty("x");
    fields["tags"] = {"a", "b"};
    write(site, create("core.duty", fields, "d1"));
    write(site, patch("d1", {{"tags", {{"$add", {"c"}}, {"$remove", {"a"}}}}}));
    CHECK(shown(site, "d1").fields.at("tags") == R"(["b","c"])");
    write(site, patch("d1", {{"tags", {"c", "d"}}}));
    CHECK(shown(site, "d1").fields.at("tags") == R"(["c","d"])");
    CHECK(refused(site, patch("d1", {{"title", {{"$increment", 1}}}})).pointer ==
          "/title/$increment");

    write(site, create("core.need", {{"text", "chair"}, {"times_seen", 2}}, "n1"));
    write(site, patch("n1", {{"times_seen", {{"$increment", 3}}}}));
    CHECK(shown(site, "n1").fields.at("times_seen") == "5");
    write(site, patch("n1", {{"times_seen", 4}}));
    CHECK(shown(site, "n1").fields.at("times_seen") == "4");
}

TEST_CASE("a patch that breaks the schema is refused, a failure that stood already is not") {
    TestSite site("north");
    write(site, create("core.duty", duty("x"), "d1"));
    const auto error = refused(site, patch("d1", {{"title", nullptr}}));
    CHECK(error.code == Code::Malformed);
    CHECK(error.pointer == "/title");
    CHECK(refused(site, patch("d1", {{"priority", "whenever"}})).pointer == "/priority");
    CHECK(shown(site, "d1").fields.at("title") == R"("x")");
}

TEST_CASE("a final record changes only with a reason, a retracted one stays readable") {
    TestSite site("north");
    write(site, create("core.duty", duty("x"), "d1"));
    write(site, act(Action::Finalise, "d1"));
    CHECK_FALSE(write(site, act(Action::Finalise, "d1")).wrote);
    const auto error = refused(site, patch("d1", {{"title", "y"}}));
    CHECK(error.code == Code::Rejected);
    CHECK(error.why.find("CORE-R06") != std::string::npos);
    auto amended = patch("d1", {{"title", "y"}});
    amended.reason = "wrong bus";
    CHECK(write(site, amended).wrote);
    CHECK(refused(site, act(Action::Retract, "d1")).code == Code::Rejected);
    CHECK(write(site, act(Action::Retract, "d1", "entered in error")).wrote);
    CHECK(shown(site, "d1").status == domain::Status::Retracted);
    CHECK(shown(site, "d1").fields.at("title") == R"("y")");
}

TEST_CASE("a deleted record takes no change until it is restored; deleting twice writes nothing") {
    TestSite site("north");
    write(site, create("core.duty", duty("x"), "d1"));
    CHECK(write(site, act(Action::Delete, "d1")).record.state.deleted);
    CHECK_FALSE(write(site, act(Action::Delete, "d1")).wrote);
    const auto error = refused(site, patch("d1", {{"title", "y"}}));
    CHECK(error.code == Code::Conflict);
    CHECK(error.fix.find("restore") != std::string::npos);
    CHECK_FALSE(write(site, act(Action::Restore, "d1")).record.state.deleted);
    CHECK_FALSE(write(site, act(Action::Restore, "d1")).wrote);
    CHECK(refused(site, act(Action::Delete, "nobody")).code == Code::NotFound);
}

TEST_CASE("a form that lay open is answered with what changed since") {
    TestSite site("north");
    const auto seen = write(site, create("core.duty", duty("x"), "d1")).record.version;
    const auto now =
        write(site, patch("d1", {{"priority", "high"}, {"place", "gym"}})).record.version;
    auto late = patch("d1", {{"title", "y"}});
    late.if_version = seen;
    const auto error = refused(site, late);
    CHECK(error.code == Code::Stale);
    const Json detail = Json::parse(error.detail);
    CHECK(detail["version"] == now);
    CHECK(detail["changes"] == Json::parse(R"([{"field":"place","then":null,"now":"gym"},
        {"field":"priority","then":"normal","now":"high"}])"));
    late.if_version = now;
    CHECK(write(site, late).wrote);
}

TEST_CASE("an idempotency key answers what was answered, across a restart") {
    TestSite site("north");
    auto request = create("core.duty", duty("x"));
    request.idempotency_key = "form-7";
    const auto first = write(site, request);
    write(site, patch(first.id, {{"title", "y"}}));
    site.restart();
    const auto again = write(site, request);
    CHECK(again.id == first.id);
    CHECK(again.record.version == first.record.version);
    CHECK(again.record.state.fields.at("title") == R"("x")");
    CHECK(site.journal().last_seq(site.engine().writer()) == 2);

    auto other = create("core.duty", duty("z"));
    other.idempotency_key = "form-7";
    CHECK(refused(site, other).code == Code::Conflict);

    auto twice = create("core.duty", duty("w"));
    twice.idempotency_key = "form-8";
    const auto results = site.engine().write(std::vector{twice, twice});
    REQUIRE(results[1].has_value());
    CHECK(results[0]->id == results[1]->id);
    CHECK(site.journal().last_seq(site.engine().writer()) == 3);
}

TEST_CASE("the same record added again within a minute is stored, with a warning") {
    TestSite site("north");
    const auto first = write(site, create("core.duty", duty("x")));
    CHECK(first.same_as.empty());
    CHECK(write(site, create("core.duty", duty("x"))).same_as == first.id);
    CHECK(write(site, create("core.duty", duty("y"))).same_as.empty());
    site.clock().advance(61'000);
    CHECK(write(site, create("core.duty", duty("x"))).same_as.empty());
}

TEST_CASE("limits of one change and of one record") {
    TestSite site("north");
    auto large = duty("x");
    large["place"] = std::string(65'000, 'p');
    CHECK(write(site, create("core.duty", large, "d1")).wrote);
    large["place"] = std::string(65'536, 'p');
    CHECK(refused(site, create("core.duty", large)).code == Code::TooLarge);
    std::optional<Error> full;
    for (int i = 0; i < 20 && !full; ++i) {
        auto grow = patch("d1", {{"x" + std::to_string(i), std::string(60'000, 'q')}});
        auto result = site.engine().write({&grow, 1});
        if (!result[0]) full = result[0].error();
    }
    REQUIRE(full.has_value());
    CHECK(full->code == Code::TooLarge);
}

TEST_CASE("references to unknown records are stored as they are") {
    TestSite site("north");
    auto fields = duty("x");
    fields["assignee"] = "nobody-yet";
    CHECK(write(site, create("core.duty", fields, "d1")).wrote);
    CHECK(shown(site, "d1").fields.at("assignee") == R"("nobody-yet")");
}

TEST_CASE("a check validates and stores nothing") {
    TestSite site("north");
    const auto allowed = site.engine().check({"core.duty", "", duty("x"), {}});
    REQUIRE(allowed.has_value());
    CHECK(allowed->verdict == "allow");
    CHECK_FALSE(site.engine().check({"core.duty", "", {{"priority", "x"}}, {}}).has_value());
    CHECK(site.engine().check({"core.duty", "", {{"title", "x"}}, {}}).has_value());
    CHECK(site.journal().last_seq(site.engine().writer()) == 0);
}
