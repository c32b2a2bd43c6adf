// The journal against damage: nothing acknowledged may go missing without a word.

#include "support/journal_contract.h"
#include "support/scratch.h"

#include "base/file.h"
#include "base/kept_file.h"
#include "store/journal_last.h"
#include "store/journal_mark.h"
#include "store/sqlite.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>

using namespace dutybook;
using namespace dutybook::testing;

namespace {

constexpr Millis now = 1'700'000'000'000;

std::unique_ptr<store::Journal> open_or_fail(const std::string& path) {
    auto opened = store::open_sqlite_journal(path);
    REQUIRE_MESSAGE(opened, opened.error().text());
    return std::move(*opened);
}

void append_one(store::Journal& journal, std::uint64_t seq) {
    REQUIRE(
        journal.append(contract_lines(contract_writer, seq, seq), contract_frontier(1), {}, now));
}

std::string bytes_of(const std::string& path) {
    return read_file(path).value();
}

void put_bytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// What a power loss would find: the files as they stand while the journal is open.
struct Image {
    std::string db, wal, head, last;
};
Image image_of(const std::string& path) {
    return {bytes_of(path), bytes_of(path + "-wal"), bytes_of(path + ".head"),
            bytes_of(path + ".last")};
}
void put_image(const std::string& path, const Image& image) {
    put_bytes(path, image.db);
    put_bytes(path + "-wal", image.wal);
    put_bytes(path + ".head", image.head);
    put_bytes(path + ".last", image.last);
    fs::remove(path + "-shm");
}

// Writing beyond `bytes` of a file fails for as long as it lives.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int);
};

// A journal with one sealed operation and `more` behind it, each in a transaction of its own.
Image make_image(const std::string& path, std::uint64_t more) {
    const auto journal = open_or_fail(path);
    REQUIRE(journal->open_writer(contract_writer, {}, now));
    append_one(*journal, 1);
    const auto planned = journal->plan_seal(contract_seal(1, 1));
    REQUIRE(planned);
    REQUIRE(journal->finish_seal(planned->id, store::CommitId(40, 'e'), 1));
    for (std::uint64_t seq = 2; seq <= 1 + more; ++seq) append_one(*journal, seq);
    return image_of(path);
}

// A journal as a crash leaves it after everything went into the file: no mark of a clean stop.
Image crashed(const std::string& path) {
    make_image(path, 9);
    open_or_fail(path);
    return {bytes_of(path), "", bytes_of(path + ".head"), bytes_of(path + ".last")};
}

bool noted(const std::string& file) {
    const auto all = healed_files();
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& one) { return one.file == file && !one.lost; });
}

}  // namespace

TEST_CASE("a journal opened again holds what it held") {
    const Scratch scratch;
    const std::string path = scratch.path("journal.db");
    make_image(path, 9);
    const auto journal = open_or_fail(path);
    CHECK(journal->current_writer() == contract_writer);
    CHECK(journal->last_seq(contract_writer) == 10);
    CHECK(journal->sealed_upto(contract_writer) == 1);
    CHECK(contract_texts(*journal, contract_writer, 1).size() == 10);
    append_one(*journal, 11);
    CHECK(journal->check());
}

TEST_CASE("a write-ahead log truncated at any byte gives a prefix that holds the sealed head") {
    const Scratch scratch;
    const Image image = make_image(scratch.path("journal.db"), 4);
    const std::string path = scratch.path("cut.db");
    const std::size_t frame = 24 + 4096;
    std::uint64_t longest = 0, refused = 0;
    // Every byte around the frames' edges, every 1021st within them (each opening costs syncs).
    for (std::size_t size = 0; size <= image.wal.size(); ++size) {
        const std::size_t within = size < 32 ? size % 8 : (size - 32) % frame;
        const bool edge = within < 2 || within == 24 || within == frame - 1;
        if (!edge && size % 1021 != 0) continue;
        put_image(path, {image.db, image.wal.substr(0, size), image.head, image.last});
        auto opened = store::open_sqlite_journal(path);
        if (!opened) {
            CHECK(opened.error().code == Code::Corrupt);
            ++refused;
            continue;
        }
        const std::uint64_t last = (*opened)->last_seq(contract_writer);
        CHECK(last >= 1);
        CHECK(last >= longest);  // a longer log never holds less
        longest = last;
        CHECK((*opened)->meta(store::acknowledged_key).value() ==
              (last < 5 ? contract_writer + " 5" : ""));
        CHECK((*opened)->check());
        append_one(**opened, last + 1);
    }
    CHECK(longest == 5);
    CHECK(refused > 0);  // cut before the sealed head
}

