// A process killed anywhere: what it was told is there, and the next one can write.

#include "log_forge.h"

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>

using namespace dutybook;
using namespace dutybook::test;
using store::CommitId;
using store::VolumeName;
namespace fs = std::filesystem;

namespace {

const VolumeName one{writer_a, 1};

// Appends and consolidates without end, and writes each commit id to `out` when it was told it.
[[noreturn]] void write_for_ever(const fs::path& folder, int out) {
    auto log = try_open_log(folder);
    if (!log) ::_exit(3);
    auto volumes = (*log)->volumes();
    std::uint64_t next = volumes->empty() ? 1 : volumes->front().last + 1;
    CommitId previous = volumes->empty() ? "" : volumes->front().tip;
    for (int round = 0;; ++round, ++next) {
        const auto commit = (*log)->append(row_of(writer_a, 1, next, 1, previous), some_lines(1));
        if (!commit) ::_exit(4);
        previous = *commit;
        if (::write(out, previous.data(), previous.size()) != 40) ::_exit(5);
        if (round % 20 == 19 && !(*log)->maintain()) ::_exit(6);
    }
}

std::string read_all(int in) {
    std::string out;
    std::array<char, 4096> buffer{};
    for (ssize_t count; (count = ::read(in, buffer.data(), buffer.size())) > 0;)
        out.append(buffer.data(), static_cast<std::size_t>(count));
    return out;
}

}  // namespace

