#include "unit/api/daemon_fixture.h"

#include <doctest/doctest.h>

#include <set>

using namespace dutybook;
using namespace dutybook::test;

namespace {
const std::string records = "/v1/spaces/north/records";
const RunningDaemon::Headers lines = {{"Content-Type", "application/x-ndjson"}};
}  // namespace

TEST_CASE("a record is written, read, changed, deleted and restored") {
    RunningDaemon daemon;
    const Answer created =
        daemon.ask("POST", records, duty_body("Bus", "d1"), {{"X-Dutybook-By", "p1"}});
    REQUIRE(created.status == 201);
    CHECK(created.headers.at("location") == "/v1/spaces/north/records/d1");
    const Json record = json_of(created);
    CHECK(record["id"] == "d1");
    CHECK(record["space"] == "north");
    CHECK(record["envelope"]["by"] == "p1");
    CHECK(record["envelope"]["auth"] == "socket");
    CHECK(record["envelope"]["status"] == "draft");
    CHECK(record["wrote"] == true);
    CHECK(created.headers.at("etag") == "\"" + record["version"].get<std::string>() + "\"");

    const Answer read = daemon.get(records + "/d1");
    CHECK(read.status == 200);
    CHECK(json_of(read)["fields"]["title"] == "Bus");

    const Answer changed =
        daemon.ask("PATCH", records + "/d1", R"({"title":"Bus 7","tags":{"$add":["am"]}})",
                   {{"If-Match", read.headers.at("etag")}});
    REQUIRE(changed.status == 200);
    CHECK(json_of(changed)["fields"]["tags"] == Json::array({"am"}));

    const Answer stale = daemon.ask("PATCH", records + "/d1", R"({"title":"Late"})",
                                    {{"If-Match", read.headers.at("etag")}});
    CHECK(stale.status == 412);
    CHECK(json_of(stale)["code"] == "stale");
    CHECK(json_of(stale)["changes"].size() == 2);

    CHECK(json_of(daemon.ask("DELETE", records + "/d1"))["deleted"] == true);
    CHECK(daemon.get(records + "/d1").status == 404);
    CHECK(json_of(daemon.get(records + "/d1?deleted=1"))["deleted"] == true);
    CHECK(daemon.ask("PATCH", records + "/d1", R"({"title":"x"})").status == 409);
    CHECK(json_of(daemon.ask("DELETE", records + "/d1"))["wrote"] == false);
    CHECK(daemon.ask("POST", records + "/d1/restore").status == 200);
    CHECK(daemon.get(records + "/d1").status == 200);
}

TEST_CASE("what stands already is not written again, and a key is answered once") {
    RunningDaemon daemon;
    daemon.add_duty("Bus", "d1");
    const Answer same = daemon.ask("PATCH", records + "/d1", R"({"title":"Bus"})");
    CHECK(same.status == 200);
    CHECK(json_of(same)["wrote"] == false);
    const std::string body = duty_body("Twice");
    const Answer first = daemon.ask("POST", records, body, {{"Idempotency-Key", "k1"}});
    const Answer again = daemon.ask("POST", records, body, {{"Idempotency-Key", "k1"}});
    REQUIRE(first.status == 201);
    CHECK(json_of(first)["id"] == json_of(again)["id"]);
    CHECK(json_of(daemon.ask("POST", records,
                             R"({"kind":"core.duty","id":"d1","fields":{}})"))["code"] !=
          "internal");
}

TEST_CASE("a batch answers each line in order, stores the good ones and names the bad") {
    RunningDaemon daemon;
    const std::string good = duty_body("a");
    const std::string body =
        good + "\n\n" + "{\n" + R"({"kind":"no.such","fields":{}})" + "\n" +
        R"({"kind":"core.duty","fields":{"title":7,"category":"a","priority":"low","state":"open"}})" +
        "\n" + std::string(2'000'000, '[') + "\n" + "\"\xff\"\n" +
        R"({"kind":"core.duty","kind":"b","fields":{}})" + "\n" + good;
    const Answer answer = daemon.ask("POST", records, body, lines);
    REQUIRE(answer.status == 200);
    CHECK(answer.headers.at("content-type") == "application/x-ndjson");
    const auto out = lines_of(answer);
    REQUIRE(out.size() == 8);
    CHECK(out.front()["wrote"] == true);
    CHECK(out.back()["wrote"] == true);
    const std::uint64_t numbers[] = {3, 4, 5, 6, 7, 8};
    for (std::size_t i = 0; i < 6; ++i) {
        CAPTURE(out[i + 1].dump());
        CHECK(out[i + 1]["line"] == numbers[i]);
        CHECK(out[i + 1]["status"].get<int>() >= 400);
        CHECK(out[i + 1]["status"].get<int>() < 500);
    }
    CHECK(out[2]["pointer"] == "/kind");
    CHECK(out[3]["pointer"] == "/fields/title");
    CHECK(json_of(daemon.get(records + "?kind=core.duty"))["items"].size() == 2);
}

TEST_CASE("a long batch comes through whole, in order, and once for each key") {
    RunningDaemon daemon;
    std::string body;
    constexpr int count = 5000;
    for (int i = 0; i < count; ++i) {
        body += duty_body("t", "b" + std::to_string(i)) + "\n";
    }
    RunningDaemon::Headers headers = lines;
    headers.emplace_back("Idempotency-Key", "batch");
    for (int round = 0; round < 2; ++round) {
        const auto out = lines_of(daemon.ask("POST", records, body, headers));
        REQUIRE(out.size() == count);
        bool ordered = true;
        for (int i = 0; i < count; ++i)
            ordered = ordered && out[static_cast<std::size_t>(i)]["id"] == "b" + std::to_string(i);
        CHECK(ordered);
    }
    CHECK(json_of(daemon.get("/v1/status"))["spaces"][0]["operations"] == count);
}

