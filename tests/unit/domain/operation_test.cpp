#include "domain/operation.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::domain;

namespace {

const OperationId place{"aaa-1", 7};

ReadOperation read(std::string_view line) {
    return read_operation(line, place);
}

// A good line with one member put in or replaced.
std::string with(const std::string& members) {
    return R"({"by":"p","do":"change","hlc":[5,1],"record":"r1","set":{"x":1})" +
           (members.empty() ? "" : "," + members) + "}";
}

std::string change_of(const std::string& maps) {
    return R"({"do":"change","hlc":[5,1],"record":"r1",)" + maps + "}";
}

Operation full() {
    Operation out;
    out.id = place;
    out.first = OperationId{"aaa-0", 3};
    out.hlc = {1000, 2};
    out.at = 900;
    out.verb = Verb::Create;
    out.record = "r1";
    out.kind = "core.duty";
    out.final = true;
    out.changes = {{"tags", Act::Add, "\"b\""},        {"tags", Act::Add, "\"a\""},
                   {"tags", Act::Remove, "{}"},        {"title", Act::Set, R"({"k":[1,null]})"},
                   {"seen", Act::Increment, "-3"},     {"\xEF\xAC\xB3", Act::Set, "1"},
                   {"\xF0\x9F\x98\x80", Act::Set, "2"}};
    out.by = "p\"1";
    out.auth = "socket";
    out.on_behalf = "p2";
    out.device = "d";
    out.source = "imported";
    out.zone = "America/Detroit";
    out.reason = "because\n";
    return out;
}

}  // namespace

TEST_CASE("AnOperationRoundTripsAsCanonicalText") {
    const auto line = write_operation(full());
    REQUIRE(line);
    const auto back = read(*line);
    REQUIRE(back.reading == Reading::Good);
    const Operation& operation = back.operation;
    const Operation expected = full();
    CHECK(operation.id == expected.id);
    CHECK(operation.first == expected.first);
    CHECK(operation.identity() == OperationId{"aaa-0", 3});
    CHECK(operation.hlc == expected.hlc);
    CHECK(operation.at == expected.at);
    CHECK(operation.verb == expected.verb);
    CHECK(operation.record == expected.record);
    CHECK(operation.kind == expected.kind);
    CHECK(operation.final);
    CHECK(operation.by == expected.by);
    CHECK(operation.auth == expected.auth);
    CHECK(operation.on_behalf == expected.on_behalf);
    CHECK(operation.device == expected.device);
    CHECK(operation.source == expected.source);
    CHECK(operation.zone == expected.zone);
    CHECK(operation.reason == expected.reason);
    REQUIRE(operation.changes.size() == expected.changes.size());
    CHECK(operation.changes[0].field == "seen");
    CHECK(operation.changes[1].value == "\"a\"");
    CHECK(*write_operation(operation) == *line);
}

TEST_CASE("TheLineIsWhatTheHeaderSays") {
    CHECK(*write_operation(full()) ==
          R"({"add":{"tags":["a","b"]},"at":900,"auth":"socket","by":"p\"1","device":"d",)"
          R"("do":"create","final":true,"first":["aaa-0",3],"hlc":[1000,2],"inc":{"seen":-3},)"
          R"("kind":"core.duty","on_behalf":"p2","reason":"because\n","record":"r1",)"
          R"("remove":{"tags":[{}]},"set":{"title":{"k":[1,null]},)"
          "\"\xF0\x9F\x98\x80\":2,\"\xEF\xAC\xB3\":1},"
          R"("source":"imported","zone":"America/Detroit"})");
}

TEST_CASE("DefaultsAreLeftOut") {
    Operation operation;
    operation.id = place;
    operation.hlc = {5, 0};
    operation.at = 5;
    operation.verb = Verb::Delete;
    operation.record = "r1";
    operation.by = "p";
    CHECK(*write_operation(operation) == R"({"by":"p","do":"delete","hlc":[5,0],"record":"r1"})");
    const auto back = read(*write_operation(operation));
    CHECK(back.operation.at == 5);
    CHECK(back.operation.source == "entered");
}

TEST_CASE("ValuesAreMadeCanonical") {
    const auto got = read(change_of(
        R"( "set" : { "x" : { "b" : 1.0 , "a" : [ 1e2 , -0.0, "\u0041\/" ] } } , "note" : 1 )"));
    REQUIRE(got.reading == Reading::Good);
    CHECK(got.operation.changes[0].value == R"({"a":[100,0,"A/"],"b":1})");
}

TEST_CASE("UnknownMembersMeanNothing") {
    CHECK(read(with(R"("later":{"deep":[1,2]})")).reading == Reading::Good);
}

TEST_CASE("NewerIsKeptAndWaits") {
    for (const char* line : {R"({"format":2,"whatever":true})", R"({"do":"erase","record":"r1"})",
                             R"({"do":"merge"})", R"({"do":7,"format":3})"}) {
        const auto got = read(line);
        CHECK_MESSAGE(got.reading == Reading::Newer, line);
        CHECK(got.operation.id == place);
        CHECK_FALSE(got.why.empty());
    }
    CHECK(read(with(R"("format":1)")).reading == Reading::Good);
}

