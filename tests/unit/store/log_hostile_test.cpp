// Logs that a hostile or broken remote hands out. In each the first two segments are good: they are
// taken, the third is refused, and nothing of it reaches the log.

#include "log_forge.h"
#include "support/source_dir.h"

using namespace dutybook;
using namespace dutybook::test;
using store::CommitId;
using store::SealRow;
namespace git = store::git;

namespace {

struct Case {
    Folder folder;
    Forge forge{folder.path()};
    std::unique_ptr<store::Log> log = open_log(folder.path());
    std::vector<CommitId> good = forge.good(2);
    SealRow row = Forge::next_row(good.back(), 2);

    // The honest third segment, after `change` had a hand in its header.
    CommitId third(const std::function<void(store::SegmentHeader&)>& change) {
        change(row.header);
        auto honest = row;
        return forge.commit(row.header, Forge::blob(honest), good.back());
    }
    CommitId commit_text(const std::string& text) { return forge.put(text, GIT_OBJECT_COMMIT); }
    std::string honest_text() {
        const auto tree = git::segment_tree(forge.put(Forge::blob(row), GIT_OBJECT_BLOB));
        return git::segment_commit(row.header, forge.put(tree, GIT_OBJECT_TREE), good.back());
    }
    // A commit around any tree.
    CommitId with_tree(const std::string& tree_bytes) {
        const auto tree = forge.put(tree_bytes, GIT_OBJECT_TREE);
        return commit_text(git::segment_commit(row.header, tree, good.back()));
    }

