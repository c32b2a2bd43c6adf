#include "base/printable.h"

#include <doctest/doctest.h>

using namespace dutybook;

TEST_CASE("what could drive a terminal, or is no text, is shown as a question mark") {
    CHECK(printable("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") ==
          "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
    CHECK(printable("\x1b]0;x\x07\r\n\x7f") == "?]0;x????");
    CHECK(printable("\xC2\x9B"
                    "31m") == "??31m");  // a control character of two bytes
    CHECK(printable("\xE2\x80\xAE"
                    "abc") == "???abc");  // turns the direction of writing
    CHECK(printable("\xFF\xC0\x80\xED\xA0\x80\xE2\x82") == "????????");
    CHECK(printable(std::string_view("a\0b", 3)) == "a?b");
}

TEST_CASE("its length is bounded between characters, and some controls may stay") {
    CHECK(printable("\xC3\xA9\xC3\xA9", 3) == "\xC3\xA9...");
    CHECK(printable("a\tb\nc\x1b", 100, "\n\t") == "a\tb\nc?");
}
