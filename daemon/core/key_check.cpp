#include "core/identity.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/keys.h"
#include "store/ssh_signature.h"

#include <sodium.h>

namespace dutybook::core {

namespace {

Error unusable(const fs::path& file, const std::string& why) {
    return failure(Code::Corrupt, file.string() + " cannot be used", why,
                   "restore it from a backup of the store");
}

}  // namespace

Result<void> check_keys(const fs::path& directory) {
    crypto_start();
    TRY_ASSIGN(const SiteFile site, read_site(directory));
    const fs::path path = directory / "keys" / "sign.key";
    TRY_ASSIGN(std::string text, read_file(path, 4096));
    std::array<std::uint8_t, 64> key{};  // libsodium's: seed, then public key
    std::size_t bytes = 0;
    const int read =
        sodium_hex2bin(key.data(), key.size(), text.data(), text.size(), "\n", &bytes, nullptr);
    sodium_memzero(text.data(), text.size());
    if (read != 0 || bytes != key.size()) return unusable(path, "it holds no key");
    const auto seed = Secret::from(view(std::span(key).first(32)));
    const std::string held(view(std::span(key).last(32)));
    sodium_memzero(key.data(), key.size());
    TRY(seed);
    const SigningKey pair(*seed);
    const Hash hash = blake2b(view(pair.public_key()));
    if (view(pair.public_key()) != held) return unusable(path, "its two halves do not fit");
    if (base32(std::span(hash).first(16)) != site.site.id) {
        return unusable(path, "it is not the key of site " + site.site.id);
    }
    store::SigningPublicKey public_key{};
    std::copy(pair.public_key().begin(), pair.public_key().end(), public_key.begin());
    if (!site.site.public_key.starts_with(store::ssh_public_key(public_key))) {
        return unusable(directory / "keys" / "sign.pub", "it is not the public half of sign.key");
    }
    return {};
}

}  // namespace dutybook::core
