// The index's file: what is used again, and what is never trusted.

#include "support/index_contract.h"
#include "support/scratch.h"

#include "base/file.h"
#include "store/sqlite.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

using namespace dutybook;
using namespace dutybook::testing;

namespace {

const Kinds kinds = test_kinds();

std::unique_ptr<store::Index> open_or_fail(const std::string& path) {
    auto opened = store::open_sqlite_index(path, kinds);
    REQUIRE_MESSAGE(opened, opened.error().text());
    return std::move(*opened);
}

void check_corrupt(const std::string& path) {
    const auto opened = store::open_sqlite_index(path, kinds);
    REQUIRE_FALSE(opened);
    CHECK_MESSAGE(opened.error().code == Code::Corrupt, opened.error().text());
}

// Gives the digest.
std::string fill(const std::string& path, bool cleanly) {
    const auto index = open_or_fail(path);
    for (const Author& author : index_contract_world(3)) apply_all(*index, author.runs());
    const std::string digest = digest_of(*index);
    if (cleanly) REQUIRE(index->close_cleanly());
    return digest;
}

void put_bytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void with_database(const std::string& path, const char* sql) {
    auto db = store::Database::open(path, store::Database::Mode::Write);
    REQUIRE(db);
    (*db)->keep_wal_on_close(true);
    REQUIRE((*db)->script(sql));
}

}  // namespace

TEST_CASE("an index closed cleanly is used again, more than once") {
    const Scratch scratch;
    const std::string path = scratch.path("index.db");
    const std::string digest = fill(path, true);
    for (int i = 0; i < 3; ++i) {
        const auto index = open_or_fail(path);
        CHECK(digest_of(*index) == digest);
        CHECK(index->check());
        REQUIRE(index->close_cleanly());
    }
}

TEST_CASE("an index whose process was killed is used again while the machine runs on") {
    const Scratch scratch;
    const std::string path = scratch.path("index.db");
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        auto index = store::open_sqlite_index(path, kinds);
        for (const Author& author : index_contract_world(3)) {
            if (!index || !(*index)->apply(author.runs())) ::_exit(1);
        }
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const auto index = open_or_fail(path);
    CHECK(digest_of(*index) == fill(scratch.path("other.db"), true));
    CHECK(index->check());
}

TEST_CASE("an index in use when the machine stopped is rebuilt") {
    const Scratch scratch;
    const std::string path = scratch.path("index.db");
    fill(path, false);
    SUBCASE("another boot") {
        with_database(path, "UPDATE meta SET value = 'another' WHERE key = 'boot'");
    }
    SUBCASE("its write-ahead log is gone") {
        fs::remove(path + "-wal");
    }
    SUBCASE("it is a copy") {
        fs::copy(path, path + "2");
        fs::rename(path + "2", path);
    }
    check_corrupt(path);
    REQUIRE(store::delete_index(path));
    CHECK(open_or_fail(path)->frontier().empty());
}

TEST_CASE("an index that something wrote to while it was closed is rebuilt") {
    const Scratch scratch;
    const std::string path = scratch.path("index.db");
    fill(path, true);
    std::string bytes = read_file(path).value();
    SUBCASE("one byte changed") {
        bytes[bytes.size() / 2] ^= 1;
        put_bytes(path, bytes);
    }
    SUBCASE("rubbish") {
        put_bytes(path, std::string(bytes.size(), 'x'));
    }
    SUBCASE("short rubbish") {
        put_bytes(path, "x");
    }
    SUBCASE("emptied") {
        put_bytes(path, "");
    }
    SUBCASE("truncated") {
        fs::resize_file(path, bytes.size() - 4096);
    }
    SUBCASE("an older copy") {
        fs::copy(path, path + "2");
        fs::rename(path + "2", path);
    }
    check_corrupt(path);
}

TEST_CASE("rubbish in a file that counts as in use is an error, never a crash") {
    const Scratch scratch;
    const std::string original = scratch.path("index.db");
    fill(original, false);
    {
        auto db = store::Database::open(original, store::Database::Mode::Write);
        REQUIRE(db);
        (*db)->keep_wal_on_close(true);
        REQUIRE((*db)->run("UPDATE meta SET value = value"));
        REQUIRE((*db)->checkpoint());
        REQUIRE((*db)->run("UPDATE meta SET value = value"));  // the log is not empty
    }
    const std::string bytes = read_file(original).value();
    const std::string wal = read_file(original + "-wal").value();
    unsigned random = 7;
    int refused = 0;
    for (int round = 0; round < 60; ++round) {
        std::string bad = bytes;
        for (int i = 0; i < 200; ++i) {
            random = random * 1664525u + 1013904223u;
            bad[random % bad.size()] = static_cast<char>(random >> 24);
        }
        {
            // In place: the same inode, as after damage by a disk.
            std::fstream file(original, std::ios::binary | std::ios::in | std::ios::out);
            file << bad;
        }
        put_bytes(original + "-wal", wal);
        fs::remove(original + "-shm");
        auto opened = store::open_sqlite_index(original, kinds);
        const bool sound = opened && (*opened)->check() &&
                           (*opened)->reader().list({.deleted = true, .limit = 1000});
        refused += sound ? 0 : 1;
        if (opened) {
            for (const Author& author : index_contract_world(4)) {
                (void)(*opened)->apply(author.runs());
            }
            (void)(*opened)->reader().list({.text = "duty"});
            (void)(*opened)->reader().get("r1");
        }
    }
    CHECK(refused > 50);
}

TEST_CASE("a bulk load that was cut off is not opened again") {
    const Scratch scratch;
    const std::string path = scratch.path("index.db");
    {
        const auto index = open_or_fail(path);
        REQUIRE(index->begin_bulk());
        apply_all(*index, index_contract_world(3)[0].runs());
        CHECK(index->frontier().empty());
    }
    check_corrupt(path);
}

TEST_CASE("the check finds a record that is not what its operations make of it") {
    const Scratch scratch;
    const std::string path = scratch.path("index.db");
    fill(path, false);
    SUBCASE("state") {
        with_database(path,
                      "UPDATE record SET state = (SELECT state FROM record WHERE id = 'r1') "
                      "WHERE id = 'r2'");
    }
    SUBCASE("operation gone") {
        with_database(path,
                      "DELETE FROM op WHERE ord = "
                      "(SELECT max(ord) FROM op)");
    }
    SUBCASE("record gone") {
        with_database(path, "DELETE FROM record WHERE id = 'r2'");
    }
    SUBCASE("digest") {
        with_database(path, "UPDATE totals SET digest = operations_digest");
    }
    const auto checked = open_or_fail(path)->check();
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == Code::Corrupt);
}