    void refused(const CommitId& tip, Code code) {
        forge.set_ref(tip);
        const auto taken = take(*log, forge.path(), tip);
        REQUIRE(taken.refused);
        CHECK_MESSAGE(taken.refused->code == code, taken.refused->text());
        CHECK(taken.segments.size() == 2);
        CHECK(value(log->volumes())[0].tip == good.back());
        CHECK(run("git -C " + (folder / "log.git") +
                  " cat-file --batch-all-objects --batch-check | wc -l") == "6\n");
        CHECK(value(log->verify(true, {})).empty());
    }
};

long resident_peak_kb() {
    const auto text = value(read_file("/proc/self/status"));
    return std::stol(text.substr(text.find("VmHWM:") + 6));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("hostile: the honest third segment is taken (control)") {
    Case c;
    const auto tip = c.third([](auto&) {});
    c.forge.set_ref(tip);
    const auto taken = take(*c.log, c.forge.path(), tip);
    CHECK_FALSE(taken.refused);
    CHECK(taken.segments.size() == 3);
}

TEST_CASE("hostile: a segment in the wrong place") {
    Case c;
    CommitId tip;
    SUBCASE("of another space") {
        tip = c.third([](auto& h) { h.space = "another"; });
    }
    SUBCASE("of another writer") {
        tip = c.third([](auto& h) { h.writer = writer_b; });
    }
    SUBCASE("of another volume") {
        tip = c.third([](auto& h) { h.volume = 2; });
    }
    SUBCASE("after a gap") {
        tip = c.third([](auto& h) { ++h.first, ++h.last; });
    }
    SUBCASE("over what was sealed before") {
        tip = c.third([](auto& h) { --h.first, --h.last; });
    }
    SUBCASE("that names another predecessor") {
        tip = c.third([&](auto& h) { h.previous = c.good[0]; });
    }
    c.refused(tip, Code::Malformed);
}

TEST_CASE("hostile: a commit of another shape") {
    Case c;
    const auto honest = c.honest_text();
    const auto parent = "parent " + c.good.back() + "\n";
    std::string text;
    SUBCASE("two parents") {
        text = replaced(honest, parent, parent + "parent " + c.good[0] + "\n");
    }
    SUBCASE("the grandparent as its parent") {
        text = replaced(honest, parent, "parent " + c.good[0] + "\n");
        // The chain of the remote then lacks the second segment: a fork, were it well made.
        const auto tip = c.commit_text(text);
        c.forge.set_ref(tip);
        const auto taken = take(*c.log, c.forge.path(), tip);
        CHECK(taken.refused);
        CHECK(taken.segments.size() == 1);
        return;
    }
    SUBCASE("another author") {
        text = replaced(honest, "author a", "author b");
    }
    SUBCASE("another time") {
        text = replaced(honest, " +0000\ncommitter", " +0100\ncommitter");
    }
    SUBCASE("another message") {
        text = honest + "and more\n";
    }
    SUBCASE("one more header") {
        text = replaced(honest, "\n\n", "\nencoding UTF-7\n\n");
    }
    SUBCASE("an empty signature") {
        text = replaced(honest, "\n\n", "\ngpgsig \n\n");
    }
    SUBCASE("a signature before another header") {
        text = replaced(honest, "\n\n", "\ngpgsig a\n b\nx y\n\n");
    }
    c.refused(c.commit_text(text), Code::Malformed);
}

TEST_CASE("hostile: a commit of 600 KB") {
    Case c;
    c.refused(c.commit_text(c.honest_text() + std::string(600'000, 'x')), Code::TooLarge);
}

TEST_CASE("hostile: a tree of another shape") {
    Case c;
    const auto blob = c.forge.put(Forge::blob(c.row), GIT_OBJECT_BLOB);
    const auto entry = git::segment_tree(blob);
    SUBCASE("an executable") {
        c.refused(c.with_tree(replaced(entry, "100644", "100755")), Code::Malformed);
    }
    SUBCASE("a link") {
        c.refused(c.with_tree(replaced(entry, "100644", "120000")), Code::Malformed);
    }
    SUBCASE("another name") {
        c.refused(c.with_tree(replaced(entry, "segment", "sEgment")), Code::Malformed);
    }
    SUBCASE("a second file") {
        c.refused(c.with_tree(entry + replaced(entry, "segment", "segments")), Code::TooLarge);
    }
    SUBCASE("no file") {
        c.refused(c.with_tree(""), Code::Malformed);
    }
    SUBCASE("a folder") {
        const auto tree = c.forge.put(entry, GIT_OBJECT_TREE);
        c.refused(c.with_tree(replaced(git::segment_tree(tree), "100644", "40000")),
                  Code::Malformed);
    }
}

TEST_CASE("hostile: rubbish, a bomb and a lie in the blob") {
    Case c;
    const auto honest = Forge::blob(c.row);
    const auto with = [&](const std::string& blob) {
        return c.forge.commit(c.row.header, blob, c.good.back());
    };
    SUBCASE("empty") {
        c.refused(with(""), Code::Malformed);
    }
    SUBCASE("no segment") {
        c.refused(with("hello\n"), Code::Malformed);
    }
    SUBCASE("cut off") {
        c.refused(with(honest.substr(0, honest.size() - 5)), Code::Malformed);
    }
    SUBCASE("too large") {
        c.refused(with(honest + std::string(2 << 20, 'x')), Code::TooLarge);
    }
}

TEST_CASE("hostile: 300 MB of zeros in a small pack cost no memory") {
    Case c;
    const auto folder = c.forge.path().string();
    // Stock git streams it into a pack of about 300 kB.
    const auto blob =
        run("head -c 314572800 /dev/zero | git -C " + folder + " hash-object -w --stdin")
            .substr(0, 40);
    const auto tip = c.with_tree(git::segment_tree(blob));
    c.forge.set_ref(tip);
    const auto before = resident_peak_kb();
    c.refused(tip, Code::TooLarge);
    CHECK(resident_peak_kb() - before < 50'000);
}

TEST_CASE("hostile: a small object as the delta of a giant one costs no memory") {
    Case c;
    const auto quarantine = value(c.log->open_quarantine());
    c.forge.set_ref(c.good.back());
    REQUIRE(fetch(*quarantine, c.forge.path()) == "");
    const std::string script =
        dutybook::tests::source_dir().string() + "/tests/support/delta_bomb.py";
    const auto blob = run("python3 " + script + " " + quarantine->path()).substr(0, 40);
    REQUIRE_MESSAGE(store::is_commit_id(blob), blob);
    const auto put = [&](const std::string& bytes, git_object_t type) {
        return value(git::put_object(quarantine->path(), bytes, type, c.folder / "aside"));
    };
    const auto tree = put(git::segment_tree(blob), GIT_OBJECT_TREE);
    const auto tip = put(git::segment_commit(c.row.header, tree, c.good.back()), GIT_OBJECT_COMMIT);
    const auto before = resident_peak_kb();
    const auto taken = value(c.log->take_over(*quarantine, {{writer_a, 1}, tip, {}}, accept_all));
    REQUIRE(taken.refused);
    MESSAGE(taken.refused->text());
    CHECK(taken.segments.size() == 2);
    CHECK(resident_peak_kb() - before < 50'000);
}

TEST_CASE("hostile: a segment of a newer format is kept, not applied, and what follows waits") {
    Case c;
    auto newer = Forge::blob(c.row);
    newer = replaced(newer, "\"format\":1", "\"format\":2");
    const auto third = c.forge.commit(c.row.header, newer, c.good.back());
    const auto row = Forge::next_row(third, 3);
    const auto tip = c.forge.commit(row.header, Forge::blob(row), third);
    c.forge.set_ref(tip);
    const auto taken = take(*c.log, c.forge.path(), tip);
    CHECK(taken.newer);
    REQUIRE(taken.refused);
    CHECK(taken.refused->code == Code::NewerFormat);
    CHECK(taken.segments.size() == 2);
    CHECK(value(c.log->volumes())[0].tip == tip);
    CHECK(value(c.log->chain({writer_a, 1}, c.good.back())) == std::vector<CommitId>{third, tip});
    CHECK(c.log->read(third).error().code == Code::NewerFormat);
    CHECK(value(c.log->read(tip)).lines.size() == 2);
    CHECK(value(c.log->verify(true, {})).empty());
}

TEST_CASE("hostile: damaged packs in the quarantine are refused, never a crash") {
    Case c;
    const auto tip = c.third([](auto&) {});
    c.forge.set_ref(tip);
    const auto quarantine = value(c.log->open_quarantine());
    std::size_t refused = 0, tried = 0;
    for (int round = 0; round < 24; ++round) {
        ok(quarantine->clear());
        REQUIRE(fetch(*quarantine, c.forge.path()) == "");
        for (const auto& file : std::filesystem::directory_iterator(
                 std::filesystem::path(quarantine->path()) / "objects/pack")) {
            const bool pack = file.path().extension() == ".pack";
            if (!pack && file.path().extension() != ".idx") continue;
            if (pack != (round % 2 == 0)) continue;
            auto bytes = value(read_file(file.path()));
            if (round < 4)
                bytes.resize(bytes.size() * static_cast<std::size_t>(round) / 4);
            else
                bytes[bytes.size() * static_cast<std::size_t>(round) / 24] ^= 0x55;
            overwrite(file.path(), bytes);
        }
        ++tried;
        const Folder other;
        auto log = open_log(other.path());
        const auto taken = log->take_over(*quarantine, {{writer_a, 1}, tip, {}}, accept_all);
        if (!taken || taken->refused) ++refused;
        CHECK(value(log->verify(true, {})).empty());
    }
    MESSAGE(refused << " of " << tried << " damaged quarantines were refused");
    CHECK(refused > tried / 2);
}
