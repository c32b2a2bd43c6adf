// The keys of epochs as control entries carry them.

#include "domain/membership.h"

#include <algorithm>

namespace dutybook::domain {

void collect_epoch_keys(const ControlEntry& entry, std::span<const BoxKey> ours, EpochKeys& keys) {
    for (const Wrap& wrap : entry.wraps) {
        for (const BoxKey& box : ours) {
            if (wrap.to != key_name(box.public_key())) continue;
            const auto opened = box.open(wrap.sealed);
            const auto secret = opened ? Secret::from(*opened) : Result<Secret>(opened.error());
            if (secret) keys.emplace(wrap.epoch, *secret);
        }
    }
    const auto own = keys.find(entry.epoch);
    // The chain is sealed with the newest key that the entry wraps, or with its own epoch's.
    std::uint32_t newest = entry.epoch;
    for (const Wrap& wrap : entry.wraps) newest = std::max(newest, wrap.epoch);
    const auto holder = keys.find(newest);
    if (holder == keys.end() && own == keys.end()) return;
    const Secret sealing = holder != keys.end() ? holder->second : own->second;
    for (const auto& [epoch, sealed] : entry.chain) {
        Nonce nonce{};
        if (sealed.size() < nonce.size()) continue;
        std::copy_n(sealed.begin(), nonce.size(), nonce.begin());
        const auto opened = aead_open(sealing, nonce, "dutybook epoch " + std::to_string(epoch),
                                      std::string_view(sealed).substr(nonce.size()));
        const auto secret = opened ? Secret::from(*opened) : Result<Secret>(opened.error());
        if (secret) keys.emplace(epoch, *secret);
    }
}

void wrap_epoch(ControlEntry& entry, std::uint32_t epoch, const EpochKeys& keys,
                const std::vector<PublicKey>& readers) {
    const Secret& key = keys.at(epoch);
    for (const PublicKey& reader : readers) {
        entry.wraps.push_back({epoch, key_name(reader), seal_for(reader, key.bytes())});
    }
    for (const auto& [earlier, secret] : keys) {
        if (earlier >= epoch) continue;
        const std::string place = "dutybook epoch " + std::to_string(earlier);
        const Nonce nonce = nonce_of(key, place, secret.bytes());
        entry.chain.emplace_back(
            earlier, std::string(view(nonce)) + aead_seal(key, nonce, place, secret.bytes()));
    }
}

}  // namespace dutybook::domain
