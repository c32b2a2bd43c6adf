#pragma once
// Keys and sealed bytes, over libsodium: Ed25519 signatures, X25519 sealed boxes,
// XChaCha20-Poly1305, Argon2id. Secrets are wiped when they go.

#include "base/result.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dutybook {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

std::string base64(std::string_view bytes);  // RFC 4648 with padding
Result<std::string> from_base64(std::string_view text);
std::string_view view(std::span<const std::uint8_t> bytes);
Result<PublicKey> public_key_from(std::string_view bytes);  // exactly 32

// 32 bytes that matter.
class Secret {
public:
    Secret() = default;  // zeros
    static Secret random();
    static Result<Secret> from(std::string_view bytes);
    Secret(const Secret&) = default;
    Secret& operator=(const Secret&) = default;
    ~Secret();

    std::string_view bytes() const { return view(bytes_); }
    const std::uint8_t* data() const { return bytes_.data(); }
    // Another secret for another purpose: BLAKE2b of the word, keyed by this one.
    Secret derive(std::string_view word) const;
    bool operator==(const Secret& other) const;  // constant time

private:
    std::array<std::uint8_t, 32> bytes_{};
};

class SigningKey {  // Ed25519
public:
    explicit SigningKey(const Secret& seed);
    const PublicKey& public_key() const { return public_; }
    const Secret& seed() const { return seed_; }
    Signature sign(std::string_view bytes) const;

private:
    Secret seed_;
    PublicKey public_{};
};
bool signature_holds(const PublicKey& key, std::string_view bytes, std::string_view signature);

class BoxKey {  // X25519
public:
    explicit BoxKey(const Secret& seed);
    const PublicKey& public_key() const { return public_; }
    const Secret& seed() const { return seed_; }
    // What somebody sealed for this key's public half.
    Result<std::string> open(std::string_view sealed) const;

private:
    Secret seed_;
    Secret secret_;
    PublicKey public_{};
};
// Sealed so that only the key's holder can open it; nobody can tell who sealed it.
std::string seal_for(const PublicKey& key, std::string_view bytes);

using Nonce = std::array<std::uint8_t, 24>;
// A nonce that no other content can share: keyed BLAKE2b over what is authenticated and what is
// encrypted. The same content gives the same nonce, and that reveals only that it is the same.
Nonce nonce_of(const Secret& key, std::string_view authenticated, std::string_view plain);
std::string aead_seal(const Secret& key, const Nonce& nonce, std::string_view authenticated,
                      std::string_view plain);
// Code::Corrupt when a byte of anything differs.
Result<std::string> aead_open(const Secret& key, const Nonce& nonce, std::string_view authenticated,
                              std::string_view sealed);

// Passphrase to key: Argon2id with libsodium's "moderate" cost (about 0.7 s and 256 MiB), or a
// lighter one where a test asks for it.
struct PassphraseCost {
    std::uint64_t operations = 3;
    std::uint64_t memory = 256u << 20;  // bytes
};
Result<Secret> secret_from_passphrase(std::string_view passphrase, std::string_view salt16,
                                      const PassphraseCost& cost);

// A secret as people copy it from paper: base32 in groups of four, the last group a checksum.
std::string paper_text(const Secret& secret);
// Forgives case, spaces, dashes and 0/O, 1/I/L; names what is wrong otherwise.
Result<Secret> secret_from_paper(std::string_view text);

}  // namespace dutybook
