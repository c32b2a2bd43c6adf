#include "sync/git_errors.h"
#include "sync/git_transfer.h"
#include "sync/remote_url.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::sync;

TEST_CASE("addresses that a remote may have") {
    CHECK(parse_remote_url("/srv/book.git")->kind == RemoteKind::Directory);
    CHECK(parse_remote_url("file:///srv/a%20b.git")->directory == "/srv/a b.git");
    CHECK(parse_remote_url("https://example.org/book.git")->kind == RemoteKind::Https);
    const auto ssh = parse_remote_url("ssh://git@example.org:2222/book.git");
    REQUIRE(ssh);
    CHECK(ssh->user_host == "git@example.org");
    CHECK(ssh->port == "2222");
    CHECK(parse_remote_url("git@example.org:books/north.git")->user_host == "git@example.org");
    CHECK(parse_remote_url("ssh://[::1]:22/x")->user_host == "::1");
}

TEST_CASE("addresses that a remote may not have") {
    for (const char* text : {"",
                             "book.git",
                             "./book.git",
                             "../x:y",
                             "http://example.org/x",
                             "git://example.org/x",
                             "ext::sh -c true",
                             "ssh://-oProxyCommand=true/x",
                             "-oProxyCommand=true:x",
                             "git@-oProxyCommand=true:x",
                             "https://",
                             "https:///x",
                             "ssh://host",
                             "file://host/x",
                             "ftp://host/x",
                             "/srv/a\nb",
                             "file:///srv/a%0Ab",
                             "file:///srv/a%00b",
                             "host::x",
                             "git@:x.git",
                             "@host:x"}) {
        CAPTURE(text);
        const auto url = parse_remote_url(text);
        REQUIRE_FALSE(url);
        CHECK(url.error().code == Code::Malformed);
        CHECK_FALSE(url.error().fix.empty());
    }
}

TEST_CASE("a password in an address is never shown") {
    CHECK(redacted("https://me:secret@example.org/x") == "https://me@example.org/x");
    CHECK(redacted("https://me@example.org/x") == "https://me@example.org/x");
    CHECK(redacted("https://example.org:8443/x") == "https://example.org:8443/x");
    CHECK(redacted("/srv/x") == "/srv/x");
    const auto url = parse_remote_url("https://me:sec%40ret@example.org/x@y");
    REQUIRE(url);
    CHECK(url->url == "https://example.org/x@y");
    CHECK(url->sign_in == "https://me:sec%40ret@example.org/x@y");
    CHECK(parse_remote_url("https://me@example.org/x")->url == "https://me@example.org/x");
    CHECK(parse_remote_url("gopher://me:secret@host/x").error().text().find("secret") ==
          std::string::npos);
}

TEST_CASE("what git and ssh say is sorted for people and names the remote") {
    const RemoteUrl url{RemoteKind::Ssh, "git@hub:book", {}, "git@hub", {}};
    struct Expected {
        const char* said;
        Code code;
        const char* word;
    };
    for (const auto& [said, code, word] : {
             Expected{
                 "Host key verification failed.\nfatal: Could not read from remote repository.",
                 Code::Forbidden, "host key is not known"},
             Expected{"@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification "
                      "failed.",
                      Code::Forbidden, "has changed"},
             Expected{"git@hub: Permission denied (publickey).\nfatal: Could not read from remote "
                      "repository.",
                      Code::Forbidden, "refused this machine's key"},
             Expected{"fatal: could not read Username for 'https://hub': terminal prompts disabled",
                      Code::Forbidden, "sign-in"},
             Expected{"ssh: Could not resolve hostname hub: Name or service not known",
                      Code::Unavailable, "not known"},
             Expected{"ssh: connect to host hub port 22: Connection refused", Code::Unavailable,
                      "refused the connection"},
             Expected{"ssh: connect to host hub port 22: Connection timed out", Code::Timeout,
                      "does not answer"},
             Expected{"fatal: '/x' does not appear to be a git repository", Code::NotFound,
                      "no repository"},
             Expected{"remote: Repository not found.\nfatal: repository 'https://hub/' not found",
                      Code::NotFound, "no repository"},
             Expected{"error: insufficient permission for adding an object to repository database",
                      Code::Forbidden, "no write right"},
             Expected{"remote: fatal: write error: No space left on device", Code::Full, "full"},
             Expected{"fatal: the remote end hung up unexpectedly", Code::Unavailable,
                      "the link dropped"},
             Expected{
                 "fatal: unable to access 'https://hub/': SSL certificate problem: self-signed",
                 Code::Forbidden, "certificate"},
             Expected{
                 "fatal: unable to access 'https://hub/': gnutls_handshake() failed: An unexpected "
                 "TLS packet was received.",
                 Code::Unavailable, "does not speak https"},
             Expected{"kex_exchange_identification: Connection closed by remote host\nConnection "
                      "closed by 127.0.0.1 port 22\nfatal: Could not read from remote repository.",
                      Code::Unavailable, "closed the connection"},
             Expected{"something new", Code::Unavailable, "something new"},
         }) {
        CAPTURE(said);
        const Error error = sort_out(said, Step::Push, "hub", url);
        CHECK(error.code == code);
        CHECK(error.why.find(word) != std::string::npos);
        CHECK(error.what.find("remote hub") != std::string::npos);
        CHECK_FALSE(error.fix.empty());
    }
}

