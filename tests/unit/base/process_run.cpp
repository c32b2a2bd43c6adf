#include "base/process.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

using namespace dutybook;

namespace {

const std::string supervise = program_directory() + "/dutybook-supervise";
const std::atomic<bool> never{false};

ProcessRequest shell(const std::string& script) {
    ProcessRequest request;
    request.arguments = {"sh", "-c", script};
    request.environment = {{"PATH", "/usr/bin:/bin"}};
    return request;
}

Millis elapsed_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin)
        .count();
}

bool alive(pid_t pid) {
    return ::kill(pid, 0) == 0;
}

// Waits for a condition; false if the deadline passes first.
template <class Condition>
bool becomes(Condition condition, int millis = 5000) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(millis);
    while (std::chrono::steady_clock::now() < end) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return condition();
}

struct Folder {
    std::string path;
    Folder() {
        char name[] = "/tmp/dutybook-process-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
};

pid_t number_in(const std::string& file) {
    pid_t pid = 0;
    std::ifstream(file) >> pid;
    return pid;
}

}  // namespace

TEST_CASE("a command's status, output and errors come back") {
    auto result = run_process(shell("echo out; echo err >&2; exit 7"), supervise, never);
    REQUIRE(result);
    CHECK(result->status == 7);
    CHECK(result->out == "out\n");
    CHECK(result->err == "err\n");
}

TEST_CASE("a command killed by a signal has status 128 + signal") {
    auto result = run_process(shell("kill -SEGV $$"), supervise, never);
    REQUIRE(result);
    CHECK(result->status == 128 + SIGSEGV);
}

TEST_CASE("the environment is exactly what was given") {
    ::setenv("DUTYBOOK_LEAK", "1", 1);
    auto request = shell("echo ${DUTYBOOK_LEAK-none} $GIVEN");
    request.environment["GIVEN"] = "yes";
    auto result = run_process(request, supervise, never);
    REQUIRE(result);
    CHECK(result->out == "none yes\n");
}

TEST_CASE("no descriptor of ours reaches the command") {
    const int held = ::dup(0);
    auto result = run_process(shell("ls /proc/self/fd | wc -l"), supervise, never);
    ::close(held);
    REQUIRE(result);
    CHECK(std::stoi(result->out) == 4);  // three standard ones and that of ls itself
}

TEST_CASE("input of any size is written and then closed") {
    auto request = shell("wc -c");
    request.input = std::string(3 << 20, 'x');
    auto result = run_process(request, supervise, never);
    REQUIRE(result);
    CHECK(std::stoi(result->out) == 3 << 20);
}

TEST_CASE("a command that does not read its input is no signal and no error") {
    auto request = shell("exec 0<&-; echo done");
    request.input = std::string(3 << 20, 'x');
    auto result = run_process(request, supervise, never);
    REQUIRE(result);
    CHECK(result->out == "done\n");
}

TEST_CASE("a command that does not exist is an error that names it") {
    ProcessRequest request;
    request.arguments = {"no-such-command-here"};
    request.environment = {{"PATH", "/usr/bin"}};
    auto result = run_process(request, supervise, never);
    REQUIRE_FALSE(result);
    CHECK(result.error().text().find("no-such-command-here") != std::string::npos);
    request.arguments = {};
    CHECK_FALSE(run_process(request, supervise, never));
    CHECK_FALSE(run_process(shell("true"), "/no/supervisor", never));
}

TEST_CASE("silence ends at the stall deadline, and bytes put it off") {
    auto request = shell("sleep 60");
    request.limits.stall = 200;
    const auto begin = std::chrono::steady_clock::now();
    auto silent = run_process(request, supervise, never);
    REQUIRE_FALSE(silent);
    CHECK(silent.error().code == Code::Timeout);
    CHECK(elapsed_since(begin) < 2000);

    request = shell("for i in 1 2 3 4 5 6; do echo $i >&2; sleep 0.1; done");
    request.limits.stall = 400;
    CHECK(run_process(request, supervise, never));
}

TEST_CASE("the total deadline holds however much is said") {
    auto request = shell("while :; do echo x; sleep 0.02; done");
    request.limits.total = 300;
    auto result = run_process(request, supervise, never);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Code::Timeout);
}

TEST_CASE("output beyond the limit stops the command") {
    auto request = shell("yes");
    request.limits.output = 1 << 20;
    auto result = run_process(request, supervise, never);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Code::TooLarge);
}

TEST_CASE("stderr is handed on as it comes and its tail is kept") {
    std::string seen;
    auto request = shell("yes 0123456789 | head -c 300000 >&2; echo end >&2");
    request.on_stderr = [&](std::string_view text) { seen += text; };
    auto result = run_process(request, supervise, never);
    REQUIRE(result);
    CHECK(seen.size() == 300004);
    CHECK(result->err.size() == 64 * 1024);
    CHECK(result->err.substr(result->err.size() - 4) == "end\n");
}

TEST_CASE("cancel ends the command within 100 ms") {
    std::atomic<bool> cancel{false};
    const Folder folder;
    auto request = shell("echo $$ > " + folder.path + "/pid; sleep 60");
    std::chrono::steady_clock::time_point asked;
    std::thread other([&] {
        becomes([&] { return number_in(folder.path + "/pid") > 0; });
        asked = std::chrono::steady_clock::now();
        cancel = true;
    });
    auto result = run_process(request, supervise, cancel);
    const Millis took = elapsed_since(asked);
    other.join();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Code::Unavailable);
    CHECK(took < 100);
    CHECK_FALSE(alive(number_in(folder.path + "/pid")));
}

TEST_CASE("nothing that the command left behind outlives it") {
    const Folder folder;
    // One in the group, one in a session of its own, as an ssh connection master is.
    auto result = run_process(
        shell("sleep 60 & echo $! > " + folder.path + "/near; setsid sh -c 'echo $$ > " +
              folder.path + "/far; exec sleep 60' & while [ ! -s " + folder.path +
              "/far ]; do sleep 0.01; done"),
        supervise, never);
    REQUIRE(result);
    CHECK(result->status == 0);
    REQUIRE(number_in(folder.path + "/near") > 0);
    REQUIRE(number_in(folder.path + "/far") > 0);
    CHECK_FALSE(alive(number_in(folder.path + "/near")));
    CHECK_FALSE(alive(number_in(folder.path + "/far")));
}

TEST_CASE("a parent killed with -9 leaves no grandchild") {
    const Folder folder;
    const std::string script = "setsid sh -c 'echo $$ > " + folder.path +
                               "/far; exec sleep 60' & sleep 60 & echo $! > " + folder.path +
                               "/near; sleep 60";
    const pid_t parent = ::fork();
    REQUIRE(parent >= 0);
    if (parent == 0) {
        const auto ignored = run_process(shell(script), supervise, never);
        std::_Exit(ignored ? 0 : 1);
    }
    REQUIRE(becomes([&] {
        return number_in(folder.path + "/near") > 0 && number_in(folder.path + "/far") > 0;
    }));
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    CHECK(becomes([&] {
        return !alive(number_in(folder.path + "/near")) && !alive(number_in(folder.path + "/far"));
    }));
}

TEST_CASE("a file larger than the limit is an error of the command") {
    const Folder folder;
    auto request = shell("head -c 200000 /dev/zero > " + folder.path + "/big || exit 9");
    request.limits.file_size = 100000;
    auto result = run_process(request, supervise, never);
    REQUIRE(result);
    CHECK(result->status == 9);
    CHECK(std::filesystem::file_size(folder.path + "/big") == 100000);
}
