// The short way of reading JSON gives what the strict one gives, or nothing.

#include "base/json_plain.h"

#include <doctest/doctest.h>

using namespace dutybook;

TEST_CASE("PlainTextsAreReadTheShortWay") {
    for (const std::string text :
         {R"({})", R"([])", R"(null)", R"("x")", R"(-0)", R"( {"a" : [1, -2, true, false, null]} )",
          R"({"b":{"c":"d\n\"\\\/"},"a":"é"})", R"(9007199254740991)", R"([[[["deep"]]]])"}) {
        const auto read = parse_plain(text, {});
        REQUIRE_MESSAGE(read, text);
        CHECK(*read == Json::parse(text));
        CHECK(read->dump() == Json::parse(text).dump());
        CHECK(*parse_json(text) == *read);
    }
    const auto number = parse_plain("7", {});
    CHECK(number->type() == Json::value_t::number_integer);
}

TEST_CASE("WhatNeedsAStrictLookIsLeftAlone") {
    for (const std::string text :
         {R"()", R"({"a":1,"a":2})", R"(1.0)", R"(1e3)", R"(9007199254740992)",
          R"(18446744073709551615)", R"("\u0041")", R"("\ud800")", R"({"a":1}x)", "\xEF\xBB\xBF{}",
          "\"\xff\"", "\"\x01\"", R"([1,])", R"({"a"})"}) {
        CHECK_MESSAGE(!parse_plain(text, {}), text);
    }
    CHECK(!parse_plain(std::string_view("\"a\0b\"", 5), {}));
    CHECK(parse_plain("[[]]", {.depth = 2}));
    CHECK(!parse_plain("[[]]", {.depth = 1}));
    CHECK(!parse_plain("[1, 2]", {.depth = 2, .bytes = 3}));
    CHECK(!parse_plain("\"" + std::string(20'000, 'x') + "\"", {}));
}

TEST_CASE("TheEndOfPlainTextIsFoundAtAnyPlace") {
    for (const char special : {'"', '\\', '\n', '\x1f', '\0'}) {
        for (std::size_t length = 0; length < 40; ++length) {
            std::string text(length, '\x80');
            CHECK(end_of_plain(text, 0) == length);
            for (std::size_t at = 0; at < length; ++at) {
                text.assign(length, at % 2 == 0 ? ' ' : '\x7f');
                text[at] = special;
                for (std::size_t from = 0; from <= at; ++from) {
                    REQUIRE(end_of_plain(text, from) == at);
                }
            }
        }
    }
}
