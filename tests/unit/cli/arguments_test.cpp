#include "cli/values.h"

#include <doctest/doctest.h>

using namespace dutybook::cli;
using Sign = FieldArgument::Sign;

TEST_CASE("the first sign of an argument decides what it does") {
    const auto read =
        read_arguments({"title=a=b", "due:={\"x\":1}", "tags+=rain", "tags-=x=y", "note="});
    REQUIRE(read);
    REQUIRE(read->size() == 5);
    CHECK((*read)[0].field == "title");
    CHECK((*read)[0].sign == Sign::Text);
    CHECK((*read)[0].value == "a=b");
    CHECK((*read)[1].field == "due");
    CHECK((*read)[1].sign == Sign::Raw);
    CHECK((*read)[1].value == "{\"x\":1}");
    CHECK((*read)[2].sign == Sign::Add);
    CHECK((*read)[2].field == "tags");
    CHECK((*read)[3].sign == Sign::Remove);
    CHECK((*read)[3].value == "x=y");
    CHECK((*read)[4].value.empty());
}

TEST_CASE("an argument without a sign or a field is wrong use") {
    for (const auto* text : {"title", "=x", ":=1", "+=x", ""}) {
        CAPTURE(text);
        const auto read = read_arguments({text});
        REQUIRE_FALSE(read);
        CHECK(exit_code(read.error()) == usage);
    }
}
