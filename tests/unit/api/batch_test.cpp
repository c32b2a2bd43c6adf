#include "api/batch.h"

#include <doctest/doctest.h>

using namespace dutybook::api;

namespace {

// The lines of `text` fed in pieces of `size` bytes: "number:text", "!" where too long.
std::vector<std::string> split(const std::string& text, std::size_t size, std::size_t most = 100) {
    LineSplitter splitter(most);
    std::vector<LineSplitter::Line> lines;
    for (std::size_t at = 0; at < text.size(); at += size)
        splitter.feed(std::string_view(text).substr(at, size), lines);
    splitter.finish(lines);
    std::vector<std::string> out;
    for (const auto& line : lines)
        out.push_back(std::to_string(line.number) + ":" + (line.too_long ? "!" : line.text));
    return out;
}

}  // namespace

TEST_CASE("lines are the same however the bytes arrive") {
    const std::string text = "one\n\n  \ntwo\r\nthree \xf0\x9f\x98\x80\n{\"a\":1}";
    const std::vector<std::string> expected = {"1:one", "4:two\r", "5:three \xf0\x9f\x98\x80",
                                               "6:{\"a\":1}"};
    for (std::size_t size = 1; size <= text.size(); ++size) CHECK(split(text, size) == expected);
}

TEST_CASE("the last line needs no newline, and an empty body has no line") {
    CHECK(split("a", 1) == std::vector<std::string>{"1:a"});
    CHECK(split("a\n", 1) == std::vector<std::string>{"1:a"});
    CHECK(split("", 1).empty());
    CHECK(split("\n\n", 1).empty());
}

TEST_CASE("a line that is too long is told, and the next is read as if nothing were") {
    const std::string text = "a\n" + std::string(1000, '[') + "\nb\n" + std::string(101, 'x');
    for (const std::size_t size : {1, 7, 100, 5000})
        CHECK(split(text, size) == std::vector<std::string>{"1:a", "2:!", "3:b", "4:!"});
    CHECK(split(std::string(100, 'x') + "\n", 9) ==
          std::vector<std::string>{"1:" + std::string(100, 'x')});
}
