#pragma once
// The key pairs of this store's site, oldest first. The first gave the site its id; a later one
// replaced the one before (`members rotate`), in each space from the moment that the space knows
// it.
//
// keys/sign.key: one line, hex of libsodium's 64-byte Ed25519 secret key (seed, then public key).
// keys/sign.pub: the OpenSSH line of the public key, with the site's name as comment.
// keys/box.key:  one line, hex of the 32-byte X25519 seed. New epochs of a space are wrapped to it.
// keys/sign.2.key, sign.2.pub, box.2.key, ...: the pairs that came later.

#include "base/keys.h"
#include "store/ssh_signature.h"

#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

namespace dutybook::core {

struct KeyPair {
    SigningKey key;
    std::unique_ptr<store::CommitSigner> signer;  // of commits, with the same key
    PublicKey sign{};
    BoxKey box;
};

class Keyring {  // any thread
public:
    // Code::Corrupt unless every file is whole, the halves of each pair belong together, and the
    // first is the key of the site with this id.
    static Result<std::shared_ptr<Keyring>> read(const std::filesystem::path& store,
                                                 const std::string& site);
    // Makes the first pair and its files; gives its public half.
    static Result<PublicKey> make(const std::filesystem::path& store, const std::string& site_name);

    using Pair = std::shared_ptr<const KeyPair>;
    std::vector<Pair> pairs() const;
    Pair first() const;
    Pair newest() const;
    Pair find(const PublicKey& sign) const;  // null: not ours, or lost
    // Another pair, in files before it is in use.
    Result<void> renew(const std::string& site_name);

private:
    explicit Keyring(std::filesystem::path store) : store_(std::move(store)) {}

    const std::filesystem::path store_;
    mutable std::mutex mutex_;
    std::vector<Pair> pairs_;  // by mutex_; never empty, only grows
};

// The files of the ring as they stand in keys/, those of which only a kept copy is left included.
std::vector<std::filesystem::path> key_files(const std::filesystem::path& store);

}  // namespace dutybook::core
