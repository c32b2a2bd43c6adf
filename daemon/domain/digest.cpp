#include "domain/digest.h"

#include <charconv>

namespace dutybook::domain {

namespace {

const std::string& prefix() {
    static const std::string text = std::to_string(fold_version) + ":";
    return text;
}

}  // namespace

// Little-endian arithmetic modulo 2^256.
void Digest::add(const Hash& member) {
    unsigned carry = 0;
    for (std::size_t i = 0; i < sum_.size(); ++i) {
        carry += static_cast<unsigned>(sum_[i]) + member[i];
        sum_[i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
}

void Digest::remove(const Hash& member) {
    unsigned borrow = 0;
    for (std::size_t i = 0; i < sum_.size(); ++i) {
        const unsigned difference = 0x100U + sum_[i] - member[i] - borrow;
        sum_[i] = static_cast<std::uint8_t>(difference);
        borrow = difference < 0x100U ? 1 : 0;
    }
}

std::string Digest::text() const {
    return prefix() + hex(sum_);
}

Result<Digest> Digest::parse(std::string_view text) {
    Digest out;
    const auto fault = [] { return malformed("not a digest of this version of the fold"); };
    if (text.size() != prefix().size() + 64 || text.substr(0, prefix().size()) != prefix()) {
        return fault();
    }
    text.remove_prefix(prefix().size());
    for (std::size_t i = 0; i < out.sum_.size(); ++i) {
        const char* pair = text.data() + 2 * i;
        const auto end = std::from_chars(pair, pair + 2, out.sum_[i], 16);
        if (end.ptr != pair + 2) return fault();
    }
    if (out.text().substr(prefix().size()) != text) return fault();  // upper case
    return out;
}

Hash operation_hash(const OperationId& id, std::string_view line) {
    std::string bytes = id.text();
    bytes += '\n';
    bytes += line;
    return blake2b("dutybook operation", bytes);
}

}  // namespace dutybook::domain
