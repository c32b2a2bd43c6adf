#include "api/call.h"
#include "api/endpoint.h"
#include "base/file.h"
#include "support/source_dir.h"

#include <doctest/doctest.h>

#include <set>

using namespace dutybook;
using namespace dutybook::api;

namespace {

Router all_routes() {
    Router router;
    add_all_routes(router);
    return router;
}

const Endpoint* find(const Router& router, Method method, const char* path) {
    const auto target = parse_target(path);
    REQUIRE(target);
    return router.match(method, target->segments).endpoint;
}

Code code_of(const Result<void>& result) {
    return result ? Code::Internal : result.error().code;
}

}  // namespace

TEST_CASE("a path finds its endpoint, with its arguments decoded") {
    const Router router = all_routes();
    const auto target = parse_target("/v1/spaces/north/records/district%2Fp1/history?x=1");
    REQUIRE(target);
    const auto match = router.match(Method::Get, target->segments);
    REQUIRE(match.endpoint);
    CHECK(match.endpoint->name == "getHistory");
    CHECK(match.arguments == std::vector<std::string>{"north", "district/p1"});
}

TEST_CASE("an unknown path has no endpoint, a known one names the methods that it takes") {
    const Router router = all_routes();
    CHECK_FALSE(find(router, Method::Get, "/v1/nothing"));
    CHECK_FALSE(find(router, Method::Get, "/v1/spaces//records"));
    CHECK_FALSE(find(router, Method::Get, "/v1/spaces/a/records/b/c/d/e/f/g"));
    CHECK_FALSE(find(router, Method::Get, "/"));
    const auto target = parse_target("/v1/spaces/a/records/b");
    const auto match = router.match(Method::Post, target->segments);
    CHECK_FALSE(match.endpoint);
    CHECK(match.allowed == "GET, PATCH, DELETE");
}

TEST_CASE("a target that is not percent-encoded UTF-8 is malformed") {
    for (const char* target :
         {"/%", "/%4", "/%zz", "/%ff", "/a?b=%c0%80", "/%00", "no-slash", ""}) {
        CAPTURE(target);
        CHECK_FALSE(parse_target(target));
    }
    const auto plus = parse_target("/a?q=two+words&q=%2B");
    REQUIRE(plus);
    CHECK(plus->query.at(0).second == "two words");
    CHECK(plus->query.at(1).second == "+");
}

TEST_CASE("query parameters are checked against the declaration") {
    const Router router = all_routes();
    const Endpoint* list = find(router, Method::Get, "/v1/spaces/a/records");
    REQUIRE(list);
    const auto check = [&](const char* target) {
        return code_of(check_query(*list, *parse_target(target)));
    };
    CHECK(check("/x?kind=core.duty&where=a:1&where=b:2&limit=7&deleted=1") == Code::Internal);
    CHECK(check("/x?unknown=1") == Code::Malformed);
    CHECK(check("/x?limit=7&limit=8") == Code::Malformed);
    CHECK(check("/x?limit=-1") == Code::Malformed);
    CHECK(check("/x?limit=12345678901234567890") == Code::Malformed);
    CHECK(check("/x?limit=") == Code::Malformed);
    CHECK(check("/x?deleted=maybe") == Code::Malformed);
    const Endpoint* diff = find(router, Method::Get, "/v1/spaces/a/records/b/diff");
    REQUIRE(diff);
    CHECK(code_of(check_query(*diff, *parse_target("/x?a=now"))) == Code::Malformed);
}

TEST_CASE("body members are checked against the declaration, with a pointer") {
    const Router router = all_routes();
    const Endpoint* space = find(router, Method::Post, "/v1/spaces");
    const Endpoint* record = find(router, Method::Post, "/v1/spaces/a/records");
    REQUIRE(space);
    REQUIRE(record);
    CHECK(check_members(*space, Json{{"name", "north"}, {"parent", nullptr}}));
    const auto pointer = [](const Result<void>& checked) {
        return checked ? std::string("fine") : checked.error().pointer;
    };
    CHECK(pointer(check_members(*space, Json::object())) == "/name");
    CHECK(pointer(check_members(*space, Json{{"name", 1}})) == "/name");
    CHECK(pointer(check_members(*space, Json{{"name", "a"}, {"more/so", 1}})) == "/more~1so");
    CHECK_FALSE(check_members(*space, Json::array()));
    // A printed record may be sent back as it is.
    CHECK(check_members(*record,
                        Json{{"kind", "core.duty"}, {"fields", Json::object()}, {"version", "0"}}));
}

TEST_CASE("no GET changes anything: it takes no body and needs no writer") {
    const Router router = all_routes();
    for (const auto& endpoint : router.endpoints()) {
        CAPTURE(endpoint->name);
        if (endpoint->method == Method::Get) {
            CHECK(endpoint->body == Body::None);
            CHECK(endpoint->access != Access::Writer);
        } else {
            CHECK(endpoint->access != Access::Anyone);
        }
        CHECK(endpoint->run);
        CHECK_FALSE(endpoint->summary.empty());
    }
}

TEST_CASE("schemas/openapi.json is what the routes declare") {
    const fs::path schemas = dutybook::tests::source_dir() / "schemas";
    const auto text = read_file(schemas / "openapi.json");
    REQUIRE(text);
    const Router router = all_routes();
    INFO("run: build/bin/dutybookd --print-openapi > schemas/openapi.json");
    CHECK(*text == openapi_document(router));
    const Json document = Json::parse(*text);
    std::size_t operations = 0;
    std::set<std::string> names;
    for (const auto& path : document["paths"].items()) {
        for (const auto& operation : path.value().items()) {
            ++operations;
            names.insert(operation.value()["operationId"].get<std::string>());
        }
    }
    CHECK(operations == router.endpoints().size());
    CHECK(names.size() == operations);
    for (const auto& endpoint : router.endpoints()) {
        if (endpoint->answer.empty()) continue;
        CAPTURE(endpoint->answer);
        CHECK(fs::exists(schemas / (std::string(endpoint->answer) + ".schema.json")));
    }
}
