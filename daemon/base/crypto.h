#pragma once
// Hashes, random ids and text encodings, over libsodium.

#include "base/result.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dutybook {

using Hash = std::array<std::uint8_t, 32>;

void crypto_start();  // sodium_init, once, from main and from test mains that need it (idempotent)
Hash blake2b(std::string_view bytes);
Hash blake2b(std::string_view domain, std::string_view bytes);  // keyed by a domain word (<= 64 B)
std::string hex(std::span<const std::uint8_t> bytes);
std::string base32(std::span<const std::uint8_t> bytes);  // RFC 4648 lower case, no padding
std::string random_base32(std::size_t bytes);
void random_bytes(std::span<std::uint8_t> out);

// Time-ordered record id: 48 bits of milliseconds then 80 random bits, 26 characters of
// Crockford base32 in lower case (ULID). Sorts by time of making; collision-free in practice.
std::string make_record_id(std::int64_t millis);

}  // namespace dutybook
