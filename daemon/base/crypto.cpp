#include "base/crypto.h"

#include <sodium.h>
#include <sys/resource.h>

#include <cstdlib>

namespace dutybook {

void crypto_start() {
    // Only a missing random source fails here, and nothing can run without one.
    if (sodium_init() < 0) std::abort();
    // Who holds keys leaves no image of its memory behind.
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
}

Hash blake2b(std::string_view bytes) {
    return blake2b({}, bytes);
}

Hash blake2b(std::string_view domain, std::string_view bytes) {
    Hash out{};
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    const auto* key = reinterpret_cast<const unsigned char*>(domain.data());
    if (crypto_generichash(out.data(), out.size(), data, bytes.size(),
                           domain.empty() ? nullptr : key, domain.size()) != 0) {
        std::abort();  // a domain word beyond 64 bytes: a bug
    }
    return out;
}

std::string hex(std::span<const std::uint8_t> bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

std::string base32(std::span<const std::uint8_t> bytes) {
    static constexpr char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    std::string out;
    std::uint32_t held = 0;
    int bits = 0;
    for (const std::uint8_t byte : bytes) {
        held = (held << 8) | byte;
        for (bits += 8; bits >= 5; bits -= 5) out += digits[(held >> (bits - 5)) & 31];
    }
    if (bits > 0) out += digits[(held << (5 - bits)) & 31];
    return out;
}

void random_bytes(std::span<std::uint8_t> out) {
    randombytes_buf(out.data(), out.size());
}

std::string random_base32(std::size_t bytes) {
    std::string raw(bytes, '\0');
    const std::span<std::uint8_t> view(reinterpret_cast<std::uint8_t*>(raw.data()), raw.size());
    random_bytes(view);
    return base32(view);
}

std::string make_record_id(std::int64_t millis) {
    static constexpr char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    std::array<std::uint8_t, 16> raw{};
    random_bytes(raw);
    for (std::size_t i = 0; i < 6; ++i) {
        raw[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(millis) >> (40 - 8 * i));
    }
    // 128 bits are 26 digits of 5 with two zero bits in front.
    std::string out;
    std::uint32_t held = 0;
    int bits = 2;
    for (const std::uint8_t byte : raw) {
        held = (held << 8) | byte;
        for (bits += 8; bits >= 5; bits -= 5) out += digits[(held >> (bits - 5)) & 31];
    }
    return out;
}

}  // namespace dutybook
