#include "base/keys.h"

#include "base/crypto.h"

#include <sodium.h>

#include <algorithm>
#include <vector>

namespace dutybook {

namespace {

const std::uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}
std::uint8_t* bytes_of(std::string& text) {
    return reinterpret_cast<std::uint8_t*>(text.data());
}

constexpr std::string_view paper_alphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t checksum_bytes = 3;

std::string checksum_of(const Secret& secret) {
    const Hash hash = blake2b("dutybook paper key", secret.bytes());
    return std::string(view(hash).substr(0, checksum_bytes));
}

// 32 secret bytes and the checksum: 280 bits, 56 characters of base32.
Result<std::string> decode_paper(std::string_view text) {
    std::string out;
    std::uint32_t buffer = 0;
    int bits = 0;
    for (char c : text) {
        if (c == ' ' || c == '-' || c == '\n' || c == '\r' || c == '\t') continue;
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '0') c = 'o';
        if (c == '1') c = 'l';
        if (c == '8') c = 'b';
        const auto digit = paper_alphabet.find(c);
        if (digit == std::string_view::npos) {
            return malformed(std::string("a recovery key has no '") + c + "' in it");
        }
        buffer = (buffer << 5U | static_cast<std::uint32_t>(digit)) & 0xfffU;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>(buffer >> static_cast<unsigned>(bits) & 0xffU);
        }
    }
    return out;
}

}  // namespace

std::string_view view(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string base64(std::string_view bytes) {
    std::string out(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(out.data(), out.size(), bytes_of(bytes), bytes.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    out.resize(out.size() - 1);  // its closing NUL
    return out;
}

Result<std::string> from_base64(std::string_view text) {
    std::string out(text.size(), '\0');
    std::size_t size = 0;
    const char* end = nullptr;
    if (sodium_base642bin(bytes_of(out), out.size(), text.data(), text.size(), nullptr, &size, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text.data() + text.size()) {
        return malformed("not base64");
    }
    out.resize(size);
    return out;
}

Result<PublicKey> public_key_from(std::string_view bytes) {
    PublicKey key{};
    if (bytes.size() != key.size()) return malformed("a public key has 32 bytes");
    std::copy_n(bytes_of(bytes), key.size(), key.begin());
    return key;
}

Secret Secret::random() {
    Secret secret;
    randombytes_buf(secret.bytes_.data(), secret.bytes_.size());
    return secret;
}

Result<Secret> Secret::from(std::string_view bytes) {
    Secret secret;
    if (bytes.size() != secret.bytes_.size()) return malformed("a secret has 32 bytes");
    std::copy_n(bytes_of(bytes), bytes.size(), secret.bytes_.begin());
    return secret;
}

Secret::~Secret() {
    sodium_memzero(bytes_.data(), bytes_.size());
}

Secret Secret::derive(std::string_view word) const {
    Secret derived;
    crypto_generichash(derived.bytes_.data(), derived.bytes_.size(), bytes_of(word), word.size(),
                       bytes_.data(), bytes_.size());
    return derived;
}

bool Secret::operator==(const Secret& other) const {
    return sodium_memcmp(bytes_.data(), other.bytes_.data(), bytes_.size()) == 0;
}

SigningKey::SigningKey(const Secret& seed) : seed_(seed) {
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
    crypto_sign_seed_keypair(public_.data(), secret.data(), seed_.data());
    sodium_memzero(secret.data(), secret.size());
}

Signature SigningKey::sign(std::string_view bytes) const {
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
    PublicKey same{};
    crypto_sign_seed_keypair(same.data(), secret.data(), seed_.data());
    Signature signature{};
    crypto_sign_detached(signature.data(), nullptr, bytes_of(bytes), bytes.size(), secret.data());
    sodium_memzero(secret.data(), secret.size());
    return signature;
}

bool signature_holds(const PublicKey& key, std::string_view bytes, std::string_view signature) {
    return signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(bytes_of(signature), bytes_of(bytes), bytes.size(),
                                       key.data()) == 0;
}

BoxKey::BoxKey(const Secret& seed) : seed_(seed) {
    std::array<std::uint8_t, crypto_box_SECRETKEYBYTES> secret{};
    crypto_box_seed_keypair(public_.data(), secret.data(), seed_.data());
    secret_ = *Secret::from(view(secret));
    sodium_memzero(secret.data(), secret.size());
}

Result<std::string> BoxKey::open(std::string_view sealed) const {
    if (sealed.size() < crypto_box_SEALBYTES) return failure(Code::Corrupt, "a sealed box is cut");
    std::string out(sealed.size() - crypto_box_SEALBYTES, '\0');
    if (crypto_box_seal_open(bytes_of(out), bytes_of(sealed), sealed.size(), public_.data(),
                             secret_.data()) != 0) {
        return failure(Code::Forbidden, "a sealed box is not for this key");
    }
    return out;
}

std::string seal_for(const PublicKey& key, std::string_view bytes) {
    std::string out(bytes.size() + crypto_box_SEALBYTES, '\0');
    crypto_box_seal(bytes_of(out), bytes_of(bytes), bytes.size(), key.data());
    return out;
}

Nonce nonce_of(const Secret& key, std::string_view authenticated, std::string_view plain) {
    const Secret sub = key.derive("dutybook nonce");
    const std::uint64_t size = authenticated.size();
    std::array<std::uint8_t, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) {
        length[i] = static_cast<std::uint8_t>(size >> (8 * i));
    }
    crypto_generichash_state state;
    Nonce nonce{};
    crypto_generichash_init(&state, sub.data(), 32, nonce.size());
    crypto_generichash_update(&state, length.data(), length.size());
    crypto_generichash_update(&state, bytes_of(authenticated), authenticated.size());
    crypto_generichash_update(&state, bytes_of(plain), plain.size());
    crypto_generichash_final(&state, nonce.data(), nonce.size());
    return nonce;
}

std::string aead_seal(const Secret& key, const Nonce& nonce, std::string_view authenticated,
                      std::string_view plain) {
    std::string out(plain.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES, '\0');
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        bytes_of(out), nullptr, bytes_of(plain), plain.size(), bytes_of(authenticated),
        authenticated.size(), nullptr, nonce.data(), key.data());
    return out;
}

Result<std::string> aead_open(const Secret& key, const Nonce& nonce, std::string_view authenticated,
                              std::string_view sealed) {
    if (sealed.size() < crypto_aead_xchacha20poly1305_ietf_ABYTES) {
        return failure(Code::Corrupt, "sealed bytes are cut");
    }
    std::string out(sealed.size() - crypto_aead_xchacha20poly1305_ietf_ABYTES, '\0');
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            bytes_of(out), nullptr, nullptr, bytes_of(sealed), sealed.size(),
            bytes_of(authenticated), authenticated.size(), nonce.data(), key.data()) != 0) {
        return failure(Code::Corrupt, "sealed bytes were changed, or the key is another");
    }
    return out;
}

