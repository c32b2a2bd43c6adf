#include "git_fixture.h"

#include <random>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace sync_test;
using sync::Offered;
using sync::Pushed;
using sync::Wanted;

namespace {

const std::string ref_a = "refs/heads/log/a/00000001";
const std::string ref_b = "refs/heads/log/b/00000001";

std::string noise(std::size_t size) {
    std::mt19937 random(7);
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

// Accepts connections into its backlog and never answers.
struct SilentServer {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port = 0;
    SilentServer() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(fd, 8) == 0);
        REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port = ntohs(address.sin_port);
    }
    ~SilentServer() { ::close(fd); }
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;
};

}  // namespace

TEST_CASE("the list holds the branches and nothing else") {
    Fixture test;
    const auto a = commit(test.hub, ref_a, "1");
    git({"--git-dir=" + test.hub.string(), "tag", "x", a});
    git({"--git-dir=" + test.hub.string(), "update-ref", "refs/other/x", a});
    auto transfer = test.transfer();
    const auto listed = transfer.list(test.remote, never);
    REQUIRE(listed);
    CHECK(*listed == sync::Transfer::Refs{{ref_a, a}});
}

TEST_CASE("a fetch brings exactly what is new into the quarantine's own refs") {
    Fixture test;
    const auto first = commit(test.hub, ref_a, "1");
    auto transfer = test.transfer();
    PlainQuarantine quarantine(test.folder.path / "q.git", test.log);
    REQUIRE(transfer.fetch(test.remote, {{ref_a, first, {}}}, quarantine, never));
    CHECK(transfer.moved().objects_in == 3);
    CHECK(tip(quarantine.path(), "refs/quarantine/log/a/00000001") == first);

    // What was taken over is in the log; the next fetch negotiates from there.
    git({"--git-dir=" + test.log.string(), "fetch", "-q", test.hub.string(), ref_a + ":" + ref_a});
    for (const char* text : {"2", "3", "4"}) commit(test.hub, ref_a, text);
    const auto last = tip(test.hub, ref_a);
    commit(test.hub, ref_b, "not asked for");
    PlainQuarantine next(test.folder.path / "q2.git", test.log);
    auto again = test.transfer();
    REQUIRE(again.fetch(test.remote, {{ref_a, last, first}}, next, never));
    CHECK(again.moved().objects_in == 9);
    CHECK(again.moved().bytes_in > 0);
    CHECK(tip(next.path(), "refs/quarantine").size() == 40);
    CHECK_FALSE(fs::exists(fs::path(next.path()) / "FETCH_HEAD"));
}

TEST_CASE("several volumes come in one fetch, tags and other refs do not follow") {
    Fixture test;
    const auto a = commit(test.hub, ref_a, "1");
    const auto b = commit(test.hub, ref_b, "2");
    git({"--git-dir=" + test.hub.string(), "tag", "x", a});
    auto transfer = test.transfer();
    PlainQuarantine quarantine(test.folder.path / "q.git", test.log);
    REQUIRE(transfer.fetch(test.remote, {{ref_a, a, {}}, {ref_b, b, {}}}, quarantine, never));
    CHECK(git({"--git-dir=" + quarantine.path(), "for-each-ref", "--format=%(refname)"}) ==
          "refs/quarantine/log/a/00000001\nrefs/quarantine/log/b/00000001");
}

TEST_CASE("a tip that is gone since the list is fetched by name") {
    Fixture test;
    const auto now = commit(test.hub, ref_a, "1");
    auto transfer = test.transfer();
    PlainQuarantine quarantine(test.folder.path / "q.git", test.log);
    REQUIRE(transfer.fetch(test.remote, {{ref_a, std::string(40, '1'), {}}}, quarantine, never));
    CHECK(tip(quarantine.path(), "refs/quarantine/log/a/00000001") == now);

    const auto gone =
        transfer.fetch(test.remote, {{ref_b, std::string(40, '1'), {}}}, quarantine, never);
    REQUIRE_FALSE(gone);
    CHECK(gone.error().what.find("remote hub") != std::string::npos);
}

TEST_CASE("a push is judged ref by ref and never forces") {
    Fixture test;
    const auto a = commit(test.log, ref_a, noise(5000));
    const auto b1 = commit(test.log, ref_b, "1");
    auto transfer = test.transfer();
    auto outcome = transfer.push(test.remote, {{ref_a, a, {}}, {ref_b, b1, {}}}, never);
    REQUIRE(outcome);
    CHECK(outcome->refs.at(ref_a) == Pushed::Done);
    CHECK(transfer.moved().bytes_out > 5000);
    CHECK(transfer.moved().bytes_out < 6000);

    const auto theirs = commit(test.hub, ref_b, "elsewhere");
    const auto ours = commit(test.log, ref_b, "here");
    const auto a2 = commit(test.log, ref_a, "2");
    outcome = transfer.push(test.remote, {{ref_a, a2, a}, {ref_b, ours, b1}}, never);
    REQUIRE(outcome);
    CHECK(outcome->refs.at(ref_a) == Pushed::Done);
    CHECK(outcome->refs.at(ref_b) == Pushed::Refused);
    CHECK_FALSE(outcome->reasons.at(ref_b).empty());
    CHECK(tip(test.hub, ref_b) == theirs);

    outcome = transfer.push(test.remote, {{ref_a, a2, a2}}, never);
    REQUIRE(outcome);
    CHECK(outcome->refs.at(ref_a) == Pushed::UpToDate);
}

