#pragma once
// Real repositories made by real git, in a folder that goes away.

#include "base/clock.h"
#include "base/process.h"
#include "sync/git_transfer.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace sync_test {

namespace fs = std::filesystem;
using namespace dutybook;

inline const std::string supervise = program_directory() + "/dutybook-supervise";
inline const std::atomic<bool> never{false};

struct Folder {
    fs::path path;
    Folder() {
        char name[] = "/tmp/dutybook-sync-XXXXXX";
        path = ::mkdtemp(name);
        fs::create_directory(path / "home");
        ::setenv("HOME", (path / "home").c_str(), 1);
        ::unsetenv("XDG_CONFIG_HOME");
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
};

inline std::string git(std::vector<std::string> words, const std::string& input = {}) {
    ProcessRequest request;
    words.insert(words.begin(), "git");
    request.arguments = std::move(words);
    request.environment = {{"PATH", "/usr/bin:/bin"},   {"HOME", "/nonexistent"},
                           {"GIT_AUTHOR_NAME", "t"},    {"GIT_AUTHOR_EMAIL", "t@t"},
                           {"GIT_COMMITTER_NAME", "t"}, {"GIT_COMMITTER_EMAIL", "t@t"}};
    request.input = input;
    auto result = run_process(request, supervise, never);
    REQUIRE(result);
    INFO(result->err);
    REQUIRE(result->status == 0);
    while (result->out.ends_with('\n')) result->out.pop_back();
    return result->out;
}

inline fs::path bare(const fs::path& path) {
    git({"init", "-q", "--bare", "--initial-branch=dutybook", path.string()});
    return path;
}

// A commit with one blob, on a ref; returns its id.
inline std::string commit(const fs::path& repository, const std::string& ref,
                          const std::string& text) {
    const std::string dir = "--git-dir=" + repository.string();
    const std::string blob = git({dir, "hash-object", "-w", "--stdin"}, text);
    const std::string tree = git({dir, "mktree"}, "100644 blob " + blob + "\tsegment\n");
    std::vector<std::string> words = {dir, "commit-tree", tree, "-m", "x"};
    const std::string before = git({dir, "for-each-ref", "--format=%(objectname)", ref});
    if (!before.empty()) words.insert(words.end(), {"-p", before});
    const std::string id = git(words);
    git({dir, "update-ref", ref, id});
    return id;
}

inline std::string tip(const fs::path& repository, const std::string& ref) {
    return git({"--git-dir=" + repository.string(), "for-each-ref", "--format=%(objectname)", ref});
}

class PlainQuarantine final : public store::Quarantine {
public:
    PlainQuarantine(fs::path path, const fs::path& log) : path_(bare(path)) {
        std::ofstream(path_ / "objects" / "info" / "alternates")
            << (log / "objects").string() << "\n";
    }
    std::string path() const override { return path_.string(); }
    Result<void> clear() override { return {}; }

private:
    fs::path path_;
};

struct Fixture {
    Folder folder;
    SystemClock clock;
    fs::path hub = bare(folder.path / "hub.git");
    fs::path log = bare(folder.path / "log.git");
    sync::RemoteConfig remote{"hub", hub.string(), {}, {}, {}, 10'000, false};

    sync::GitTransfer transfer(bool listed_as_safe = true) {
        const fs::path config = folder.path / "gitconfig";
        REQUIRE(sync::write_git_config(
            config, listed_as_safe ? std::vector{remote} : std::vector<sync::RemoteConfig>{}));
        return sync::GitTransfer({log.string(), supervise, config, &clock});
    }
};

inline Millis elapsed_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin)
        .count();
}

}  // namespace sync_test