TEST_CASE("MalformedByItsBytesAlone") {
    const std::string deep = std::string(40, '[') + std::string(40, ']');
    const std::string cases[] = {
        "",
        "null",
        "[]",
        "{",
        "{}",
        "{} {}",
        " {}",
        "\xEF\xBB\xBF{}",
        with(R"("by":"q")"),                  // a member twice
        with(R"("later":{"a":1,"a":2})"),     // even where it means nothing
        with("\"later\":\"\xff\""),           // invalid UTF-8
        with(R"("later":"\u0000")"),          //
        with(R"("later":)" + deep),           //
        with(R"("later":9007199254740992)"),  //
        with(R"("later":1e300)"),             //
        with(R"("format":0)"),                //
        with(R"("format":"2")"),              //
        with(R"("at":"now")"),                //
        with(R"("at":1.5)"),                  //
        with(R"("auth":1)"),                  //
        with(R"("kind":"core.duty")"),        // not on a change
        with(R"("final":true)"),              //
        with(R"("first":["bbb-1",1])"),       // another site's
        with(R"("first":["aaa-1",7])"),       // its own place
        with(R"("first":["aaa-0",0])"),       //
        with(R"("first":["aaa-0"])"),         //
        with(R"("first":"aaa-0")"),           //
        with(R"("add":{"x":[1]})"),           // a field in two sorts
        with(R"("inc":{"x":1})"),             //
        change_of(R"("by":"p")"),             // changes nothing
        change_of(R"("set":{"@record":1})"),  //
        change_of(R"("set":{"":1})"),         //
        change_of(R"("set":[1])"),            //
        change_of(R"("add":{"t":1})"),        //
        change_of(R"("add":{"t":[1]},"remove":{"t":[0,1]})"),
        change_of(R"("inc":{"c":1.5})"),
        change_of(R"("inc":{"c":"1"})"),
        R"({"do":"change","hlc":[5,1],"set":{"x":1}})",              // no record
        R"({"do":"change","record":"r1","set":{"x":1}})",            // no clock
        R"({"do":"change","hlc":[5],"record":"r1","set":{"x":1}})",  //
        R"({"do":"change","hlc":[-1,0],"record":"r1","set":{"x":1}})",
        R"({"do":"change","hlc":[1,4294967296],"record":"r1","set":{"x":1}})",
        R"({"do":"change","hlc":[5,1],"record":"r 1","set":{"x":1}})",
        R"({"do":"create","hlc":[5,1],"record":"r1"})",
        R"({"do":"create","hlc":[5,1],"kind":"Core","record":"r1"})",
        R"({"do":"delete","hlc":[5,1],"record":"r1","set":{"x":1}})",
        R"({"hlc":[5,1],"record":"r1"})",
        R"({"do":1,"hlc":[5,1],"record":"r1"})",
        with(R"("reason":")" + std::string(64 * 1024, 'x') + "\""),
        R"({"format":2,"x":")" + std::string(64 * 1024, 'x') + "\"}",  // in every format
        R"({"format":2,"x":1,"x":2})",
    };
    for (const auto& line : cases) {
        const auto got = read(line);
        CHECK_MESSAGE(got.reading == Reading::Malformed, line.substr(0, 200));
        CHECK(got.operation.id == place);
        CHECK(got.operation.changes.empty());
        CHECK_FALSE(got.why.empty());
    }
    CHECK(read(with("")).reading == Reading::Good);
}

TEST_CASE("DepthIsCountedAsAtTheDoor") {
    const auto nested = [](std::size_t depth) {  // of the whole line: two levels are the line's
        return change_of(R"("set":{"x":)" + std::string(depth - 2, '[') +
                         std::string(depth - 2, ']') + "}");
    };
    CHECK(read(nested(32)).reading == Reading::Good);
    CHECK(read(nested(33)).reading == Reading::Malformed);
}

TEST_CASE("LimitsOfWriting") {
    Operation operation = full();
    operation.reason = std::string(64 * 1024, 'x');
    CHECK(write_operation(operation).error().code == Code::TooLarge);
    operation = full();
    operation.changes.push_back({"title", Act::Add, "1"});
    CHECK(write_operation(operation).error().code == Code::Malformed);
    operation = full();
    operation.record = "no spaces";
    CHECK(!write_operation(operation));
    for (const char* value :
         {"", "{", "1,\"y\":2", "1.0", "{\"b\":1,\"a\":2}", "1},\"z\":{\"a\":1"}) {
        operation = full();
        operation.changes = {{"x", Act::Set, value}};
        CHECK_MESSAGE(!write_operation(operation), value);
    }
}

TEST_CASE("ManyElementsAreReadInReasonableTime") {
    std::string elements;
    for (int i = 0; i < 9000; ++i) elements += (i ? "," : "") + std::to_string(9000 - i);
    const auto got = read(change_of(R"("add":{"t":[)" + elements + "]}"));
    REQUIRE(got.reading == Reading::Good);
    CHECK(got.operation.changes.size() == 9000);
}

TEST_CASE("Names") {
    CHECK(valid_record_id("01hx_A.b-c:d"));
    CHECK_FALSE(valid_record_id(""));
    CHECK_FALSE(valid_record_id("a/b"));
    CHECK(valid_record_id(std::string(128, 'a')));
    CHECK_FALSE(valid_record_id(std::string(129, 'a')));
    CHECK(valid_kind("core.work_time"));
    for (const char* kind : {"", ".", "core.", ".duty", "core..duty", "core duty", "Core.duty"}) {
        CHECK_FALSE_MESSAGE(valid_kind(kind), kind);
    }
    CHECK(valid_field_name("caf\xC3\xA9 x"));
    CHECK_FALSE(valid_field_name("@record"));
    CHECK_FALSE(valid_field_name("a\tb"));
    CHECK(valid_writer("abc234-xyz"));
    for (const char* writer : {"", "abc", "-x", "x-", "a-b-c", "A-b", "a/b-c", "a.b-c"}) {
        CHECK_FALSE_MESSAGE(valid_writer(writer), writer);
    }
    CHECK(site_of("abc-xyz") == "abc");
}
