#include "log_fixture.h"

using namespace dutybook;
using namespace dutybook::test;

TEST_CASE("GitLog keeps the contract of a log") {
    log_contract(open_log);
}

TEST_CASE("GitLog: what was written is there after reopening, without reading it all again") {
    const Folder folder;
    std::vector<store::CommitId> commits;
    std::vector<store::VolumeInfo> before;
    {
        auto log = open_log(folder.path());
        commits = write_volume(*log, writer_a, 1, 1, 4, 2);
        before = value(log->volumes());
    }
    auto log = open_log(folder.path());
    const auto after = value(log->volumes());
    REQUIRE(after.size() == 1);
    CHECK(after[0].tip == commits.back());
    CHECK(after[0].last == before[0].last);
    CHECK(after[0].bytes == before[0].bytes);
    CHECK(value(log->chain({writer_a, 1}, {})) == commits);
}

TEST_CASE("GitLog: volumes are described from the objects when the list of tips is lost") {
    const Folder folder;
    store::VolumeInfo before;
    {
        auto log = open_log(folder.path());
        const auto first = write_volume(*log, writer_a, 1, 1, 2, 3);
        write_volume(*log, writer_a, 2, 7, 2, 3, first.back());
        before = value(log->volumes())[1];
    }
    std::filesystem::remove(folder.path() / "log.git" / "dutybook-tips");
    auto log = open_log(folder.path());
    const auto after = value(log->volumes());
    REQUIRE(after.size() == 2);
    CHECK(after[1].first == before.first);
    CHECK(after[1].last == before.last);
    CHECK(after[1].bytes == before.bytes);
    CHECK(after[1].previous == before.previous);
}

TEST_CASE("GitLog: stock git finds nothing wrong with it") {
    const Folder folder;
    auto log = open_log(folder.path());
    const auto first = write_volume(*log, writer_a, 1, 1, 20, 20);
    write_volume(*log, writer_a, 2, 401, 20, 20, first.back());
    value(log->readme_commit());
    CHECK(run("git -C " + (folder / "log.git") + " fsck --strict --full --no-dangling") == "");
    ok(log->maintain());
    CHECK(run("git -C " + (folder / "log.git") + " fsck --strict --full --no-dangling") == "");
    CHECK(run("git -C " + (folder / "log.git") + " for-each-ref | wc -l") == "3\n");
}

TEST_CASE("GitLog: many segments in a few packs, opened in no time") {
    const Folder folder;
    {
        auto log = open_log(folder.path());
        store::CommitId previous;
        for (std::uint32_t volume = 1; volume <= 5; ++volume) {
            const auto commits =
                write_volume(*log, writer_a, volume, (volume - 1) * 200 + 1, 40, 5, previous);
            previous = commits.back();
            ok(log->maintain());
        }
        CHECK(value(log->verify(false, {})).empty());
    }
    std::size_t packs = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder.path() / "log.git/objects/pack"))
        packs += entry.path().extension() == ".pack" ? 1 : 0;
    CHECK(packs < 20);
    const auto begin = SystemClock().monotonic();
    auto log = open_log(folder.path());
    CHECK(value(log->volumes()).size() == 5);
    CHECK(SystemClock().monotonic() - begin < 1000);
}
