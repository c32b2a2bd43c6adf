#include "base/crypto.h"

#include <doctest/doctest.h>

#include <set>

using namespace dutybook;

TEST_CASE("KnownAnswers") {
    crypto_start();
    // BLAKE2b-256 of "abc".
    CHECK(hex(blake2b("abc")) ==
          "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    CHECK(blake2b("a", "bc") != blake2b("b", "bc"));
    CHECK(blake2b("", "abc") == blake2b("abc"));

    const auto text32 = [](std::string_view text) {
        return base32({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    };
    // RFC 4648, section 10, lower case and without padding.
    CHECK(text32("") == "");
    CHECK(text32("f") == "my");
    CHECK(text32("fo") == "mzxq");
    CHECK(text32("foo") == "mzxw6");
    CHECK(text32("foob") == "mzxw6yq");
    CHECK(text32("fooba") == "mzxw6ytb");
    CHECK(text32("foobar") == "mzxw6ytboi");
}

TEST_CASE("RecordIdsSortByTimeAndDiffer") {
    const std::string early = make_record_id(1'000'000'000'000);
    const std::string late = make_record_id(1'000'000'000'001);
    CHECK(early.size() == 26);
    CHECK(early < late);
    CHECK(make_record_id((std::int64_t{1} << 48) - 1).substr(0, 10) == "7zzzzzzzzz");
    CHECK(make_record_id(0).substr(0, 10) == "0000000000");
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) ids.insert(make_record_id(5));
    CHECK(ids.size() == 1000);
    CHECK(random_base32(10).size() == 16);
    CHECK(random_base32(10) != random_base32(10));
}