Result<Secret> secret_from_passphrase(std::string_view passphrase, std::string_view salt16,
                                      const PassphraseCost& cost) {
    // A file from outside names the cost: it must not be able to take all memory.
    constexpr std::uint64_t most_memory = 1u << 30;
    constexpr std::uint64_t most_operations = 20;
    if (salt16.size() != crypto_pwhash_SALTBYTES || cost.memory > most_memory ||
        cost.operations > most_operations || cost.operations < crypto_pwhash_OPSLIMIT_MIN ||
        cost.memory < crypto_pwhash_MEMLIMIT_MIN) {
        return malformed("the passphrase's salt or cost is out of bounds");
    }
    std::array<std::uint8_t, 32> key{};
    if (crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(),
                      bytes_of(salt16), cost.operations, cost.memory,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return failure(Code::Unavailable, "not enough memory for the passphrase",
                       std::to_string(cost.memory >> 20U) + " MiB are needed");
    }
    auto secret = Secret::from(view(key));
    sodium_memzero(key.data(), key.size());
    return secret;
}

std::string paper_text(const Secret& secret) {
    const std::string bytes = std::string(secret.bytes()) + checksum_of(secret);
    const std::string letters = base32({bytes_of(bytes), bytes.size()});
    std::string out;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        if (i > 0 && i % 4 == 0) out += '-';
        out += letters[i];
    }
    return out;
}

Result<Secret> secret_from_paper(std::string_view text) {
    TRY_ASSIGN(const std::string bytes, decode_paper(text));
    if (bytes.size() != 32 + checksum_bytes) {
        return malformed(
            "a recovery key has 56 letters and digits; characters are missing or "
            "too many");
    }
    TRY_ASSIGN(const Secret secret, Secret::from(std::string_view(bytes).substr(0, 32)));
    if (checksum_of(secret) != bytes.substr(32)) {
        return malformed("the recovery key has a typing error: its checksum does not fit");
    }
    return secret;
}

}  // namespace dutybook
