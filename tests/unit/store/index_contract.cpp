#include "support/index_contract.h"

#include "support/scratch.h"

using namespace dutybook;

TEST_CASE("SqliteIndex keeps the index's contract") {
    const testing::Scratch scratch;
    int count = 0;
    testing::index_contract([&](const domain::KindCatalog& kinds) {
        auto opened = store::open_sqlite_index(
            scratch.path("index" + std::to_string(++count) + ".db"), kinds);
        REQUIRE_MESSAGE(opened, opened.error().text());
        return std::move(*opened);
    });
}
