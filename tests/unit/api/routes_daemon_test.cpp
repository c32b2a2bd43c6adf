#include "unit/api/daemon_fixture.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::test;

namespace {
const std::string records = "/v1/spaces/north/records";
}

TEST_CASE("status has the shape that scripts rely on") {
    RunningDaemon daemon;
    daemon.add_duty("One");
    const Json status = json_of(daemon.get("/v1/status"));
    CHECK(status["site"]["name"] == "North");
    CHECK(status["site"]["id"].get<std::string>().size() == 26);
    REQUIRE(status["spaces"].size() == 1);
    const Json& space = status["spaces"][0];
    CHECK(space["name"] == "north");
    CHECK(space["records"] == 1);
    CHECK(space["operations"] == 1);
    CHECK(space["unsealed"] == 1);
    CHECK(space["unchecked"] == 0);
    CHECK(space["findings_digest"].is_string());
    CHECK(space["frontier"].size() == 1);
    CHECK(space["frontier"].begin().value() == 1);
    CHECK(space["alarms"].empty());
    CHECK(json_of(daemon.ask("POST", "/v1/spaces/north/seal"))["segments"] == 1);
    CHECK(json_of(daemon.get("/v1/status"))["spaces"][0]["unsealed"] == 0);
}

TEST_CASE("kinds are listed and shown") {
    RunningDaemon daemon;
    const Json kinds = json_of(daemon.get("/v1/kinds"))["items"];
    CHECK(kinds.size() >= 17);
    const Json duty = json_of(daemon.get("/v1/kinds/core.duty"));
    CHECK(duty["kind"] == "core.duty");
    CHECK(duty["schema"].is_object());
    CHECK(daemon.get("/v1/kinds/core.dutty").status == 404);
}

TEST_CASE("over TCP a token is needed, and only for what its role may") {
    RunningDaemon daemon;
    CHECK(daemon.ask_tcp("GET", "/v1/health").status == 200);
    CHECK(daemon.ask_tcp("GET", "/v1/status").status == 401);
    CHECK(daemon.ask_tcp("POST", "/v1/tokens", R"({"name":"x","role":"writer"})").status == 403);
    const auto token = [&](const char* role) {
        const Answer answer = daemon.ask(
            "POST", "/v1/tokens", Json{{"name", "page"}, {"role", role}, {"by", "p7"}}.dump());
        REQUIRE(answer.status == 201);
        return json_of(answer);
    };
    const Json reader = token("reader"), writer = token("writer");
    const auto bearer = [](const Json& issued) {
        return RunningDaemon::Headers{
            {"Authorization", "Bearer " + issued["token"].get<std::string>()}};
    };
    CHECK(daemon.ask_tcp("GET", "/v1/status", {}, bearer(reader)).status == 200);
    const std::string duty = duty_body("a");
    CHECK(daemon.ask_tcp("POST", records, duty, bearer(reader)).status == 403);
    auto forged = bearer(writer);
    forged.emplace_back("X-Dutybook-By", "somebody-else");
    const Answer written = daemon.ask_tcp("POST", records, duty, forged);
    REQUIRE(written.status == 201);
    CHECK(json_of(written)["envelope"]["by"] == "p7");
    CHECK(json_of(written)["envelope"]["auth"] == "token");
    CHECK(daemon.ask("DELETE", "/v1/tokens/" + writer["id"].get<std::string>()).status == 204);
    CHECK(daemon.ask_tcp("GET", "/v1/status", {}, bearer(writer)).status == 401);
    CHECK_FALSE(json_of(daemon.get("/v1/tokens"))["items"][0].contains("token"));
}

TEST_CASE("a rebound host and a page of another origin get nothing") {
    RunningDaemon daemon;
    RawClient client = RawClient::tcp(daemon.http_address());
    CHECK(client.ask("GET /v1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n").status == 421);
    CHECK(daemon.ask_tcp("GET", "/v1/health", {}, {{"Origin", "http://evil.example"}}).status ==
          403);
    CHECK(daemon.ask_tcp("GET", "/v1/health", {}, {{"Sec-Fetch-Site", "cross-site"}}).status ==
          403);
}

