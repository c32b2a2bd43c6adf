#include "cli/invitation.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::cli;

namespace {

const PassphraseCost light{1, 8u << 20};
const Json invitation = {{"format", 1}, {"space", {{"name", "school"}, {"epochs", {{1, "x"}}}}}};

Json sealed(const std::string& words) {
    auto file = seal_invitation(invitation, words, light);
    REQUIRE(file);
    return *file;
}

}  // namespace

TEST_CASE("a sealed invitation opens with its passphrase alone, and shows nothing before") {
    const Json file = sealed("correct horse");
    CHECK(is_sealed(file));
    CHECK_FALSE(is_sealed(invitation));
    CHECK(file.dump().find("school") == std::string::npos);
    // As it comes from a file: the parser makes other number types than the writer.
    const auto opened = open_invitation(*parse_json(file.dump()), "correct horse");
    REQUIRE(opened);
    CHECK(*opened == invitation);
    const auto wrong = open_invitation(file, "correct house");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == Code::Forbidden);
}

TEST_CASE("a changed invitation is refused, and none makes this machine spend without bound") {
    const Json good = sealed("w");
    Json file = good;
    file["kdf"]["operations"] = 2;
    CHECK_FALSE(open_invitation(file, "w"));
    for (const Json& kdf :
         {Json(), Json({{"name", "argon2id"}}),
          Json({{"name", "argon2id"},
                {"memory", 1ull << 40},
                {"operations", 1},
                {"salt", good["kdf"]["salt"]}}),
          Json({{"name", "argon2id"},
                {"memory", 8u << 20},
                {"operations", 1'000'000},
                {"salt", good["kdf"]["salt"]}}),
          Json(
              {{"name", "argon2id"}, {"memory", 8u << 20}, {"operations", 1}, {"salt", "AA=="}})}) {
        file = good;
        file["kdf"] = kdf;
        const auto opened = open_invitation(file, "w");
        REQUIRE_FALSE(opened);
        CHECK(opened.error().code == Code::Malformed);
    }
    file = good;
    file["sealed"] = "AAAA";
    CHECK_FALSE(open_invitation(file, "w"));
    CHECK(sealed("w")["sealed"] != sealed("w")["sealed"]);  // salted
}
