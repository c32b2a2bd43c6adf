#include "log_forge.h"

using namespace dutybook;
using namespace dutybook::test;
using store::Ancestry;
using store::CommitId;
using store::VolumeName;

namespace {

const VolumeName one{writer_a, 1};

struct Two {
    Folder near_folder, far_folder;
    std::unique_ptr<store::Log> near = open_log(near_folder.path());
    std::unique_ptr<store::Log> far = open_log(far_folder.path());
    std::filesystem::path remote() const { return far_folder.path() / "log.git"; }
};

std::string object_count(const Folder& folder) {
    return run("git -C " + (folder / "log.git") +
               " cat-file --batch-all-objects --batch-check | wc -l");
}

}  // namespace

TEST_CASE("take_over: a volume arrives whole, in one pack, and nothing else with it") {
    Two two;
    const auto commits = write_volume(*two.far, writer_a, 1, 1, 5, 3);
    value(two.far->readme_commit());
    const auto taken = take(*two.near, two.remote(), commits.back());
    CHECK_FALSE(taken.refused);
    REQUIRE(taken.segments.size() == 5);
    CHECK(taken.segments[4].commit == commits[4]);
    CHECK(taken.segments[4].segment.lines == some_lines(3, "a"));
    CHECK(value(two.near->volumes())[0].last == 15);
    CHECK(value(two.near->volumes())[0].bytes == value(two.far->volumes())[0].bytes);
    CHECK(value(two.near->chain(one, {})) == commits);
    CHECK(object_count(two.near_folder) == "15\n");
    CHECK(value(two.near->verify(true, {})).empty());
    CHECK(run("git -C " + (two.near_folder / "log.git") +
              " fsck --strict 2>&1 | grep -v ^notice") == "");
}

TEST_CASE("take_over: the next time only what is new") {
    Two two;
    auto commits = write_volume(*two.far, writer_a, 1, 1, 2, 3);
    take(*two.near, two.remote(), commits.back());
    CHECK(take(*two.near, two.remote(), commits.back()).segments.empty());
    const auto row = row_of(writer_a, 1, 7, 1, commits.back());
    const auto tip = value(two.far->append(row, some_lines(1)));
    const auto taken = take(*two.near, two.remote(), tip);
    CHECK_FALSE(taken.refused);
    REQUIRE(taken.segments.size() == 1);
    CHECK(taken.segments[0].segment.header.first == 7);
    CHECK(value(two.near->volumes())[0].last == 7);
}

TEST_CASE("take_over: an older tip takes nothing, refuses nothing") {
    Two two;
    const auto commits = write_volume(*two.far, writer_a, 1, 1, 3, 1);
    take(*two.near, two.remote(), commits.back());
    const auto taken = take(*two.near, two.remote(), commits[0]);
    CHECK(taken.segments.empty());
    CHECK_FALSE(taken.refused);
    CHECK(two.near->compare(one, commits[0]) == Ancestry::Behind);
}

TEST_CASE("take_over: a volume waits for the one before it") {
    Two two;
    const auto first = write_volume(*two.far, writer_a, 1, 1, 2, 2);
    const auto second = write_volume(*two.far, writer_a, 2, 5, 2, 2, first.back());
    const auto early = take(*two.near, two.remote(), second.back(), 2);
    REQUIRE(early.refused);
    CHECK(early.refused->code == Code::Unavailable);
    CHECK(value(two.near->volumes()).empty());
    take(*two.near, two.remote(), first.back(), 1);
    const auto late = take(*two.near, two.remote(), second.back(), 2);
    CHECK_FALSE(late.refused);
    CHECK(value(two.near->volumes())[1].previous == first.back());
}

TEST_CASE("take_over: what the quarantine lacks is refused") {
    Two two;
    const auto quarantine = value(two.near->open_quarantine());
    const auto taken =
        value(two.near->take_over(*quarantine, {one, std::string(40, 'e'), {}}, accept_all));
    REQUIRE(taken.refused);
    CHECK(taken.refused->code == Code::NotFound);
}

