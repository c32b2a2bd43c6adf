#include "base/json.h"
#include "rules/schema_validator.h"

#include <doctest/doctest.h>

#include <string>

using namespace dutybook;
using rules::Schema;

namespace {

Schema compiled(const char* text) {
    auto schema = Schema::compile(Json::parse(text));
    REQUIRE_MESSAGE(schema.has_value(), schema.error().text());
    return *schema;
}

Error refused(const char* text) {
    const auto schema = Schema::compile(Json::parse(text));
    REQUIRE(!schema.has_value());
    return schema.error();
}

std::string first_error(const Schema& schema, const char* value) {
    const auto errors = schema.validate(Json::parse(value));
    REQUIRE(!errors.empty());
    return errors.front().pointer + " " + errors.front().what;
}

bool accepts(const char* schema, const Json& value) {
    return compiled(schema).validate(value).empty();
}

bool format_accepts(const std::string& format, const std::string& text) {
    const auto schema = Schema::compile(Json{{"format", format}});
    REQUIRE(schema.has_value());
    return schema->validate(Json(text)).empty();
}

}  // namespace

TEST_CASE("errors name the place and say what is allowed") {
    const Schema schema = compiled(R"({
        "type": "object", "required": ["title"],
        "properties": {
            "title": {"type": "string", "minLength": 1},
            "priority": {"enum": ["urgent", "high", "normal", "low"]},
            "due": {"format": "date"},
            "steps": {"type": "array", "items": {"type": "object", "required": ["text"]}}
        }})");
    CHECK(first_error(schema, "{}") == "/title is required");
    CHECK(first_error(schema, R"({"title": ""})") == "/title must not be empty");
    CHECK(first_error(schema, R"({"title": 5})") == "/title must be a text");
    CHECK(first_error(schema, R"({"title": "a", "priority": "hi"})") ==
          "/priority must be one of urgent, high, normal, low");
    CHECK(first_error(schema, R"({"title": "a", "due": "2023-02-29"})") ==
          "/due must be a date such as 2026-05-04");
    CHECK(first_error(schema, R"({"title": "a", "steps": [{"text": 1}, {}]})") ==
          "/steps/1/text is required");
    CHECK(first_error(schema, "[]") == " must be an object");
}

TEST_CASE("all errors are told, up to the limit") {
    const Schema schema = compiled(R"({"items": {"type": "integer"}})");
    Json many = Json::array();
    for (int i = 0; i < 100; ++i) many.push_back("x");
    CHECK(schema.validate(many).size() == 20);
    CHECK(schema.validate(many, 3).size() == 3);
    CHECK(schema.validate(Json::parse(R"([1, "a", 2.5, 3.0])")).size() == 2);
}

TEST_CASE("pointers escape names") {
    const Schema schema = compiled(R"({"properties": {"a/b~c": {"type": "null"}}})");
    CHECK(first_error(schema, R"({"a/b~c": 1})") == "/a~1b~0c must be null");
}