TEST_CASE("bytes of a push are read from its progress") {
    CHECK(written_bytes("") == 0);
    CHECK(
        written_bytes("Writing objects:  33% (1/3)\rWriting objects: 100% (3/3), 247 bytes | 1.00 "
                      "KiB/s, done.\n") == 247);
    CHECK(written_bytes("Writing objects:  50% (1/2), 1.50 KiB | 1.00 KiB/s\r") == 1536);
    CHECK(written_bytes("Writing objects: 100% (9/9), 2.00 MiB | 3.00 MiB/s, done.\nTotal 9") ==
          2u << 20);
    CHECK(written_bytes("Writing objects: 100% (3/3)") == 0);
    for (const char* number : {"inf", "nan", "-1.00", "1e300"})  // the remote may print the same
        CHECK(written_bytes(std::string("remote: Writing objects: 100% (3/3), ") + number +
                            " GiB | 1.00 KiB/s") == 0);
}

TEST_CASE("a listing gives the refs below refs/heads, whatever else is said") {
    const std::string tip(40, 'a');
    const auto refs = read_listing(tip + "\trefs/heads/log/a\n" + tip + "\trefs/tags/b\n" +
                                   "warning: redirecting\n\n" + std::string(40, 'x') +
                                   "\trefs/heads/log/c\n" + tip + "\trefs/heads/control");
    REQUIRE(refs.size() == 2);
    CHECK(refs.at("refs/heads/log/a") == tip);
    CHECK(refs.at("refs/heads/control") == tip);
}

TEST_CASE("a push is judged ref by ref") {
    const PushOutcome outcome = read_porcelain(
        "To /srv/hub\n"
        "*\taaaa:refs/heads/log/a\t[new branch]\n"
        " \tbbbb:refs/heads/log/b\t1..2\n"
        "=\tcccc:refs/heads/log/c\t[up to date]\n"
        "!\tdddd:refs/heads/log/d\t[rejected] (fetch first)\n"
        "Done\n");
    REQUIRE(outcome.refs.size() == 4);
    CHECK(outcome.refs.at("refs/heads/log/a") == Pushed::Done);
    CHECK(outcome.refs.at("refs/heads/log/b") == Pushed::Done);
    CHECK(outcome.refs.at("refs/heads/log/c") == Pushed::UpToDate);
    CHECK(outcome.refs.at("refs/heads/log/d") == Pushed::Refused);
    CHECK(outcome.reasons.at("refs/heads/log/d").find("fetch first") != std::string::npos);
    const PushOutcome twice = read_porcelain(
        "!\tdddd:refs/heads/log/d\t[rejected]\n*\tdddd:refs/heads/log/d\t[new branch]\n");
    CHECK(twice.refs.at("refs/heads/log/d") == Pushed::Refused);
}