TEST_CASE("a damaged byte in the write-ahead log is named, not taken for its torn end") {
    const Scratch scratch;
    const Image image = make_image(scratch.path("journal.db"), 6);
    const std::string path = scratch.path("bad.db");
    const std::size_t frame = 24 + 4096;
    const std::size_t frames = (image.wal.size() - 32) / frame;
    std::size_t named = 0;
    for (std::size_t i = 0; i < frames; ++i) {
        std::string wal = image.wal;
        wal[32 + i * frame + 24 + 2000] ^= 0x10;
        put_image(path, {image.db, wal, image.head, image.last});
        auto opened = store::open_sqlite_journal(path);
        if (opened) {
            // Only the last transaction, which is like a torn end; what was acknowledged is known.
            CHECK((*opened)->last_seq(contract_writer) == 6);
            CHECK((*opened)->meta(store::acknowledged_key).value() == contract_writer + " 7");
            CHECK(noted(path + "-wal") == (i + 1 < frames));  // the last frame may be unfinished
            continue;
        }
        CHECK(opened.error().code == Code::Corrupt);
        ++named;
    }
    CHECK(named >= frames - 3);
}

TEST_CASE("a damaged header of the write-ahead log is named") {
    const Scratch scratch;
    Image image = make_image(scratch.path("journal.db"), 3);
    const std::string path = scratch.path("bad.db");
    for (std::size_t at : {0u, 9u, 17u, 25u}) {
        Image bad = image;
        bad.wal[at] ^= 0x01;
        put_image(path, bad);
        const auto opened = store::open_sqlite_journal(path);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().code == Code::Corrupt);
    }
}

TEST_CASE("a changed, a missing and a foreign operation are named by the check") {
    const Scratch scratch;
    const std::string path = scratch.path("journal.db");
    make_image(path, 9);
    auto spoil = [&](const char* sql) {
        auto db = store::Database::open(path, store::Database::Mode::Write);
        REQUIRE(db);
        REQUIRE((*db)->script(sql));
    };
    std::string names;
    SUBCASE("changed line") {
        spoil("UPDATE operation SET line = '{}' WHERE seq = 5");
        names = contract_writer + ":5";
    }
    SUBCASE("missing line") {
        spoil("DELETE FROM operation WHERE seq = 7");
        names = contract_writer + ":7";
    }
    SUBCASE("changed frontier") {
        spoil(
            "UPDATE frontier SET text = '{}' WHERE id = (SELECT frontier FROM operation "
            "WHERE seq = 2)");
        names = contract_writer + ":1";  // the first that was made under it
    }
    SUBCASE("missing frontier") {
        spoil("DELETE FROM frontier WHERE id = (SELECT frontier FROM operation WHERE seq = 2)");
        names = contract_writer + ":1";
    }
    const auto checked = open_or_fail(path)->check();
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == Code::Corrupt);
    CHECK_MESSAGE(checked.error().text().find(names) != std::string::npos, checked.error().text());
}