TEST_CASE("take_over: a judge's word refuses the segment and what follows it") {
    class RefuseAfter final : public store::SegmentJudge {
    public:
        Result<void> judge(const store::SegmentHeader& header, std::string_view commit,
                           std::string_view signature, const CommitId& id) const override {
            CHECK(commit.starts_with("tree "));
            CHECK(signature.empty());
            CHECK(id.size() == 40);
            if (header.last <= 4) return {};
            return failure(Code::Forbidden, "no member");
        }
    };
    Two two;
    const auto commits = write_volume(*two.far, writer_a, 1, 1, 4, 2);
    const auto taken = take(*two.near, two.remote(), commits.back(), 1, RefuseAfter{});
    REQUIRE(taken.refused);
    CHECK(taken.refused->code == Code::Forbidden);
    CHECK(taken.segments.size() == 2);
    CHECK(value(two.near->volumes())[0].tip == commits[1]);
    CHECK(object_count(two.near_folder) == "6\n");
}

TEST_CASE("take_over: a second history of a volume is a fork, kept beside and switched to") {
    Two two;
    const auto ours = write_volume(*two.near, writer_a, 1, 1, 3, 1);
    const auto shared = write_volume(*two.far, writer_a, 1, 1, 1, 1);
    REQUIRE(ours[0] == shared[0]);
    const auto row = row_of(writer_a, 1, 2, 2, shared[0]);
    const auto theirs = value(two.far->append(row, some_lines(2, "other")));

    const auto quarantine = value(two.near->open_quarantine());
    REQUIRE(fetch(*quarantine, two.remote()) == "");
    const store::Incoming incoming{one, theirs, ours.back()};
    const auto taken = value(two.near->take_over(*quarantine, incoming, accept_all));
    REQUIRE(taken.refused);
    CHECK(taken.refused->code == Code::Conflict);
    REQUIRE(taken.fork);
    CHECK(taken.fork->common == shared[0]);
    CHECK(taken.fork->ours == ours[1]);
    CHECK(taken.fork->theirs == theirs);
    CHECK(taken.segments.empty());
    CHECK(two.near->compare(one, theirs) == Ancestry::Unknown);

    ok(two.near->keep_evidence(*quarantine, incoming));
    CHECK(two.near->compare(one, theirs) == Ancestry::Forked);
    CHECK(value(two.near->read(theirs)).lines.size() == 2);
    CHECK(value(two.near->volumes())[0].tip == ours.back());
    CHECK(value(two.near->refs()).size() == 1);

    ok(two.near->switch_volume(one, theirs));
    CHECK(value(two.near->volumes())[0].tip == theirs);
    CHECK(value(two.near->volumes())[0].last == 3);
    CHECK(two.near->compare(one, ours.back()) == Ancestry::Forked);
    CHECK(value(two.near->verify(true, {})).empty());
}

TEST_CASE("evidence: a ref that is changed or lost is told and made again") {
    Two two;
    const auto ours = write_volume(*two.near, writer_a, 1, 1, 3, 1);
    const auto shared = write_volume(*two.far, writer_a, 1, 1, 1, 1);
    const auto theirs =
        value(two.far->append(row_of(writer_a, 1, 2, 2, shared[0]), some_lines(2, "other")));
    {
        const auto quarantine = value(two.near->open_quarantine());
        REQUIRE(fetch(*quarantine, two.remote()) == "");
        ok(two.near->keep_evidence(*quarantine, {one, theirs, ours.back()}));
    }
    const auto git_dir = two.near_folder / "log.git";
    const std::string ref = "refs/dutybook/evidence/" + writer_a + "/00000001/" + theirs;
    const auto file = std::filesystem::path(git_dir) / ref;
    REQUIRE(std::filesystem::exists(file));
    CHECK(value(two.near->verify(true, {})).empty());
    bool objects_lost = false;
    SUBCASE("another commit id") {
        overwrite(file, ours.back() + "\n");
    }
    SUBCASE("no commit id") {
        overwrite(file, "");
    }
    SUBCASE("deleted") {
        std::filesystem::remove(file);
    }
    SUBCASE("what it names is gone") {
        objects_lost = true;
        for (const auto& entry :
             std::filesystem::directory_iterator(std::filesystem::path(git_dir) / "objects/pack"))
            std::filesystem::remove(entry.path());
    }
    two.near.reset();
    two.near = open_log(two.near_folder.path());
    const auto told = value(two.near->verify(true, {}));
    REQUIRE(told.size() == 1);
    CHECK(told[0].file == ref);
    CHECK(told[0].healed == !objects_lost);
    if (objects_lost) {
        std::filesystem::remove(file);  // let go of
        two.near.reset();
        two.near = open_log(two.near_folder.path());
        CHECK(value(two.near->verify(true, {})).size() == 1);
        two.near.reset();
        two.near = open_log(two.near_folder.path());
        CHECK(value(two.near->verify(true, {})).empty());
    } else {
        CHECK(run("git -C " + git_dir + " rev-parse " + ref) == theirs + "\n");
    }
}

