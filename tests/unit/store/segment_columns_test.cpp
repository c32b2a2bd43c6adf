#include "store/segment_columns.h"

#include "support/log_contract.h"

#include <random>

using namespace dutybook;
using namespace dutybook::test;
using namespace std::string_literals;
using store::from_columns;
using store::to_columns;

namespace {

constexpr std::size_t limit = 1 << 20;

void check_round_trip(const std::string& lines) {
    CAPTURE(lines);
    const auto turned = to_columns(lines);
    CHECK(turned.size() <= lines.size());
    CHECK(value(from_columns(turned, lines.size())) == lines);
}

// Pieces of JSON and of what only looks like it, in any order.
std::string odd_lines(std::mt19937_64& chance) {
    static const std::vector<std::string> pieces = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\\"",
        "\"a\"",
        "\"\"",
        "1",
        "-2.5",
        "true",
        "null",
        "\"a\":",
        "\n",
        "\n",
        " ",
        "x",
        "\xff",
        "\"é\"",
        "\"\\u0000\"",
        "{\"a\":1}",
        "[\"\",\"\"]",
        "\"b\":\"c\"",
        "{\"do\":\"create\",\"hlc\":[17,0]}\n{\"do\":\"create\",\"hlc\":[18,1]}\n"};
    std::string lines;
    for (std::size_t i = chance() % 60; i > 0; --i) lines += pieces[chance() % pieces.size()];
    return lines + "\n";
}

}  // namespace

TEST_CASE("Columns: like lines get shorter and come back byte for byte") {
    std::string lines = "{\"frontier\":{}}\n";
    for (int i = 0; i < 100; ++i) {
        lines += "{\"do\":\"create\",\"hlc\":[" + std::to_string(1'770'000'000'000 + i) +
                 ",0],\"record\":\"r-" + std::to_string(i) + "\",\"set\":{\"tags\":[\"a\",\"b\"]" +
                 (i % 3 == 0 ? ",\"title\":\"\"" : "") + "}}\n";
    }
    CHECK(to_columns(lines).size() < lines.size() / 2);
    check_round_trip(lines);
}

TEST_CASE("Columns: any lines come back, JSON or not") {
    check_round_trip("");
    check_round_trip("\n");
    check_round_trip("no newline at the end");
    check_round_trip("\n\n\n");
    check_round_trip("{\"a\":\"never closed\n{\"a\":\"never closed\n");
    check_round_trip("\"\\\n\"\\\n\"\\\n\"\\\n");
    check_round_trip("{\x01\n\x02\n"s);
    check_round_trip(std::string("{\"a\":\"\0\"}\n{\"a\":\"\0\"}\n", 20));
    std::mt19937_64 chance(7);
    for (int i = 0; i < 5000; ++i) check_round_trip(odd_lines(chance));
}

TEST_CASE("Columns: what holds too much is refused before it is made") {
    const std::string lines = "[\"" + std::string(80, 'a') + "\"]\n";
    std::string many;
    for (int i = 0; i < 100; ++i) many += lines;
    const auto turned = to_columns(many);
    REQUIRE(turned != many);
    CHECK(from_columns(turned, many.size()));
    CHECK_FALSE(from_columns(turned, many.size() - 1));
    CHECK(turned.size() < many.size() / 20);  // so it is what is made that is bounded
    CHECK_FALSE(from_columns("\x01[]\n\n0 18446744073709551615\n\n"s, limit));
    CHECK_FALSE(from_columns("\x01[]\n\n0 9999999\n0 9999999\n\n"s, limit));
    CHECK(from_columns("\x01[]\n\n0 3\n\n"s, limit));
}

TEST_CASE("Columns: what is not whole is refused") {
    const std::string good = "\x01[\x02]\n{}\n\n0 2\n1 1\n0 1\n\n 17\n!8\n 3\n"s;
    CHECK(value(from_columns(good, limit)) == "[17]\n[18]\n{}\n[3]\n");
    for (std::size_t size = 1; size < good.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(from_columns(good.substr(0, size), limit));
    }
    CHECK_FALSE(from_columns(good + " 4\n", limit));
    CHECK_FALSE(from_columns("\x01[\x02]\n\n0 2\n\n 1\n#\n"s, limit));  // more than is above
    CHECK_FALSE(from_columns("\x01[\x02]\n\n0 1\n\n\n"s, limit));
    CHECK_FALSE(from_columns("\x01[\x02]\n\n0 1\n\n\xff\n"s, limit));
    CHECK_FALSE(from_columns("\x01[]\n{}\n\n0 1\n\n"s, limit));  // a shape nobody has
    CHECK_FALSE(from_columns("\x01[]\n\n1 1\n\n"s, limit));      // a shape that is not there
    CHECK_FALSE(from_columns("\x01[]\n\n0 0\n\n"s, limit));
    CHECK_FALSE(from_columns("\x01[]\n\n0 -1\n\n"s, limit));
    CHECK_FALSE(from_columns("\x01[]\n\n0 1 \n\n"s, limit));
}

TEST_CASE("Columns: as many places as nobody needs are neither made nor read") {
    std::string lines;
    for (int i = 0; i < 300; ++i) {
        std::string line = "[0";
        for (int n = 0; n < 300 + i; ++n) line += ",1";
        lines += line + "]\n" + line + "]\n" + line + "]\n";
    }
    CHECK(to_columns(lines) == lines);
    const std::string shape(70'000, '\x02');
    std::string values;
    for (std::size_t i = 0; i < shape.size(); ++i) values += " \n";
    CHECK_FALSE(from_columns("\x01" + shape + "\n\n0 1\n\n" + values, limit));
}

TEST_CASE("Columns: mutated bytes are refused or stay within the limit") {
    std::mt19937_64 chance(11);
    for (int i = 0; i < 20000; ++i) {
        std::string text = to_columns(odd_lines(chance));
        text[0] = '\x01';
        for (std::size_t n = chance() % 4; n > 0; --n) {
            text[1 + chance() % text.size() - 1] = static_cast<char>(chance() % 64);
            text[0] = '\x01';
        }
        const auto lines = from_columns(text, 4096);
        if (lines) CHECK(lines->size() <= 4096);
    }
}