TEST_CASE("what is not supported is refused by name, with the place in the schema") {
    Error error = refused(R"({"properties": {"a": {"requird": ["b"]}}})");
    CHECK(error.code == Code::Malformed);
    CHECK(error.pointer == "/properties/a/requird");
    CHECK(error.what.find("\"requird\"") != std::string::npos);

    error = refused(R"({"properties": {"a": {"format": "email"}}})");
    CHECK(error.pointer == "/properties/a/format");
    CHECK(error.what.find("\"email\"") != std::string::npos);

    CHECK(refused(R"({"$ref": "http://example.org/a.json"})").pointer == "/$ref");
    CHECK(refused(R"({"$ref": "#/definitions/none"})").pointer == "/$ref");
    CHECK(refused(R"x({"pattern": "(?=a)"})x").pointer == "/pattern");
    CHECK(refused(R"x({"pattern": "(a"})x").pointer == "/pattern");
    CHECK(refused(R"({"type": "text"})").pointer == "/type");
    CHECK(refused(R"({"$schema": "http://json-schema.org/draft-04/schema#"})").pointer ==
          "/$schema");
    CHECK(refused("[]").pointer.empty());
}

TEST_CASE("keywords that begin with x- are allowed anywhere and check nothing") {
    CHECK(accepts(R"({"x-kind": 5, "properties": {"a": {"x-index": true}}})",
                  Json::parse(R"({"a": 1})")));
}

TEST_CASE("a schema that refers to itself works where the value gets smaller") {
    const char* tree = R"({"properties": {"children": {"items": {"$ref": "#"}},
                                          "name": {"type": "string"}}})";
    CHECK(accepts(tree, Json::parse(R"({"children": [{"children": [{"name": "a"}]}]})")));
    CHECK_FALSE(accepts(tree, Json::parse(R"({"children": [{"children": [{"name": 1}]}]})")));
    CHECK(refused(R"({"$ref": "#"})").what.find("without end") != std::string::npos);
    CHECK(refused(R"({"definitions": {"a": {"allOf": [{"$ref": "#/definitions/b"}]},
                                      "b": {"not": {"$ref": "#/definitions/a"}}},
                      "properties": {"x": {"$ref": "#/definitions/a"}}})")
              .what.find("without end") != std::string::npos);
}

TEST_CASE("decimals are multiples exactly") {
    CHECK(accepts(R"({"multipleOf": 0.1})", Json(0.3)));
    CHECK(accepts(R"({"multipleOf": 0.01})", Json(19.99)));
    CHECK_FALSE(accepts(R"({"multipleOf": 0.01})", Json(19.995)));
    CHECK(accepts(R"({"multipleOf": 0.3})", Json(1.2)));
    CHECK(accepts(R"({"multipleOf": 7})", Json(-49)));
    CHECK_FALSE(accepts(R"({"multipleOf": 7})", Json(1e20)));
}

TEST_CASE("formats") {
    CHECK(format_accepts("date", "2024-02-29"));
    CHECK_FALSE(format_accepts("date", "2023-02-29"));
    CHECK_FALSE(format_accepts("date", "2024-2-29"));
    CHECK(format_accepts("date-time", "2026-05-04T08:00:00-04:00"));
    CHECK_FALSE(format_accepts("date-time", "2026-05-04T08:00:00"));
    CHECK_FALSE(format_accepts("date-time", "2026-05-04T24:00:00Z"));
    CHECK_FALSE(format_accepts("date-time", "2016-12-31T23:59:60Z"));
    CHECK(format_accepts("date-or-instant", "2026-05-04"));
    CHECK(format_accepts("date-or-instant", "2026-05-04T08:00:00Z"));
    CHECK_FALSE(format_accepts("date-or-instant", "tomorrow"));
    CHECK(format_accepts("time", "08:30:06.25+02:00"));
    CHECK_FALSE(format_accepts("time", "08:30:06"));
    CHECK(format_accepts("local-time", "08:30"));
    CHECK_FALSE(format_accepts("local-time", "8:30"));
    CHECK(format_accepts("year-month", "2027-02"));
    CHECK_FALSE(format_accepts("year-month", "2027-13"));
    CHECK(format_accepts("decimal", "-0.10"));
    CHECK_FALSE(format_accepts("decimal", "1e3"));
    CHECK_FALSE(format_accepts("decimal", "01.5"));
    CHECK_FALSE(format_accepts("decimal", ".5"));
    CHECK_FALSE(format_accepts("decimal", "5."));
    CHECK_FALSE(format_accepts("decimal", std::string(50, '9')));
    CHECK(format_accepts("uuid", "123e4567-E89B-12d3-a456-426614174000"));
    CHECK_FALSE(format_accepts("uuid", "123e4567e89b12d3a456426614174000"));
    CHECK(format_accepts("uri", "https://example.org:8080/a?b=c#d"));
    CHECK_FALSE(format_accepts("uri", "//example.org/a"));
    CHECK(compiled(R"({"format": "date"})").validate(Json(5)).empty());
}

TEST_CASE("hostile schemas and documents end with an error, soon") {
    SUBCASE("an exponential schema") {
        Json schema{{"definitions", Json::object()}, {"$ref", "#/definitions/n0"}};
        for (int i = 0; i < 60; ++i) {
            const Json next{{"$ref", "#/definitions/n" + std::to_string(i + 1)}};
            schema["definitions"]["n" + std::to_string(i)] = {{"allOf", {next, next}}};
        }
        schema["definitions"]["n60"] = true;
        const auto compiled_schema = Schema::compile(schema);
        REQUIRE(compiled_schema.has_value());
        const auto errors = compiled_schema->validate(Json(1));
        REQUIRE(errors.size() == 1);
        CHECK(errors.front().what.find("to be checked") != std::string::npos);
    }
    SUBCASE("a chain of 10,000 references") {
        Json schema{{"definitions", Json::object()}, {"$ref", "#/definitions/n0"}};
        for (int i = 0; i < 10'000; ++i) {
            schema["definitions"]["n" + std::to_string(i)] = {
                {"$ref", "#/definitions/n" + std::to_string(i + 1)}};
        }
        schema["definitions"]["n10000"] = true;
        const auto compiled_schema = Schema::compile(schema);
        REQUIRE(compiled_schema.has_value());
        CHECK(compiled_schema->validate(Json(1)).size() == 1);
    }
    SUBCASE("a deep document under a recursive schema") {
        Json deep = Json::array();
        for (int i = 0; i < 5'000; ++i) deep = Json::array({std::move(deep)});
        CHECK_FALSE(accepts(R"({"items": {"$ref": "#"}})", deep));
    }
    SUBCASE("a long text against a pattern that backtracking engines die of") {
        CHECK_FALSE(
            accepts(R"x({"pattern": "^(a|a|aa)+$"})x", Json(std::string(50'000, 'a') + "b")));
    }
    SUBCASE("too many parts") {
        Json schema{{"properties", Json::object()}};
        for (int i = 0; i < 30'000; ++i) schema["properties"][std::to_string(i)] = true;
        CHECK(!Schema::compile(schema).has_value());
    }
}
