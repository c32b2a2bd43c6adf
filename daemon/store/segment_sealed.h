#pragma once
// Codec "sealed1": the plain codec's zstd frame, padded, encrypted with the key of an epoch of the
// space. The header's line is authenticated with it, so a payload opens only where it was sealed:
// in this space, at this place of this writer's log.
//
//   nonce (24) | XChaCha20-Poly1305(frame | 0x80 | zeros)
//
// The nonce is a keyed hash of the header's line and of the padded frame: sealing again gives the
// same bytes, and a copied or restored store that seals other content never repeats a nonce.
// Padding leaves of the size only its step: 256 bytes, from 16 KiB on about 3 %, at most 8 KiB.

#include "domain/membership.h"
#include "store/segment.h"

#include <mutex>

namespace dutybook::store {

class SealedCodec final : public SegmentCodec {
public:
    // At least one key; seals with the newest, opens with any.
    explicit SealedCodec(domain::EpochKeys keys);
    // The control log brought keys: `current` is one of them. Keys that are not named are kept.
    void learn(const domain::EpochKeys& keys, std::uint32_t current);

    std::string name() const override { return "sealed1"; }
    std::uint32_t current_epoch() const override;
    Result<std::string> seal(const SegmentHeader& header, std::string_view plain) const override;
    // Code::Forbidden: not encrypted at all; Unavailable: the epoch's key is not here; Corrupt:
    // encrypted with another key, or changed.
    Result<std::string> open(const SegmentHeader& header, std::string_view sealed) const override;

private:
    Result<Secret> key_of(const SegmentHeader& header) const;

    mutable std::mutex mutex_;
    domain::EpochKeys keys_;     // by mutex_
    std::uint32_t current_ = 0;  // by mutex_
    const ZstdCodec zstd_;
};

// Size that `size` bytes and the byte that ends them are padded to.
std::size_t padded_size(std::size_t size);

}  // namespace dutybook::store
