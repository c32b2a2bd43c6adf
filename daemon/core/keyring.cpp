#include "core/keyring.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"
#include "domain/control.h"

#include <sodium.h>

#include <algorithm>
#include <set>

namespace dutybook::core {

namespace fs = std::filesystem;

namespace {

using SecretKey = std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES>;  // seed, then public key

Error unusable(const fs::path& file, const std::string& why) {
    return failure(Code::Corrupt, file.string() + " cannot be used", why,
                   "restore it from a backup of the store");
}

fs::path file_of(const fs::path& store, const std::string& what, std::size_t number,
                 const std::string& ending) {
    const auto middle = number == 1 ? std::string() : "." + std::to_string(number);
    return store / "keys" / (what + middle + ending);
}

template <std::size_t size>
Result<std::array<std::uint8_t, size>> read_hex(const fs::path& path) {
    TRY_ASSIGN(std::string text, read_file(path, 4096));
    std::array<std::uint8_t, size> bytes{};
    std::size_t read = 0;
    const int done =
        sodium_hex2bin(bytes.data(), size, text.data(), text.size(), "\n", &read, nullptr);
    sodium_memzero(text.data(), text.size());
    if (done != 0 || read != size) return unusable(path, "it holds no key");
    return bytes;
}

Result<Keyring::Pair> read_pair(const fs::path& store, std::size_t number) {
    const fs::path path = file_of(store, "sign", number, ".key");
    TRY_ASSIGN(SecretKey key, read_hex<crypto_sign_SECRETKEYBYTES>(path));
    store::SigningSeed seed{};
    std::copy_n(key.begin(), seed.size(), seed.begin());
    const std::string held(view(std::span(key).last(32)));
    sodium_memzero(key.data(), key.size());
    TRY_ASSIGN(const Secret secret, Secret::from(view(seed)));
    auto signer = std::make_unique<store::SshSigner>(seed);
    sodium_memzero(seed.data(), seed.size());
    const PublicKey sign = signer->public_key();
    if (view(sign) != held) return unusable(path, "its two halves do not fit");

    const fs::path public_file = file_of(store, "sign", number, ".pub");
    TRY_ASSIGN(const std::string line, read_file(public_file, 4096));
    if (!line.starts_with(store::ssh_public_key(sign))) {
        return unusable(public_file, "it is not the public half of " + path.filename().string());
    }
    TRY_ASSIGN(auto bytes, read_hex<32>(file_of(store, "box", number, ".key")));
    TRY_ASSIGN(const Secret box, Secret::from(view(bytes)));
    sodium_memzero(bytes.data(), bytes.size());
    return Keyring::Pair(new KeyPair{SigningKey(secret), std::move(signer), sign, BoxKey(box)});
}

// The secret half of the signing key last: with it the pair is one.
Result<PublicKey> write_pair(const fs::path& store, std::size_t number, const std::string& name) {
    crypto_start();
    PublicKey sign{};
    SecretKey secret{};
    crypto_sign_keypair(sign.data(), secret.data());
    const Secret box = Secret::random();
    const std::span box_bytes(box.data(), box.bytes().size());
    TRY(make_directories(store / "keys"));
    TRY(write_kept(file_of(store, "box", number, ".key"), hex(box_bytes) + "\n"));
    TRY(write_kept(file_of(store, "sign", number, ".pub"),
                   store::ssh_public_key(sign) + " " + name + "\n", 0644));
    TRY(write_kept(file_of(store, "sign", number, ".key"), hex(secret) + "\n"));
    sodium_memzero(secret.data(), secret.size());
    return sign;
}

}  // namespace

Result<PublicKey> Keyring::make(const fs::path& store, const std::string& site_name) {
    return write_pair(store, 1, site_name);
}

Result<std::shared_ptr<Keyring>> Keyring::read(const fs::path& store, const std::string& site) {
    crypto_start();
    std::shared_ptr<Keyring> ring(new Keyring(store));
    for (std::size_t number = 1; number == 1 || fs::exists(file_of(store, "sign", number, ".key"));
         ++number) {
        TRY_ASSIGN(auto pair, read_pair(store, number));
        ring->pairs_.push_back(std::move(pair));
    }
    if (domain::site_id_of(ring->pairs_.front()->sign) != site) {
        return unusable(file_of(store, "sign", 1, ".key"), "it is not the key of site " + site);
    }
    return ring;
}

std::vector<Keyring::Pair> Keyring::pairs() const {
    const std::lock_guard lock(mutex_);
    return pairs_;
}

Keyring::Pair Keyring::first() const {
    const std::lock_guard lock(mutex_);
    return pairs_.front();
}

Keyring::Pair Keyring::newest() const {
    const std::lock_guard lock(mutex_);
    return pairs_.back();
}

Keyring::Pair Keyring::find(const PublicKey& sign) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(pairs_, sign, [](const Pair& pair) { return pair->sign; });
    return found == pairs_.end() ? nullptr : *found;
}

Result<void> Keyring::renew(const std::string& site_name) {
    const std::lock_guard lock(mutex_);
    const std::size_t number = pairs_.size() + 1;
    TRY(write_pair(store_, number, site_name));
    TRY_ASSIGN(auto pair, read_pair(store_, number));
    pairs_.push_back(std::move(pair));
    return {};
}

std::vector<fs::path> key_files(const fs::path& store) {
    std::set<fs::path> files;
    for (const char* name : {"sign.key", "sign.pub", "box.key"})
        files.insert(store / "keys" / name);
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(store / "keys", failed)) {
        const fs::path file = entry.path().extension() == ".kept"
                                  ? entry.path().parent_path() / entry.path().stem()
                                  : entry.path();
        const auto ending = file.extension();
        if (ending == ".key" || ending == ".pub") files.insert(file);
    }
    return {files.begin(), files.end()};
}

}  // namespace dutybook::core
