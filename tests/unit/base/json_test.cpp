#include "base/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

using namespace dutybook;

namespace {

std::string pointer_of_refusal(std::string_view text) {
    const auto result = parse_json(text);
    REQUIRE_MESSAGE(!result, std::string(text));
    CHECK(!result.error().what.empty());
    return result.error().pointer;
}

std::string number(double value) {
    std::string out;
    append_canonical_number(out, value);
    return out;
}

std::string reprint(std::string_view text) {
    const auto result = parse_json(text);
    REQUIRE_MESSAGE(result, std::string(text));
    return canonical(*result);
}

}  // namespace

TEST_CASE("RefusalsNameThePlace") {
    CHECK(pointer_of_refusal(R"({"a":{"b":1,"b":2}})") == "/a/b");
    CHECK(pointer_of_refusal(R"({"a":[0,{"x":9007199254740992}]})") == "/a/1/x");
    CHECK(pointer_of_refusal(R"({"a":[[],[1,1e400]]})") == "/a/1/1");
    CHECK(pointer_of_refusal(R"({"a~b/c":["\u0000"]})") == "/a~0b~1c/0");
    CHECK(pointer_of_refusal("{\"a\":\"\xff\"}") == "/a");
    CHECK(pointer_of_refusal(R"({"a":tru})") == "/a");
    CHECK(pointer_of_refusal(R"({"a\u0000":1})") == "");
}

TEST_CASE("EverythingAfterTheValueIsRefused") {
    CHECK(!parse_json("1 2"));
    CHECK(!parse_json("{}x"));
    CHECK(!parse_json(std::string_view("{}\0", 3)));
    CHECK(!parse_json(std::string_view("\0", 1)));
    CHECK(!parse_json("\xEF\xBB\xBF{}"));
    CHECK(!parse_json(""));
    CHECK(!parse_json("   "));
    CHECK(parse_json(" {} \r\n\t"));
}

TEST_CASE("TenMegabytesOfNestingCostNothing") {
    const std::string nesting(10u << 20, '[');
    const auto deep = parse_json(nesting, JsonLimits{32, nesting.size()});
    REQUIRE(!deep);
    CHECK(deep.error().code == Code::TooLarge);
    CHECK(parse_json(nesting).error().code == Code::TooLarge);
    const std::string objects = [] {
        std::string out;
        for (int i = 0; i < 33; ++i) out += R"({"a":)";
        return out;
    }();
    CHECK(parse_json(objects).error().code == Code::TooLarge);
    CHECK(parse_json(std::string(32, '[') + std::string(32, ']')));
    CHECK(!parse_json(std::string(33, '[') + std::string(33, ']')));
}

TEST_CASE("NumbersThatCannotBeHeldSayWriteAString") {
    for (const char* text : {"9007199254740992", "-9007199254740992", "9007199254740993.0", "1e16",
                             "18446744073709551616", "1e400", "1e-400", "0.1234567890123456789"}) {
        const auto result = parse_json(text);
        REQUIRE_MESSAGE(!result, text);
        CHECK(result.error().fix == "write it as a string");
    }
    for (const char* text : {"01", "1.", ".5", "+1", "NaN", "Infinity", "0x1", "-"}) {
        CHECK_MESSAGE(!parse_json(text), text);
    }
    CHECK(reprint("9007199254740991") == "9007199254740991");
    CHECK(reprint("-9007199254740991") == "-9007199254740991");
}

TEST_CASE("NumbersHaveOneSpelling") {
    CHECK(reprint("1.0") == "1");
    CHECK(reprint("10e-1") == "1");
    CHECK(reprint("-0") == "0");
    CHECK(reprint("-0.0") == "0");
    CHECK(reprint("0.50") == "0.5");
    CHECK(reprint("1e-7") == "1e-7");
    CHECK(reprint("0.000001") == "0.000001");
    CHECK(*parse_json("1.0") == *parse_json("1"));
}

// Appendix B of RFC 8785.
TEST_CASE("Rfc8785Numbers") {
    struct {
        std::uint64_t bits;
        const char* text;
    } const cases[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    for (const auto& each : cases) {
        double value = 0;
        std::memcpy(&value, &each.bits, sizeof value);
        CHECK(number(value) == each.text);
    }
    CHECK(number(std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("MembersSortByUtf16CodeUnits") {
    // RFC 8785, section 3.2.3.
    CHECK(reprint("{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,"
                  "\"\\u0080\":6,\"\\u00f6\":7}") ==
          "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
          "\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
    CHECK(utf16_less("a", "ab"));
    CHECK_FALSE(utf16_less("ab", "a"));
    CHECK_FALSE(utf16_less("a", "a"));
}

TEST_CASE("StringsAreEscapedOneWay") {
    CHECK(reprint(R"("\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/")") ==
          "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
    CHECK(reprint(R"("\b\f\n\r\t\u007f")") == "\"\\b\\f\\n\\r\\t\x7f\"");
    CHECK(reprint(R"( { "b" : [ 1 , true , null ] , "a" : { } } )") ==
          R"({"a":{},"b":[1,true,null]})");
}

TEST_CASE("PointersEscape") {
    CHECK(pointer_to("", "a") == "/a");
    CHECK(pointer_to("/a", "~/") == "/a/~0~1");
    CHECK(pointer_to("/a", 3) == "/a/3");
}
