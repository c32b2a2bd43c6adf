#include "api/problem.h"
#include "api/http.h"
#include "api/shapes.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::api;

TEST_CASE("each code has its status") {
    const std::pair<Code, unsigned> expected[] = {
        {Code::Malformed, 400},   {Code::Rejected, 422},    {Code::Denied, 403},
        {Code::Forbidden, 403},   {Code::NotFound, 404},    {Code::Ambiguous, 409},
        {Code::Exists, 409},      {Code::Conflict, 409},    {Code::Stale, 412},
        {Code::TooLarge, 413},    {Code::Unavailable, 503}, {Code::Timeout, 504},
        {Code::Full, 507},        {Code::Io, 500},          {Code::Corrupt, 500},
        {Code::NewerFormat, 501}, {Code::Internal, 500}};
    for (const auto& [code, status] : expected) {
        CAPTURE(code_name(code));
        CHECK(http_status(code) == status);
        CHECK(reason_phrase(status) != "Status");
    }
}

TEST_CASE("a problem says what, why, what to do and where, with the detail's members beside") {
    Error error = failure(Code::Stale, "the record changed", "another saved it", "look again");
    error.pointer = "/fields/a";
    error.line = 7;
    error.detail = R"({"changes":[{"field":"a"}],"code":"forged","status":200})";
    const Response response = problem(error);
    CHECK(response.status == 412);
    CHECK(response.content_type == "application/problem+json");
    const Json json = Json::parse(response.body);
    CHECK(json["title"] == "the record changed");
    CHECK(json["why"] == "another saved it");
    CHECK(json["fix"] == "look again");
    CHECK(json["pointer"] == "/fields/a");
    CHECK(json["line"] == 7);
    CHECK(json["changes"][0]["field"] == "a");
    // The detail cannot take the place of the problem's own members.
    CHECK(json["code"] == "stale");
    CHECK(json["status"] == 412);
}

TEST_CASE("a problem of a line names a place in it, the whole of it if no other") {
    Error error = malformed("not valid JSON at byte 3");
    CHECK_FALSE(Json::parse(problem(error).body).contains("pointer"));
    error.line = 2;
    CHECK(Json::parse(problem(error).body)["pointer"] == "");
}

TEST_CASE("a problem is JSON whatever bytes an error names") {
    const Json json = Json::parse(problem(malformed("bad \xff byte\n\"")).body, nullptr, false);
    CHECK(json.is_object());
    Error error = malformed("x");
    error.detail = "not json";
    CHECK(Json::parse(problem(error).body)["title"] == "x");
}

TEST_CASE("text is quoted as JSON reads it back") {
    for (const std::string& text :
         {std::string("plain"), std::string("a\"b\\c/d"), std::string("line\nand\ttab\r\x01\x1f"),
          std::string("h\u00e4ndisch \u2014 \U0001F600"), std::string()}) {
        std::string quoted;
        append_quoted(quoted, text);
        CHECK(Json::parse(quoted).get<std::string>() == text);
    }
}

TEST_CASE("a password in a URL is not shown") {
    CHECK(without_password("https://user:secret@host/a.git") == "https://user@host/a.git");
    CHECK(without_password("https://user@host/a.git") == "https://user@host/a.git");
    CHECK(without_password("https://host:8080/a:b@c.git") == "https://host:8080/a:b@c.git");
    CHECK(without_password("git@host:a.git") == "git@host:a.git");
    CHECK(without_password("/srv/a.git") == "/srv/a.git");
    CHECK(without_password("https://u:p%40ss@host") == "https://u@host");
}

TEST_CASE("percent coding goes both ways and refuses what is not UTF-8") {
    const std::string text = "a/b c\u00e9@%+&=?\u20ac";
    CHECK(percent_decode(percent_encode(text)) == text);
    for (const char* bad : {"%", "%1", "%g1", "%80", "%c3", "%ed%a0%80", "%f4%90%80%80", "%00"})
        CHECK_FALSE(percent_decode(bad));
}
