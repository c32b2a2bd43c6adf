#include "rules/kind_changes.h"

#include <doctest/doctest.h>

#include <string>

using namespace dutybook;
using namespace dutybook::rules;

namespace {

// "pointer" of what takes a migration, "pointer!" of what none can be sound for, "pointer?" of what
// is only narrower, "pointer-" of a field that is gone.
std::string changes(const char* before, const char* next) {
    std::string all;
    for (const KindChange& change : narrowed(Json::parse(before), Json::parse(next))) {
        all += (all.empty() ? "" : " ") + change.pointer;
        if (change.sort == KindChange::Sort::Never) all += '!';
        if (change.sort == KindChange::Sort::Narrower) all += '?';
        if (change.sort == KindChange::Sort::Gone) all += '-';
    }
    return all;
}

std::string field(const char* before, const char* next) {
    const auto wrapped = [](const char* schema) {
        return std::string(R"({"properties":{"n":)") + schema + "}}";
    };
    return changes(wrapped(before).c_str(), wrapped(next).c_str());
}

}  // namespace

TEST_CASE("a kind that takes all that it took has not changed") {
    CHECK(changes("{}", "{}").empty());
    CHECK(field(R"({"type":"integer"})", R"({"type":"number"})").empty());
    CHECK(field(R"({"type":"integer"})", R"({"type":["integer","null"]})").empty());
    CHECK(field(R"({"enum":["a"]})", R"({"enum":["a","b"]})").empty());
    CHECK(field(R"({"minimum":3,"maxLength":5})", R"({"minimum":2,"maxLength":6})").empty());
    CHECK(field(R"({"type":"string"})", R"({"title":"N","x-label":{"en":"N"}})").empty());
    CHECK(changes(R"({"required":["a","b"]})", R"({"required":["b"],"properties":{"c":{}}})")
              .empty());
}

TEST_CASE("what the fields of a record show takes a migration") {
    CHECK(field(R"({"type":"integer"})", R"({"type":"string"})") == "/properties/n/type");
    CHECK(field(R"({"type":["integer","null"]})", R"({"type":"integer"})") == "/properties/n/type");
    CHECK(field(R"({"items":{"type":"string"}})", R"({"items":{"type":"integer"}})") ==
          "/properties/n/items/type");
    CHECK(field(R"({"enum":["a","b"]})", R"({"enum":["a"]})") == "/properties/n/enum");
    CHECK(changes(R"({"required":["a"]})", R"({"required":["a","b"]})") == "/required/1");
    CHECK(changes(R"({"properties":{"a":{}}})", R"({"properties":{"b":{}}})") == "/properties-");
}

TEST_CASE("what they do not show no migration is sound for") {
    CHECK(field(R"({"x-merge":"set"})", R"({"x-merge":"register"})") == "/properties/n/x-merge!");
    CHECK(field(R"({"x-merge":"set"})", "{}") == "/properties/n!");
    CHECK(field("{}", R"({"x-merge":"counter"})") == "/properties/n/x-merge!");
    CHECK(field("{}", R"({"x-merge":"register"})").empty());
    CHECK(field("{}", R"({"x-refers":"core.person"})") == "/properties/n/x-refers!");
}

TEST_CASE("a schema that takes less is told, and blocks nothing") {
    CHECK(field("{}", R"({"minimum":1})") == "/properties/n/minimum?");
    CHECK(field(R"({"maxLength":9})", R"({"maxLength":8})") == "/properties/n/maxLength?");
    CHECK(field("{}", R"({"pattern":"^a"})") == "/properties/n/pattern?");
}