TEST_CASE(
    "take_over: growing a volume that was closed is a fork, and switching drops what followed") {
    Two two;
    const auto first = write_volume(*two.near, writer_a, 1, 1, 2, 1);
    const auto second = write_volume(*two.near, writer_a, 2, 3, 2, 1, first.back());
    write_volume(*two.far, writer_a, 1, 1, 2, 1);
    const auto theirs =
        value(two.far->append(row_of(writer_a, 1, 3, 1, first.back()), some_lines(1, "other")));
    const auto quarantine = value(two.near->open_quarantine());
    REQUIRE(fetch(*quarantine, two.remote()) == "");
    const auto taken =
        value(two.near->take_over(*quarantine, {one, theirs, first.back()}, accept_all));
    REQUIRE(taken.fork);
    CHECK(taken.fork->common == first.back());
    CHECK(taken.fork->ours == second.front());
    CHECK(taken.fork->theirs == theirs);
    ok(two.near->keep_evidence(*quarantine, {one, theirs, first.back()}));
    ok(two.near->switch_volume(one, theirs));
    REQUIRE(value(two.near->volumes()).size() == 1);
    CHECK(value(two.near->volumes())[0].last == 3);
    CHECK(value(two.near->read(second.back())).lines.size() == 1);
    CHECK(run("git -C " + (two.near_folder / "log.git") + " for-each-ref refs/dutybook | wc -l") ==
          "3\n");
}

TEST_CASE("take_over: of a fork's branch only what passed every check is told of") {
    struct RefuseAfter final : store::SegmentJudge {
        Result<void> judge(const store::SegmentHeader& header, std::string_view, std::string_view,
                           const store::CommitId&) const override {
            if (header.last <= 2) return {};
            return failure(Code::Forbidden, "not signed by its writer");
        }
    };
    Two two;
    const auto ours = write_volume(*two.near, writer_a, 1, 1, 2, 1);
    const auto shared = write_volume(*two.far, writer_a, 1, 1, 1, 1);
    const auto good =
        value(two.far->append(row_of(writer_a, 1, 2, 1, shared[0]), some_lines(1, "other")));
    const auto forged =
        value(two.far->append(row_of(writer_a, 1, 3, 1, good), some_lines(1, "forged")));
    const auto quarantine = value(two.near->open_quarantine());
    REQUIRE(fetch(*quarantine, two.remote()) == "");
    const auto taken =
        value(two.near->take_over(*quarantine, {one, forged, ours.back()}, RefuseAfter{}));
    REQUIRE(taken.fork);
    CHECK(taken.fork->theirs == good);
    CHECK(taken.fork->tip == good);
    REQUIRE(taken.refused);
    CHECK(taken.refused->code == Code::Forbidden);
}