TEST_CASE(
    "crash: killed at random times, nothing that was answered is lost, every start can write") {
    const Folder folder;
    std::vector<CommitId> told;
    int killed = 0;
    for (int round = 0; round < 40; ++round) {
        std::array<int, 2> pipe{};
        REQUIRE(::pipe(pipe.data()) == 0);
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(pipe[0]);
            // The process ends itself with no warning, wherever it is then. Its own processor time:
            // beside a busy neighbour a clock would end it before it wrote anything.
            struct itimerval timer {};
            timer.it_value.tv_usec = 3000 + round * 1700;
            std::signal(SIGPROF, SIG_DFL);
            ::setitimer(ITIMER_PROF, &timer, nullptr);
            write_for_ever(folder.path(), pipe[1]);
        }
        ::close(pipe[1]);
        const auto text = read_all(pipe[0]);
        ::close(pipe[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE_MESSAGE(WIFSIGNALED(status), "exit " << WEXITSTATUS(status));
        ++killed;
        for (std::size_t at = 0; at + 40 <= text.size(); at += 40)
            told.push_back(text.substr(at, 40));
    }
    auto log = open_log(folder.path());
    const auto chain = value(log->chain(one, {}));
    for (const auto& commit : told)
        REQUIRE(std::find(chain.begin(), chain.end(), commit) != chain.end());
    for (const auto& damage : value(log->verify(true, {}))) FAIL(damage.file << damage.what);
    CHECK(value(log->volumes())[0].last == chain.size());
    MESSAGE(killed << " kills, " << told.size() << " segments answered, 0 lost");
#ifdef __SANITIZE_THREAD__
    CHECK(told.size() > 10);  // everything is slower there
#else
    CHECK(told.size() > 40);
#endif
}

TEST_CASE("crash: before the ref was written, the same seal goes through") {
    const Folder folder;
    const auto row = row_of(writer_a, 1, 1, 2, {});
    CommitId commit;
    {
        auto log = open_log(folder.path());
        commit = value(log->append(row, some_lines(2)));
    }
    fs::remove(folder.path() / "log.git" / one.ref());
    fs::remove(folder.path() / "log.git/dutybook-tips");
    auto log = open_log(folder.path());
    CHECK(value(log->volumes()).empty());
    CHECK(value(log->append(row, some_lines(2))) == commit);
    for (const auto& damage : value(log->verify(true, {}))) CHECK(damage.healed);
}

TEST_CASE("crash: after the ref and before the list of tips, the ref counts") {
    const Folder folder;
    std::vector<CommitId> commits;
    {
        auto log = open_log(folder.path());
        commits = write_volume(*log, writer_a, 1, 1, 2, 2);
        const auto tips = value(read_file(folder.path() / "log.git/dutybook-tips"));
        commits.push_back(
            value(log->append(row_of(writer_a, 1, 5, 2, commits.back()), some_lines(2))));
        overwrite(folder.path() / "log.git/dutybook-tips", tips);
    }
    auto log = open_log(folder.path());
    CHECK(value(log->volumes())[0].tip == commits.back());
    CHECK(value(log->volumes())[0].last == 6);
    CHECK(value(log->verify(true, {})).empty());
}

TEST_CASE("crash: locks and temporary files that a kill leaves do not hinder") {
    const Folder folder;
    const auto git_dir = folder.path() / "log.git";
    CommitId tip;
    {
        auto log = open_log(folder.path());
        tip = write_volume(*log, writer_a, 1, 1, 1, 1).back();
    }
    const auto ref = (git_dir / one.ref()).string();
    for (const auto& file :
         {ref + ".lock", ref + ".new-abc123", (git_dir / "HEAD.lock").string(),
          (git_dir / "packed-refs.lock").string(), (git_dir / "dutybook-tips.new-abc123").string()})
        overwrite(file, "half");
    auto log = open_log(folder.path());
    CHECK(log->append(row_of(writer_a, 1, 2, 1, tip), some_lines(1)).has_value());
    CHECK(value(log->verify(true, {})).empty());
    CHECK(run("git -C " + git_dir.string() + " for-each-ref | wc -l") == "1\n");
}

TEST_CASE("crash: a repository half made is made anew, refs packed by stock git are read") {
    const Folder folder;
    fs::create_directories(folder.path() / "log.git.new" / "objects");
    auto log = open_log(folder.path());
    const auto commits = write_volume(*log, writer_a, 1, 1, 2, 1);
    CHECK_FALSE(fs::exists(folder.path() / "log.git.new"));
    log.reset();
    run("git -C " + (folder / "log.git") + " pack-refs --all");
    REQUIRE(fs::exists(folder.path() / "log.git/packed-refs"));
    log = open_log(folder.path());
    CHECK(value(log->volumes())[0].tip == commits.back());
    CHECK(value(log->verify(true, {})).empty());
}

TEST_CASE("crash: packs that a consolidation had still to remove are removed at the next start") {
    const Folder folder;
    {
        auto log = open_log(folder.path());
        write_volume(*log, writer_a, 1, 1, 2, 1);
    }
    const auto old = folder.path() / "log.git/objects/pack/pack-old.idx";
    overwrite(old, "old");
    overwrite(folder.path() / "log.git/dutybook-remove",
              "objects/pack/pack-old.idx\nobjects/pack/pack-gone.pack\n../../etc/passwd\n");
    auto log = open_log(folder.path());
    CHECK_FALSE(fs::exists(old));
    CHECK_FALSE(fs::exists(folder.path() / "log.git/dutybook-remove"));
    CHECK(value(log->verify(true, {})).empty());
}

TEST_CASE("crash: an index that came before its pack is no damage") {
    const Folder folder;
    const auto packs = folder.path() / "log.git/objects/pack";
    const auto packed = folder.path() / "packed.git";
    {
        auto log = open_log(folder.path());
        write_volume(*log, writer_a, 1, 1, 20, 1);
        fs::copy(folder.path() / "log.git", packed, fs::copy_options::recursive);
    }
    run("git -C " + packed.string() + " repack -q -a");
    for (const auto& file : fs::directory_iterator(packed / "objects/pack"))
        if (file.path().extension() == ".idx") fs::copy(file.path(), packs);
    overwrite(packs / "pack_git2_abc123", "half");
    REQUIRE_FALSE(fs::is_empty(packs));
    auto log = open_log(folder.path());
    CHECK(fs::is_empty(packs));
    CHECK(value(log->verify(true, {})).empty());
}
