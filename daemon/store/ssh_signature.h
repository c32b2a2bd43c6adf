#pragma once
// Signatures of commits in the SSH format (OpenSSH's PROTOCOL.sshsig), so that stock git verifies
// them (gpg.format=ssh). Ed25519 over SHA-512, namespace "git"; deterministic.
//
// Dates in an allowed_signers file are judged at the commit's own date, which the signer chose:
// who may write a log is decided by position in it, never by time.

#include "store/segment.h"

#include <array>

namespace dutybook::store {

using SigningPublicKey = std::array<std::uint8_t, 32>;
using SigningSeed = std::array<std::uint8_t, 32>;

class SshSigner final : public CommitSigner {
public:
    explicit SshSigner(const SigningSeed& seed);
    SshSigner(const SshSigner&) = delete;
    SshSigner& operator=(const SshSigner&) = delete;
    ~SshSigner() override;  // wipes the key

    Result<std::string> sign(std::string_view commit_bytes) const override;
    const SigningPublicKey& public_key() const { return public_key_; }

private:
    SigningPublicKey public_key_{};
    std::array<std::uint8_t, 64> secret_key_{};
};

// The key that a signature names; says nothing about whether it is valid. Only the spelling that
// SshSigner makes is accepted.
Result<SigningPublicKey> signer_of(std::string_view signature);
// Code::Forbidden if the signature is not this key's over these bytes. Takes about 150 us.
Result<void> verify_signature(std::string_view commit_bytes, std::string_view signature,
                              const SigningPublicKey& key);

// "ssh-ed25519 AAAA..."
std::string ssh_public_key(const SigningPublicKey& key);
// The key of such a line, whatever follows it; only Ed25519.
Result<SigningPublicKey> key_of_line(std::string_view line);
// A line of an allowed_signers file. `principal` without spaces, such as "<site>@<name>".
std::string allowed_signers_line(std::string_view principal, const SigningPublicKey& key);

}  // namespace dutybook::store
