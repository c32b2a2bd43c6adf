#include "store/segment_sealed.h"

#include "store/segment_header.h"

#include <algorithm>
#include <bit>

namespace dutybook::store {
namespace {

// The largest is what Limits::segment_blob has room for.
constexpr std::size_t smallest_step = 256, largest_step = 8192;
constexpr char end_of_frame = '\x80';
constexpr std::size_t nonce_size = std::tuple_size_v<Nonce>;
constexpr std::size_t tag_size = 16;

SegmentHeader as_zstd(SegmentHeader header) {
    header.codec = "zstd";
    return header;
}

Result<std::string_view> without_padding(std::string_view padded) {
    const auto end = padded.find_last_not_of('\0');
    if (end == std::string_view::npos || padded[end] != end_of_frame ||
        padded_size(end) != padded.size())
        return malformed("a segment's payload is not padded as it should be");
    return padded.substr(0, end);
}

}  // namespace

std::size_t padded_size(std::size_t size) {
    const std::size_t least = size + 1;
    const std::size_t step = std::clamp(std::bit_floor(least) / 32, smallest_step, largest_step);
    return (least + step - 1) / step * step;
}

SealedCodec::SealedCodec(domain::EpochKeys keys)
    : keys_(std::move(keys)), current_(keys_.rbegin()->first) {}

void SealedCodec::learn(const domain::EpochKeys& keys, std::uint32_t current) {
    const std::lock_guard lock(mutex_);
    keys_.insert(keys.begin(), keys.end());
    if (keys_.contains(current)) current_ = current;
}

std::uint32_t SealedCodec::current_epoch() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

Result<Secret> SealedCodec::key_of(const SegmentHeader& header) const {
    if (header.codec == "zstd")
        return failure(Code::Forbidden, "a segment of an encrypted space is not encrypted",
                       "whoever wrote it does not have the space's key",
                       "find out who can write to the remote");
    if (header.codec != name())
        return failure(Code::NewerFormat, "a segment is sealed with codec " + header.codec,
                       "this version knows sealed1", "update Dutybook");
    const std::lock_guard lock(mutex_);
    const auto found = keys_.find(header.epoch);
    if (found == keys_.end())
        return failure(Code::Unavailable,
                       "the space's key of epoch " + std::to_string(header.epoch) + " is not here",
                       {}, "join the space again with a newer invitation");
    return found->second;
}

Result<std::string> SealedCodec::seal(const SegmentHeader& header, std::string_view plain) const {
    TRY_ASSIGN(const Secret key, key_of(header));
    TRY_ASSIGN(std::string frame, zstd_.seal(as_zstd(header), plain));
    const auto size = padded_size(frame.size());
    frame += end_of_frame;
    frame.resize(size, '\0');
    const auto line = header_line(header);
    const Nonce nonce = nonce_of(key, line, frame);
    return std::string(view(nonce)) + aead_seal(key, nonce, line, frame);
}

Result<std::string> SealedCodec::open(const SegmentHeader& header, std::string_view sealed) const {
    TRY_ASSIGN(const Secret key, key_of(header));
    constexpr auto most = domain::Limits::segment_packed;
    if (sealed.size() > padded_size(most) + nonce_size + tag_size)
        return failure(Code::TooLarge, "a segment is larger than 1 MiB");
    if (sealed.size() < nonce_size + tag_size) return malformed("a segment is cut off");
    Nonce nonce{};
    std::copy_n(sealed.begin(), nonce.size(), nonce.begin());
    const auto line = header_line(header);
    TRY_ASSIGN(const std::string padded, aead_open(key, nonce, line, sealed.substr(nonce_size)));
    // One content has one spelling, also for those who hold the key.
    if (nonce_of(key, line, padded) != nonce)
        return malformed("a segment was not sealed as it should be");
    TRY_ASSIGN(const std::string_view frame, without_padding(padded));
    return zstd_.open(as_zstd(header), frame);
}

}  // namespace dutybook::store