TEST_CASE("a journal that went back behind its sealed head is refused") {
    const Scratch scratch;
    const std::string path = scratch.path("journal.db");
    SUBCASE("operations gone") {
        make_image(path, 0);
        {
            auto db = store::Database::open(path, store::Database::Mode::Write);
            REQUIRE(db);
            REQUIRE((*db)->script("DELETE FROM operation"));
        }
    }
    SUBCASE("another operation in its place") {
        make_image(path, 3);
        auto db = store::Database::open(path, store::Database::Mode::Write);
        REQUIRE(db);
        REQUIRE((*db)->script("UPDATE operation SET chain = zeroblob(32) WHERE seq = 1"));
    }
    SUBCASE("deleted") {
        make_image(path, 3);
        fs::remove(path);
    }
    SUBCASE("emptied") {
        make_image(path, 3);
        put_bytes(path, "");
    }
    SUBCASE("filled with rubbish") {
        make_image(path, 3);
        put_bytes(path, std::string(20'000, 'x'));
    }
    const auto opened = store::open_sqlite_journal(path);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Code::Corrupt);
}

TEST_CASE("after a crash no byte of the file changes in silence") {
    const Scratch scratch;
    const Image image = crashed(scratch.path("journal.db"));
    std::size_t healed = 0, named = 0;
    for (std::size_t at = 0; at < image.db.size(); at += at < 100 ? 9 : 2003) {
        const std::string path = scratch.path("flip" + std::to_string(at) + ".db");
        Image bad = image;
        bad.db[at] ^= 0x08;
        put_image(path, bad);
        const auto opened = store::open_marked_journal(path);
        if (!opened) {
            CHECK(opened.error().code == Code::Corrupt);
            CHECK(opened.error().text().find(path) != std::string::npos);
            CHECK_FALSE(opened.error().fix.empty());
            ++named;
            continue;
        }
        CHECK_MESSAGE(noted(path), at);
        CHECK((*opened)->check());
        CHECK(contract_texts(**opened, contract_writer, 1).size() == 10);
        ++healed;
    }
    CHECK(healed > 0);
    CHECK(named > 0);
}

TEST_CASE("a head file that is gone, changed or a folder is made again, and noted") {
    const Scratch scratch;
    const std::string path = scratch.path("journal.db");
    const Image image = crashed(path);
    const std::string head = path + ".head";
    SUBCASE("gone") {
        fs::remove(head);
    }
    SUBCASE("changed") {
        std::string text = image.head;
        text[text.size() / 2] ^= 0x01;
        put_bytes(head, text);
    }
    SUBCASE("cut") {
        put_bytes(head, image.head.substr(0, image.head.size() / 2));
    }
    SUBCASE("empty") {
        put_bytes(head, "");
    }
    SUBCASE("a folder") {
        fs::remove(head);
        fs::create_directories(head + "/lost+found");
    }
    REQUIRE(store::open_marked_journal(path));
    CHECK(noted(head));
    CHECK(bytes_of(head) == image.head);
}

TEST_CASE("a note of what was acknowledged that is gone or changed is made again, and told") {
    const Scratch scratch;
    const std::string path = scratch.path("journal.db");
    const Image image = crashed(path);
    const std::string last = path + ".last";
    SUBCASE("gone") {
        fs::remove(last);
    }
    SUBCASE("changed") {
        std::string text = image.last;
        text[text.find(' ') + 1] ^= 0x01;
        put_bytes(last, text);
    }
    SUBCASE("empty") {
        put_bytes(last, "");
    }
    SUBCASE("zeros") {
        put_bytes(last, std::string(image.last.size(), '\0'));
    }
    SUBCASE("a folder") {
        fs::remove(last);
        fs::create_directories(last + "/lost+found");
    }
    SUBCASE("a named pipe") {
        fs::remove(last);
        REQUIRE(::mkfifo(last.c_str(), 0600) == 0);
    }
    const auto opened = store::open_marked_journal(path);
    REQUIRE(opened);
    CHECK(noted(last));
    CHECK(bytes_of(last) == image.last);
    CHECK((*opened)->meta(store::acknowledged_key).value().empty());
}

TEST_CASE("a clean stop leaves no note of what was acknowledged, and nothing misses it") {
    const Scratch scratch;
    const std::string path = scratch.path("journal.db");
    {
        const auto journal = store::open_marked_journal(path);
        REQUIRE(journal);
        REQUIRE((*journal)->open_writer(contract_writer, {}, now));
        append_one(**journal, 1);
        REQUIRE((*journal)->set_meta("left-in-order", "1"));
        REQUIRE(fs::exists(path + ".last"));
    }
    REQUIRE(store::mark_journal_closed(path));
    CHECK_FALSE(fs::exists(path + ".last"));
    const auto again = store::open_marked_journal(path);
    REQUIRE(again);
    CHECK_FALSE(noted(path + ".last"));
    CHECK(fs::exists(path + ".last"));
}

TEST_CASE("a journal of the version without sums gets them when it is opened") {
    const Scratch scratch;
    const std::string path = scratch.path("journal.db");
    Image image = crashed(path);
    {
        auto db = store::Database::open(path, store::Database::Mode::Write);
        REQUIRE(db);
        REQUIRE((*db)->script("PRAGMA user_version = 1"));
    }
    const auto end = image.head.rfind("blake2b");
    put_bytes(path + ".head", image.head.substr(0, end));
    CHECK(open_or_fail(path)->check());
    CHECK(bytes_of(path + ".head") == image.head);
    auto db = store::Database::open(path, store::Database::Mode::Read);
    CHECK(*(*db)->number("PRAGMA user_version") == 2);
}

TEST_CASE("a write that the disk refuses is refused whole, and writing goes on afterwards") {
    const Scratch scratch;
    const std::string path = scratch.path("journal.db");
    const auto journal = open_or_fail(path);
    REQUIRE(journal->open_writer(contract_writer, {}, now));
    append_one(*journal, 1);
    std::vector<store::JournalLine> lines = contract_lines(contract_writer, 2, 3);
    lines[1].line.assign(200'000, 'x');
    {
        const FileSizeLimit limit(fs::file_size(path + "-wal") + 10'000);
        const auto refused = journal->append(lines, contract_frontier(2), {}, now);
        REQUIRE_FALSE(refused);
        CHECK((refused.error().code == Code::Io || refused.error().code == Code::Full));
    }
    CHECK(journal->last_seq(contract_writer) == 1);
    CHECK(contract_texts(*journal, contract_writer, 1).size() == 1);
    REQUIRE(journal->append(lines, contract_frontier(2), {}, now));
    CHECK(contract_texts(*journal, contract_writer, 1).size() == 3);
    CHECK(journal->check());
}

TEST_CASE("a journal of a newer version is left alone") {
    const Scratch scratch;
    const std::string path = scratch.path("journal.db");
    make_image(path, 1);
    {
        auto db = store::Database::open(path, store::Database::Mode::Write);
        REQUIRE(db);
        REQUIRE((*db)->script("PRAGMA user_version = 99"));
    }
    const auto opened = store::open_sqlite_journal(path);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Code::NewerFormat);
}
