#include "rules/json_lines.h"
#include "rules/near_names.h"

#include <doctest/doctest.h>

using namespace dutybook;
using rules::line_of;

TEST_CASE("lines of members and elements") {
    const std::string_view text = R"({
  "id": "a\"}",
  "rules": [
    {"id": "R1"},
    {
      "id": "R2",
      "needs": {"a/b": 1,
                "c": 2}
    }
  ],
  "last": true
})";
    CHECK(line_of(text, "") == 1);
    CHECK(line_of(text, "/id") == 2);
    CHECK(line_of(text, "/rules") == 3);
    CHECK(line_of(text, "/rules/0") == 4);
    CHECK(line_of(text, "/rules/0/id") == 4);
    CHECK(line_of(text, "/rules/1") == 5);
    CHECK(line_of(text, "/rules/1/id") == 6);
    CHECK(line_of(text, "/rules/1/needs/a~1b") == 7);
    CHECK(line_of(text, "/rules/1/needs/c") == 8);
    CHECK(line_of(text, "/last") == 11);
}

TEST_CASE("a place that is not there gives the nearest above, bad JSON gives something") {
    CHECK(line_of("{\n\"a\": {\n\"b\": 1}}", "/a/c") == 2);
    CHECK(line_of("{\n\"a\": {\n\"b\": 1}}", "/a/b/c") == 3);
    CHECK(line_of("]]}{\n\"", "/a") == 1);
    CHECK(line_of("", "/a") == 1);
    CHECK(line_of("{}", "no pointer") == 1);
}

TEST_CASE("near names") {
    CHECK(rules::edit_distance("duty", "duyt") == 1);
    CHECK(rules::edit_distance("", "abc") == 3);
    const std::vector<std::string> names{"core.duty", "core.duty_series", "core.person"};
    CHECK(rules::near_names("core.dtuy", names).front() == "core.duty");
    CHECK(rules::near_names("persn", names) == std::vector<std::string>{"core.person"});
    CHECK(rules::near_names("entirely", names).empty());
    CHECK(rules::near_names(std::string(5000, 'x'), names).empty());
}
