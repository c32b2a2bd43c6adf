// Signed logs, judged in process and by stock git and OpenSSH.

#include "log_forge.h"

#include "store/control_log.h"
#include "store/git_segment.h"
#include "store/ssh_signature.h"

#include "base/crypto.h"

using namespace dutybook;
using namespace dutybook::test;
using store::allowed_signers_line;
using store::SshSigner;
using store::verify_signature;
namespace git = store::git;

namespace {

store::SigningSeed seed(std::uint8_t fill) {
    crypto_start();
    store::SigningSeed out{};
    out.fill(fill);
    return out;
}

class OneKey final : public store::SegmentJudge {
public:
    explicit OneKey(const store::SigningPublicKey& key) : key_(key) {}
    Result<void> judge(const store::SegmentHeader&, std::string_view commit,
                       std::string_view signature, const store::CommitId&) const override {
        return verify_signature(commit, signature, key_);
    }

private:
    store::SigningPublicKey key_;
};

std::string verify_commit(const std::filesystem::path& git_dir, const std::string& signers,
                          const std::string& commit) {
    return run("git -c gpg.format=ssh -c gpg.ssh.allowedSignersFile=" + signers + " -C " +
               git_dir.string() + " verify-commit " + commit + " && echo accepted");
}

}  // namespace

TEST_CASE("signature: stock git accepts every commit of a signed log, and fsck is content") {
    const Folder folder;
    const SshSigner signer(seed(7));
    auto log = value(try_open_log(folder.path(), &signer));
    const auto commits = write_volume(*log, writer_a, 1, 1, 3, 2);
    const auto signers = folder / "allowed_signers";
    overwrite(signers, allowed_signers_line("site@north", signer.public_key()));
    for (const auto& commit : commits) {
        const auto said = verify_commit(folder.path() / "log.git", signers, commit);
        CHECK_MESSAGE(said.find("Good \"git\" signature for site@north") != said.npos, said);
        CHECK(said.find("accepted") != said.npos);
    }
    CHECK(run("git -C " + (folder / "log.git") + " fsck --strict 2>&1 | grep -v ^notice") == "");
    // Another key in the file, or none: not accepted.
    overwrite(signers, allowed_signers_line("site@south", SshSigner(seed(8)).public_key()));
    CHECK(verify_commit(folder.path() / "log.git", signers, commits[0]).find("accepted") ==
          std::string::npos);
}

TEST_CASE("signature: of what a removed site wrote later only what it signed itself is set aside") {
    const Folder remote, folder;
    const SshSigner site(seed(7)), somebody(seed(8));
    auto commits = write_volume(*value(try_open_log(remote.path(), &site)), writer_a, 1, 1, 3, 2);
    {
        auto log = value(try_open_log(remote.path(), &somebody));
        for (std::size_t i = 3; i < 6; ++i) {
            const auto row = row_of(writer_a, 1, i * 2 + 1, 2, commits.back());
            commits.push_back(value(log->append(row, some_lines(2))));
        }
    }
    auto log = value(try_open_log(folder.path(), nullptr));
    {
        const auto quarantine = value(log->open_quarantine());
        REQUIRE(fetch(*quarantine, remote.path() / "log.git") == "");
        ok(log->control()->keep_later(*quarantine, {{writer_a, 1}, commits.back(), {}}));
        ok(quarantine->clear());
    }
    const auto aside = value(log->control()->set_aside(domain::site_of(writer_a)));
    REQUIRE(aside.size() == 1);
    CHECK(aside.front().tip == commits[2]);
    CHECK(aside.front().last == 6);
    CHECK_FALSE(log->read(commits[3]).has_value());
}

TEST_CASE("signature: the public key is one that OpenSSH knows") {
    const Folder folder;
    overwrite(folder / "key.pub", store::ssh_public_key(SshSigner(seed(7)).public_key()) + " x\n");
    const auto said = run("ssh-keygen -l -f " + (folder / "key.pub"));
    CHECK_MESSAGE(said.find("(ED25519)") != said.npos, said);
}

TEST_CASE("signature: one changed byte of commit or signature is refused by both") {
    const Folder folder;
    const Forge forge(folder.path());
    const SshSigner signer(seed(7));
    auto log = value(try_open_log(folder.path(), &signer));
    const auto commit = write_volume(*log, writer_a, 1, 1, 1, 2).front();
    const auto link =
        value(git::read_link(value(git::View::open(folder.path() / "log.git")), commit));
    const auto& bytes = link.text.unsigned_bytes;
    const auto& signature = link.text.signature;
    CHECK(verify_signature(bytes, signature, signer.public_key()).has_value());
    CHECK(value(store::signer_of(signature)) == signer.public_key());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        CHECK(verify_signature(changed, signature, signer.public_key()).error().code ==
              Code::Forbidden);
    }
    for (std::size_t at = 0; at < signature.size(); ++at) {
        auto changed = signature;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        CHECK_FALSE(verify_signature(bytes, changed, signer.public_key()));
    }
    for (std::size_t size = 0; size < signature.size(); ++size)
        CHECK_FALSE(verify_signature(bytes, signature.substr(0, size), signer.public_key()));
    CHECK_FALSE(verify_signature(bytes, signature + "\n", signer.public_key()));
    CHECK(verify_signature(bytes, signature, SshSigner(seed(8)).public_key()).error().code ==
          Code::Forbidden);

    const auto signers = folder / "allowed_signers";
    overwrite(signers, allowed_signers_line("site@north", signer.public_key()));
    auto other = bytes;
    other[other.size() - 2] = '3';
    const auto forged = forge.put(git::with_signature(other, signature), GIT_OBJECT_COMMIT);
    const auto said = verify_commit(forge.path(), signers, forged);
    CHECK_MESSAGE(said.find("accepted") == std::string::npos, said);
}

TEST_CASE("signature: re-sealing a signed segment gives the same commit") {
    const Folder here, there;
    const SshSigner signer(seed(7));
    auto one = value(try_open_log(here.path(), &signer));
    auto two = value(try_open_log(there.path(), &signer));
    CHECK(write_volume(*one, writer_a, 1, 1, 2, 2) == write_volume(*two, writer_a, 1, 1, 2, 2));
}

TEST_CASE("signature: a log signed with another key, or not at all, is not taken over") {
    const Folder near_folder, far_folder, bare_folder;
    const SshSigner signer(seed(7)), impostor(seed(9));
    auto near = open_log(near_folder.path());
    auto far = value(try_open_log(far_folder.path(), &impostor));
    const auto forged = write_volume(*far, writer_a, 1, 1, 2, 2);
    const OneKey judge(signer.public_key());
    const auto taken = take(*near, far_folder.path() / "log.git", forged.back(), 1, judge);
    REQUIRE(taken.refused);
    CHECK(taken.refused->code == Code::Forbidden);
    auto bare = open_log(bare_folder.path());
    const auto plain = write_volume(*bare, writer_a, 1, 1, 2, 2);
    CHECK(take(*near, bare_folder.path() / "log.git", plain.back(), 1, judge).refused);
    CHECK(value(near->volumes()).empty());

    const Folder true_folder;
    auto honest = value(try_open_log(true_folder.path(), &signer));
    const auto commits = write_volume(*honest, writer_a, 1, 1, 2, 2);
    CHECK_FALSE(take(*near, true_folder.path() / "log.git", commits.back(), 1, judge).refused);
}