TEST_CASE("hostile bodies are answered with a problem, and the daemon lives") {
    RunningDaemon daemon;
    const std::string deep(900'000, '[');
    for (const std::string& body :
         {deep, std::string("{"), std::string("null"), std::string("[]"), std::string("\"\xff\""),
          std::string(R"({"kind":"core.duty","kind":"x","fields":{}})"),
          std::string(R"({"kind":"core.duty","fields":{"n":123456789012345678901}})"),
          std::string("{\"kind\":\"a\\u0000\",\"fields\":{}}"), std::string("\xef\xbb\xbf{}"),
          std::string(R"({"kind":1,"fields":{}})"), std::string(R"({"kind":"core.duty"})")}) {
        CAPTURE(body.substr(0, 40));
        const Answer answer = daemon.ask("POST", records, body);
        CHECK(answer.status >= 400);
        CHECK(answer.status < 500);
        CHECK(json_of(answer)["title"].is_string());
    }
    CHECK(daemon.ask("POST", records, "a=b", {{"Content-Type", "text/plain"}}).status == 415);
    CHECK(daemon.ask("PUT", records + "/d1", "{}").status == 405);
    CHECK(daemon.get("/v1/health").status == 200);
}

TEST_CASE("remotes are added, changed and removed, and contacted by nobody") {
    RunningDaemon daemon;
    const std::string remotes = "/v1/spaces/north/remotes";
    CHECK(daemon.ask("POST", "/v1/spaces/north/sync").status == 409);
    const Answer added =
        daemon.ask("POST", remotes,
                   R"({"name":"hub","url":"https://u:secret@127.0.0.1:9/a.git","timeout":5})");
    REQUIRE(added.status == 201);
    CHECK(added.body.find("secret") == std::string::npos);
    CHECK(json_of(added)["timeout"] == 5);
    CHECK(json_of(added)["window"].is_null());
    const Answer changed = daemon.ask("PATCH", remotes + "/hub", R"({"window":"22:00-05:00"})");
    CHECK(json_of(changed)["window"] == "22:00-05:00");
    CHECK(json_of(changed)["next_window"].is_string());
    CHECK(daemon.ask("PATCH", remotes + "/hub", R"({"window":"9-5"})").status == 400);
    CHECK(daemon.ask("PATCH", remotes + "/hub", R"({"timeout":0})").status == 400);
    CHECK(daemon.ask("PATCH", remotes + "/none", R"({"timeout":9})").status == 404);
    CHECK(json_of(daemon.get(remotes))["items"].size() == 1);
    const Json invite =
        json_of(daemon.ask("POST", "/v1/spaces/north/invite", R"({"site":"South"})"));
    REQUIRE(invite["space"]["name"] == "north");
    CHECK(invite["remotes"][0]["name"] == "hub");
    CHECK(invite["parent"].is_null());
    CHECK(daemon.ask("POST", "/v1/spaces/north/sync", R"({"remote":"none"})").status == 404);
    CHECK(daemon.ask("DELETE", remotes + "/hub").status == 204);
    CHECK(json_of(daemon.get(remotes))["items"].empty());
}

TEST_CASE("spaces are made with a parent that is here, and named in references") {
    RunningDaemon daemon;
    CHECK(daemon.ask("POST", "/v1/spaces", R"({"name":"school","parent":"nobody"})").status == 404);
    CHECK(daemon.ask("POST", "/v1/spaces", R"({"name":"school","parent":"north"})").status == 201);
    CHECK(daemon.ask("POST", "/v1/spaces", R"({"name":"school"})").status == 409);
    CHECK(json_of(daemon.get("/v1/spaces"))["items"].size() == 2);
    daemon.add_duty("One", "d1");
    CHECK(json_of(daemon.get("/v1/spaces/school/records/north%2Fd1"))["space"] == "north");
    const Answer which = daemon.get("/v1/spaces/-/records");
    CHECK(which.status == 409);
    CHECK(json_of(which)["spaces"] == Json::array({"north", "school"}));
}

TEST_CASE("check stores nothing, and conflicts and findings are empty where there are none") {
    RunningDaemon daemon;
    const Answer checked = daemon.ask("POST", "/v1/spaces/north/check", duty_body("a"));
    CHECK(json_of(checked)["verdict"] == "allow");
    CHECK(json_of(checked)["earliest_next"].is_null());
    CHECK(json_of(daemon.get("/v1/status"))["spaces"][0]["operations"] == 0);
    CHECK(json_of(daemon.get("/v1/spaces/north/conflicts"))["items"].empty());
    CHECK(json_of(daemon.get("/v1/spaces/north/findings"))["items"].empty());
    CHECK(daemon
              .ask("POST", "/v1/spaces/north/findings/f1/answer",
                   R"({"state":"accepted","reason":"x"})")
              .status == 404);
    daemon.add_duty("One", "d1");
    CHECK(daemon.ask("POST", records + "/d1/resolve", R"({"field":"title","value":"x"})").status ==
          409);
    CHECK(daemon.ask("POST", records + "/d1/resolve", R"({"field":"title"})").status == 400);
}

TEST_CASE("verify and rebuild stream progress and end with a result") {
    RunningDaemon daemon;
    for (int i = 0; i < 20; ++i) daemon.add_duty("Duty " + std::to_string(i));
    daemon.ask("POST", "/v1/spaces/north/seal");
    daemon.add_duty("Tail");
    const RunningDaemon::Headers stream = {{"Accept", "application/x-ndjson"}};
    const auto verified =
        lines_of(daemon.ask("POST", "/v1/spaces/north/verify", R"({"full":true})", stream));
    REQUIRE(verified.size() >= 2);
    CHECK(verified.front().contains("progress"));
    CHECK(verified.back()["ok"] == true);
    CHECK(verified.back()["damage"].empty());
    const Json before = json_of(daemon.get("/v1/status"))["spaces"][0];
    const Answer rebuilt = daemon.ask("POST", "/v1/spaces/north/rebuild");
    INFO(rebuilt.body);
    REQUIRE(rebuilt.status == 200);
    CHECK(json_of(rebuilt)["digest"] == before["digest"]);
    CHECK(json_of(rebuilt)["operations"] == 21);
    CHECK(json_of(daemon.ask("POST", "/v1/spaces/north/repair", R"({"dry_run":true})"))["ok"] ==
          true);
    daemon.add_duty("After");
    CHECK(json_of(daemon.get("/v1/status"))["spaces"][0]["records"] == 22);
}

TEST_CASE("events tell what is written") {
    RunningDaemon daemon;
    RawClient listener = daemon.connect();
    listener.send("GET /v1/events?type=record HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(listener.read_until("retry: 2000\n") != "");
    const std::string id = daemon.add_duty("One");
    const std::string text = listener.read_until("\"space\":\"north\"");
    CHECK(text.find("event: record\n") != std::string::npos);
    CHECK(text.find(id) != std::string::npos);
}
