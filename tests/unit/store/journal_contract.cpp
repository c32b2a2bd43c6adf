#include "support/journal_contract.h"

#include "support/scratch.h"

using namespace dutybook;

TEST_CASE("SqliteJournal keeps the journal's contract") {
    const testing::Scratch scratch;
    int count = 0;
    testing::journal_contract([&] {
        auto opened =
            store::open_sqlite_journal(scratch.path("journal" + std::to_string(++count) + ".db"));
        REQUIRE_MESSAGE(opened, opened.error().text());
        return std::move(*opened);
    });
}
