// What a log alone proves of its writer: sites that sign for themselves, and forgers.

#include "log_forge.h"

#include "store/git_segment.h"
#include "store/self_certified.h"

#include "base/crypto.h"
#include "domain/control.h"

using namespace dutybook;
using namespace dutybook::test;
using store::SelfCertifiedJudge;
using store::SshSigner;
namespace git = store::git;

namespace {

const SelfCertifiedJudge judge;

struct Keys {
    explicit Keys(std::uint8_t fill) : signer(seed(fill)) {}
    static store::SigningSeed seed(std::uint8_t fill) {
        crypto_start();
        store::SigningSeed out{};
        out.fill(fill);
        return out;
    }
    std::string site() const { return domain::site_id_of(signer.public_key()); }
    std::string writer() const { return site() + "-aaaaaaaa"; }
    SshSigner signer;
};

store::TakenOver take_log(store::Log& log, const std::filesystem::path& remote,
                          const std::string& writer, const store::CommitId& tip) {
    const auto quarantine = value(log.open_quarantine());
    ok(quarantine->clear());
    CHECK(fetch(*quarantine, remote) == "");
    return value(log.take_over(*quarantine, {{writer, 1}, tip, {}}, judge));
}

// Three segments of `writer`, signed with whatever is given; what a site makes of them.
store::TakenOver offered(const std::string& writer, const store::CommitSigner* signer) {
    const Folder near, far;
    auto mine = open_log(near.path());
    auto theirs = value(try_open_log(far.path(), signer));
    const auto commits = write_volume(*theirs, writer, 1, 1, 3, 2);
    auto taken = take_log(*mine, far.path() / "log.git", writer, commits.back());
    CHECK(value(mine->volumes()).empty() == taken.segments.empty());
    return taken;
}

// The signed bytes of one honest commit.
struct Commit {
    store::SegmentHeader header;
    git::CommitText text;
    store::CommitId id;
};
Commit honest(const Keys& keys) {
    const Folder folder;
    auto log = value(try_open_log(folder.path(), &keys.signer));
    const auto commits = write_volume(*log, keys.writer(), 1, 1, 1, 2);
    const auto view = value(git::View::open(folder.path() / "log.git"));
    auto segment = value(git::read_segment(view, commits[0]));
    return {value(store::decode_header(segment.blob_bytes)), segment.text, commits[0]};
}

}  // namespace

TEST_CASE("self-certified: a site's own log is taken over, unsigned and foreign ones are not") {
    const Keys north(7), south(8);
    const auto good = offered(north.writer(), &north.signer);
    CHECK_FALSE(good.refused);
    CHECK(good.segments.size() == 3);

    for (const store::CommitSigner* signer :
         {static_cast<const store::CommitSigner*>(nullptr),
          static_cast<const store::CommitSigner*>(&south.signer)}) {
        const auto taken = offered(north.writer(), signer);
        CHECK(taken.segments.empty());
        REQUIRE(taken.refused);
        CHECK(taken.refused->code == Code::Forbidden);
        const std::string said = taken.refused->text();
        CHECK(said.find(north.site()) != std::string::npos);
        CHECK(said.find("refs/heads/log/" + north.writer()) != std::string::npos);
    }
}

TEST_CASE("self-certified: any changed byte of a commit or its signature is refused") {
    const Keys north(7);
    const auto commit = honest(north);
    CHECK(judge.judge(commit.header, commit.text.unsigned_bytes, commit.text.signature, commit.id));
    int refused = 0;
    for (std::size_t at = 0; at < commit.text.unsigned_bytes.size(); ++at) {
        auto bytes = commit.text.unsigned_bytes;
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
        refused += !judge.judge(commit.header, bytes, commit.text.signature, commit.id);
    }
    for (std::size_t at = 0; at < commit.text.signature.size(); ++at) {
        auto signature = commit.text.signature;
        signature[at] = static_cast<char>(signature[at] ^ 1);
        refused += !judge.judge(commit.header, commit.text.unsigned_bytes, signature, commit.id);
    }
    CHECK(static_cast<std::size_t>(refused) ==
          commit.text.unsigned_bytes.size() + commit.text.signature.size());
}

TEST_CASE("self-certified: a good signature does not carry over to another writer's log") {
    const Keys north(7), south(8);
    auto commit = honest(north);
    commit.header.writer = south.writer();
    CHECK_FALSE(
        judge.judge(commit.header, commit.text.unsigned_bytes, commit.text.signature, commit.id));
}

TEST_CASE("self-certified: what a site signed is kept when somebody writes on after it") {
    const Keys north(7), south(8);
    const Folder near, far;
    auto mine = open_log(near.path());
    store::CommitId before;
    {
        auto theirs = value(try_open_log(far.path(), &north.signer));
        before = write_volume(*theirs, north.writer(), 1, 1, 2, 2).back();
    }
    auto forger = value(try_open_log(far.path(), &south.signer));
    const auto tip = write_volume(*forger, north.writer(), 1, 5, 1, 2, before).back();
    const auto taken = take_log(*mine, far.path() / "log.git", north.writer(), tip);
    CHECK(taken.segments.size() == 2);
    REQUIRE(taken.refused);
    CHECK(taken.refused->code == Code::Forbidden);
    CHECK(value(mine->volumes()).at(0).tip == before);
}
