#include "core/space_keys.h"

#include "base/file.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace dutybook;
using namespace dutybook::testing;

TEST_CASE("a space's keys come back as they were written, for the owner alone") {
    const Scratch scratch;
    const std::filesystem::path folder = scratch.path("space");
    REQUIRE(make_directories(folder));
    auto keys = core::first_epoch();
    keys.emplace(2, Secret::random());
    REQUIRE(core::write_space_keys(folder, keys));
    const auto back = core::read_space_keys(folder);
    REQUIRE(back);
    CHECK(*back == keys);
    struct stat info {};
    REQUIRE(::stat((folder / "keys.json").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK(core::first_epoch().at(1) != core::first_epoch().at(1));
}

TEST_CASE("missing or damaged keys of a space are an error that says what to do") {
    const Scratch scratch;
    const std::filesystem::path folder = scratch.path("space");
    REQUIRE(make_directories(folder));
    const auto read = core::read_space_keys(folder);
    REQUIRE_FALSE(read);
    CHECK(read.error().text().find("invitation") != std::string::npos);
    for (const char* text :
         {"", "{}", "[]", "{\"format\":1}", "{\"epochs\":[],\"format\":1}",
          "{\"epochs\":[[1,\"YWJj\"]],\"format\":1}", "{\"epochs\":[[0,\"YWJj\"]],\"format\":1}",
          "{\"epochs\":[[1]],\"format\":1}", "{\"epochs\":{},\"format\":2}"}) {
        CAPTURE(text);
        REQUIRE(write_file_atomically(folder / "keys.json", text));
        CHECK_FALSE(core::read_space_keys(folder));
    }
}
