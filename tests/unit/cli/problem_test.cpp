#include "cli/session.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::cli;

TEST_CASE("a problem becomes an error with the exit code of its code") {
    const struct {
        const char* code;
        unsigned status;
        int exit;
    } cases[] = {{"malformed", 400, refused}, {"rejected", 422, refused},
                 {"denied", 403, refused},    {"too_large", 413, refused},
                 {"stale", 412, stale},       {"not_found", 404, failed},
                 {"ambiguous", 409, usage},   {"exists", 409, failed},
                 {"full", 507, failed},       {"forbidden", 403, failed}};
    for (const auto& one : cases) {
        CAPTURE(one.code);
        const Error error =
            error_of(Json{{"code", one.code}, {"status", one.status}, {"title", "t"}}, one.status);
        CHECK(exit_code(error) == one.exit);
        CHECK(problem_of(error)["code"] == one.code);
        CHECK(problem_of(error)["status"] == one.status);
    }
}

TEST_CASE("place, cause and further members of a problem survive the way through an error") {
    const Json problem = {{"type", "about:blank"},
                          {"code", "stale"},
                          {"status", 412},
                          {"title", "the record changed"},
                          {"why", "South set priority"},
                          {"fix", "show it again"},
                          {"pointer", "/priority"},
                          {"line", 7},
                          {"changes", Json::array({{{"field", "priority"}}})}};
    const Error error = error_of(problem, 412);
    CHECK(error.text() ==
          "line 7: at /priority: the record changed: South set priority; show it again");
    const Json again = problem_of(error);
    for (const auto& [name, value] : problem.items()) {
        CAPTURE(name);
        CHECK(again[name] == value);
    }
}

TEST_CASE("an answer without a problem still says its status") {
    const Error error = error_of(Json(), 502);
    CHECK(error.text().find("502") != std::string::npos);
    CHECK(exit_code(error) == failed);
}

TEST_CASE("a newer daemon's unknown code is judged by the status") {
    const Error error = error_of(Json{{"code", "teapot"}, {"title", "no"}}, 412);
    CHECK(exit_code(error) == stale);
}