TEST_CASE("take_over: a volume that follows another form of the one before is part of a fork") {
    const store::VolumeName second{writer_a, 2};
    Two two;
    write_volume(*two.near, writer_a, 1, 1, 3, 1);
    SUBCASE("it closed the volume where ours goes on") {
        const auto shared = write_volume(*two.far, writer_a, 1, 1, 2, 1);
        const auto theirs = write_volume(*two.far, writer_a, 2, 3, 1, 1, shared.back());
        const auto quarantine = value(two.near->open_quarantine());
        REQUIRE(fetch(*quarantine, two.remote()) == "");
        const auto taken =
            value(two.near->take_over(*quarantine, {second, theirs[0], {}}, accept_all));
        REQUIRE(taken.fork);
        CHECK(taken.fork->theirs == theirs[0]);
        CHECK(value(two.near->volumes()).size() == 1);
    }
    SUBCASE("the form before it is not known here: not taken over, and no fork yet") {
        const auto shared = write_volume(*two.far, writer_a, 1, 1, 1, 1);
        const auto other =
            value(two.far->append(row_of(writer_a, 1, 2, 1, shared[0]), some_lines(1, "other")));
        const auto theirs = write_volume(*two.far, writer_a, 2, 3, 1, 1, other);
        const auto quarantine = value(two.near->open_quarantine());
        REQUIRE(fetch(*quarantine, two.remote()) == "");
        const store::Incoming later{second, theirs[0], {}};
        const auto early = value(two.near->take_over(*quarantine, later, accept_all));
        CHECK_FALSE(early.fork);
        CHECK(early.refused);
        // Once the volume before is kept as evidence, it is.
        ok(two.near->keep_evidence(*quarantine, {one, other, {}}));
        const auto taken = value(two.near->take_over(*quarantine, later, accept_all));
        REQUIRE(taken.fork);
        CHECK(taken.fork->tip == theirs[0]);
        CHECK(value(two.near->volumes()).size() == 1);
    }
}

TEST_CASE("take_over: taking over again after a crash before the ref moved") {
    Two two;
    const auto commits = write_volume(*two.far, writer_a, 1, 1, 3, 2);
    take(*two.near, two.remote(), commits.back());
    two.near.reset();
    // As if the ref had never been written: objects are there, nothing names them.
    std::filesystem::remove(two.near_folder.path() / "log.git" / one.ref());
    std::filesystem::remove(two.near_folder.path() / "log.git" / "dutybook-tips");
    two.near = open_log(two.near_folder.path());
    CHECK(value(two.near->volumes()).empty());
    CHECK(take(*two.near, two.remote(), commits.back()).segments.size() == 3);
    CHECK(value(two.near->chain(one, {})) == commits);
}

TEST_CASE("take_over: an own log comes back from a remote after a restore") {
    Two two;
    const auto commits = write_volume(*two.far, writer_a, 1, 1, 3, 2);
    write_volume(*two.near, writer_a, 1, 1, 1, 2);
    const auto taken = take(*two.near, two.remote(), commits.back());
    CHECK_FALSE(taken.refused);
    CHECK(taken.segments.size() == 2);
}

TEST_CASE("quarantine: one user at a time, what a killed transfer left does not hinder") {
    Two two;
    const auto commits = write_volume(*two.far, writer_a, 1, 1, 3, 2);
    std::string path;
    {
        const auto quarantine = value(two.near->open_quarantine());
        path = quarantine->path();
        CHECK(two.near->open_quarantine().error().code == Code::Unavailable);
        REQUIRE(fetch(*quarantine, two.remote()) == "");
    }
    overwrite(path + "/refs/quarantine/log/" + writer_a + "/00000001.lock", "");
    overwrite(path + "/objects/pack/tmp_pack_abc", "half");
    {
        const auto quarantine = value(two.near->open_quarantine());
        CHECK(fetch(*quarantine, two.remote()) == "");
        CHECK_FALSE(std::filesystem::exists(path + "/objects/pack/tmp_pack_abc"));
    }
    overwrite(path + "/refs/quarantine/log/" + writer_a + "/00000001", "");
    overwrite(path + "/HEAD", "");
    CHECK(take(*two.near, two.remote(), commits.back()).segments.size() == 3);
}