TEST_CASE("lists filter, page and refuse what is mistyped") {
    RunningDaemon daemon;
    for (int i = 0; i < 5; ++i)
        daemon.add_duty("Duty " + std::to_string(i), "d" + std::to_string(i));
    CHECK(daemon.ask("PATCH", records + "/d3", R"({"priority":"urgent"})").status == 200);
    const Json urgent = json_of(daemon.get(records + "?kind=core.duty&where=priority:urgent"));
    REQUIRE(urgent["items"].size() == 1);
    CHECK(urgent["items"][0]["id"] == "d3");
    std::set<std::string> seen;
    std::string cursor;
    do {
        const Json page =
            json_of(daemon.get(records + "?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor)));
        CHECK(page["items"].size() <= 2);
        for (const auto& item : page["items"]) seen.insert(item["id"].get<std::string>());
        cursor = page["next"].is_null() ? "" : page["next"].get<std::string>();
    } while (!cursor.empty());
    CHECK(seen.size() == 5);
    CHECK(json_of(daemon.get(records + "?q=duty+3"))["items"].size() == 1);
    CHECK(json_of(daemon.get(records + "?prefix=d"))["items"].size() == 5);
    CHECK(json_of(daemon.get(records + "?since=2026-05-05"))["items"].empty());
    CHECK(json_of(daemon.get(records + "?until=2026-05-05"))["items"].size() == 5);
    CHECK(daemon.get(records + "?kind=core.dutty").status == 400);
    CHECK(daemon.get(records + "?where=priority").status == 400);
    CHECK(daemon.get(records + "?since=never").status == 400);
    CHECK(daemon.get(records + "?cursor=rubbish").status == 400);
    CHECK(daemon.get("/v1/spaces/nowhere/records").status == 404);
    CHECK(daemon.get("/v1/spaces/-/records").status == 200);
}

TEST_CASE("people's references find one record or name the candidates") {
    RunningDaemon daemon;
    daemon.add_duty("Morning bus line", "abc-1");
    daemon.add_duty("Lunch room", "abc-2");
    CHECK(json_of(daemon.get(records + "/abc-1"))["id"] == "abc-1");
    CHECK(json_of(daemon.get(records + "/%40lunch"))["id"] == "abc-2");
    CHECK(json_of(daemon.get(records + "/north%2Fabc-2"))["id"] == "abc-2");
    const Answer both = daemon.get(records + "/abc");
    CHECK(both.status == 409);
    CHECK(json_of(both)["code"] == "ambiguous");
    REQUIRE(json_of(both)["candidates"].size() == 2);
    CHECK(json_of(both)["candidates"][0].contains("title"));
    CHECK(daemon.get(records + "/xyz").status == 404);
    CHECK(daemon.get(records + "/%40nobody").status == 404);
    CHECK(daemon.ask("DELETE", records + "/abc").status == 409);
    CHECK(json_of(daemon.ask("PATCH", records + "/%40lunch", R"({"title":"Room"})"))["id"] ==
          "abc-2");
}

TEST_CASE("history, the past and differences are told") {
    RunningDaemon daemon;
    daemon.add_duty("One", "d1");
    daemon.ask("PATCH", records + "/d1?reason=typo", R"({"title":"Two"})");
    const Json history = json_of(daemon.get(records + "/d1/history"))["items"];
    REQUIRE(history.size() >= 2);
    const Json& last = history.back();
    CHECK(last["do"] == "set");
    CHECK(last["field"] == "title");
    CHECK(last["old"] == "One");
    CHECK(last["new"] == "Two");
    CHECK(last["reason"] == "typo");
    const Json first = json_of(daemon.get(records + "/d1/history?limit=1"));
    CHECK(first["items"] == Json::array({history.front()}));
    const Json rest =
        json_of(daemon.get(records + "/d1/history?cursor=" + first["next"].get<std::string>()));
    CHECK(rest["items"].size() == history.size() - 1);
    CHECK(rest["next"].is_null());
    CHECK(daemon.get(records + "/d1/history?cursor=x").status == 400);
    CHECK(daemon.get(records + "/d1?at=2001-01-01").status == 404);
    CHECK(json_of(daemon.get(records + "/d1?at=now"))["fields"]["title"] == "Two");
    const Json diff = json_of(daemon.get(records + "/d1/diff?a=2001-01-01&b=now"));
    CHECK(diff["items"].size() >= 1);
    CHECK(daemon.get(records + "/d1/diff?a=now").status == 400);
}

TEST_CASE("a final record changes only with a reason") {
    RunningDaemon daemon;
    daemon.add_duty("One", "d1");
    CHECK(json_of(daemon.ask("POST", records + "/d1/finalise"))["envelope"]["status"] == "final");
    CHECK(daemon.ask("PATCH", records + "/d1", R"({"title":"Two"})").status == 422);
    CHECK(daemon.ask("PATCH", records + "/d1?reason=why", R"({"title":"Two"})").status == 200);
    CHECK(daemon.ask("POST", records + "/d1/retract").status == 422);
    CHECK(json_of(daemon.ask("POST", records + "/d1/retract?reason=wrong"))["envelope"]["status"] ==
          "retracted");
}
