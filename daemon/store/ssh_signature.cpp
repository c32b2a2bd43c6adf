#include "store/ssh_signature.h"

#include "base/keys.h"

#include <sodium.h>

#include <algorithm>

namespace dutybook::store {
namespace {

constexpr std::string_view begin_line = "-----BEGIN SSH SIGNATURE-----\n";
constexpr std::string_view end_line = "-----END SSH SIGNATURE-----";
constexpr std::string_view key_type = "ssh-ed25519";
constexpr std::size_t line_length = 70;

using dutybook::Signature;

// The `string` of RFC 4251: four bytes of length, then the bytes.
std::string packed(std::string_view bytes) {
    const auto size = bytes.size();
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
    return out.append(bytes);
}

template <std::size_t size>
std::string_view view(const std::array<std::uint8_t, size>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), size};
}

std::string signed_data(std::string_view commit_bytes) {
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> hash{};
    crypto_hash_sha512(hash.data(), reinterpret_cast<const unsigned char*>(commit_bytes.data()),
                       commit_bytes.size());
    return "SSHSIG" + packed("git") + packed("") + packed("sha512") + packed(view(hash));
}

std::string key_blob(const SigningPublicKey& key) {
    return packed(key_type) + packed(view(key));
}

std::string signature_head(const SigningPublicKey& key) {
    return std::string("SSHSIG\0\0\0\1", 10) + packed(key_blob(key)) + packed("git") + packed("") +
           packed("sha512");
}

std::string armoured(const SigningPublicKey& key, const Signature& signature) {
    const auto text =
        base64(signature_head(key) + packed(packed(key_type) + packed(view(signature))));
    std::string out(begin_line);
    for (std::size_t at = 0; at < text.size(); at += line_length)
        out += text.substr(at, line_length) + "\n";
    return out.append(end_line);
}

struct Parts {
    SigningPublicKey key{};
    Signature signature{};
};

// Every field but key and signature is constant, so both stand at fixed places; whether all else
// is as it should be shows when the text is made again.
Result<Parts> take_apart(std::string_view text) {
    const auto wrong = malformed("no SSH signature of a commit");
    static const auto longest = armoured({}, {}).size();
    if (text.size() != longest || !text.starts_with(begin_line)) return wrong;
    std::string blob(text.size(), '\0');
    std::size_t size = 0;
    const auto body =
        text.substr(begin_line.size(), text.size() - begin_line.size() - end_line.size());
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(blob.data()), blob.size(), body.data(),
                          body.size(), "\n", &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
        return wrong;
    Parts parts;
    const auto key_at = 10 + 4 + 4 + key_type.size() + 4;
    if (size < key_at + parts.key.size() + parts.signature.size()) return wrong;
    std::copy_n(blob.data() + key_at, parts.key.size(), reinterpret_cast<char*>(parts.key.data()));
    std::copy_n(blob.data() + size - parts.signature.size(), parts.signature.size(),
                reinterpret_cast<char*>(parts.signature.data()));
    if (armoured(parts.key, parts.signature) != text) return wrong;
    return parts;
}

}  // namespace

SshSigner::SshSigner(const SigningSeed& seed) {
    crypto_sign_seed_keypair(public_key_.data(), secret_key_.data(), seed.data());
}

SshSigner::~SshSigner() {
    sodium_memzero(secret_key_.data(), secret_key_.size());
}

Result<std::string> SshSigner::sign(std::string_view commit_bytes) const {
    const auto data = signed_data(commit_bytes);
    Signature signature{};
    if (crypto_sign_detached(signature.data(), nullptr,
                             reinterpret_cast<const unsigned char*>(data.data()), data.size(),
                             secret_key_.data()) != 0)
        return failure(Code::Internal, "cannot sign a commit");
    return armoured(public_key_, signature);
}

Result<SigningPublicKey> signer_of(std::string_view signature) {
    TRY_ASSIGN(const auto parts, take_apart(signature));
    return parts.key;
}

Result<void> verify_signature(std::string_view commit_bytes, std::string_view signature,
                              const SigningPublicKey& key) {
    TRY_ASSIGN(const auto parts, take_apart(signature));
    if (parts.key != key)
        return failure(Code::Forbidden, "a commit is signed with another key than its writer's");
    const auto data = signed_data(commit_bytes);
    if (crypto_sign_verify_detached(parts.signature.data(),
                                    reinterpret_cast<const unsigned char*>(data.data()),
                                    data.size(), key.data()) != 0)
        return failure(Code::Forbidden, "a commit's signature does not fit its bytes");
    return {};
}

std::string ssh_public_key(const SigningPublicKey& key) {
    return std::string(key_type) + " " + base64(key_blob(key));
}

Result<SigningPublicKey> key_of_line(std::string_view line) {
    const auto wrong = malformed("no public key of type ssh-ed25519");
    const std::string prefix = std::string(key_type) + " ";
    static const auto length = base64(key_blob({})).size();
    if (!line.starts_with(prefix) || line.size() < prefix.size() + length) return wrong;
    TRY_ASSIGN(const auto blob, from_base64(line.substr(prefix.size(), length)));
    SigningPublicKey key{};
    if (blob.size() < key.size()) return wrong;
    std::copy_n(blob.end() - static_cast<std::ptrdiff_t>(key.size()), key.size(), key.begin());
    if (key_blob(key) != blob) return wrong;
    return key;
}

std::string allowed_signers_line(std::string_view principal, const SigningPublicKey& key) {
    return std::string(principal) + " namespaces=\"git\" " + ssh_public_key(key) + "\n";
}

}  // namespace dutybook::store