TEST_CASE("the environment of a daemon started by git does not leak in") {
    Fixture test;
    const auto a = commit(test.hub, ref_a, "1");
    ::setenv("GIT_DIR", "/nowhere", 1);
    ::setenv("GIT_CONFIG_COUNT", "1", 1);
    ::setenv("GIT_CONFIG_KEY_0", "protocol.file.allow", 1);
    ::setenv("GIT_CONFIG_VALUE_0", "never", 1);
    auto transfer = test.transfer();
    const auto listed = transfer.list(test.remote, never);
    for (const char* name :
         {"GIT_DIR", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"})
        ::unsetenv(name);
    REQUIRE(listed);
    CHECK(listed->at(ref_a) == a);
}

TEST_CASE("a server that takes the connection and never answers is left at the deadline") {
    Fixture test;
    const SilentServer server;
    test.remote.url = "https://127.0.0.1:" + std::to_string(server.port) + "/book.git";
    test.remote.timeout = 700;
    auto transfer = test.transfer();
    const auto begin = std::chrono::steady_clock::now();
    const auto listed = transfer.list(test.remote, never);
    REQUIRE_FALSE(listed);
    CHECK(elapsed_since(begin) < 3000);
    CHECK(listed.error().code == Code::Timeout);
    CHECK(listed.error().text().find("remote hub") != std::string::npos);
    CHECK(listed.error().text().find("does not answer") != std::string::npos);
}

TEST_CASE("ssh that hangs is left at the deadline, and at once when cancelled") {
    Fixture test;
    std::ofstream(test.folder.path / "home" / ".gitconfig")
        << "[core]\n\tsshCommand = \"sleep 60; true\"\n";
    test.remote.url = "git@example.invalid:book.git";
    test.remote.timeout = 600;
    auto transfer = test.transfer();
    auto listed = transfer.list(test.remote, never);
    REQUIRE_FALSE(listed);
    CHECK(listed.error().code == Code::Timeout);

    test.remote.timeout = 60'000;
    std::atomic<bool> cancel{false};
    std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        cancel = true;
    });
    const auto begin = std::chrono::steady_clock::now();
    listed = transfer.list(test.remote, cancel);
    other.join();
    REQUIRE_FALSE(listed);
    CHECK(elapsed_since(begin) < 1000);
}

TEST_CASE("a closed port is said to refuse the connection") {
    Fixture test;
    int port = 0;
    {
        const SilentServer server;
        port = server.port;
    }
    test.remote.url = "ssh://git@127.0.0.1:" + std::to_string(port) + "/book.git";
    auto transfer = test.transfer();
    const auto listed = transfer.list(test.remote, never);
    REQUIRE_FALSE(listed);
    CHECK(listed.error().code == Code::Unavailable);
    CHECK(listed.error().text().find("refused the connection") != std::string::npos);
}

TEST_CASE("a repository of another user is opened because it is listed as safe") {
    if (::geteuid() != 0) {
        MESSAGE("SKIPPED: giving a repository to another user needs root");
        return;
    }
    Fixture test;
    const auto a = commit(test.hub, ref_a, "1");
    for (const auto& entry : fs::recursive_directory_iterator(test.hub))
        REQUIRE(::lchown(entry.path().c_str(), 65534, 65534) == 0);
    REQUIRE(::lchown(test.hub.c_str(), 65534, 65534) == 0);
    auto refused = test.transfer(false);
    const auto without = refused.list(test.remote, never);
    REQUIRE_FALSE(without);
    CHECK(without.error().text().find("another user") != std::string::npos);

    auto transfer = test.transfer(true);
    const auto listed = transfer.list(test.remote, never);
    REQUIRE(listed);
    CHECK(listed->at(ref_a) == a);
    PlainQuarantine quarantine(test.folder.path / "q.git", test.log);
    CHECK(transfer.fetch(test.remote, {{ref_a, a, {}}}, quarantine, never));
    const auto b = commit(test.log, ref_b, "1");
    const auto pushed = transfer.push(test.remote, {{ref_b, b, {}}}, never);
    REQUIRE(pushed);
    CHECK(pushed->refs.at(ref_b) == Pushed::Done);
}
