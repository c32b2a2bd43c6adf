#pragma once
// The hash chain over a writer's operations in the journal.

#include "domain/operation.h"

#include "base/crypto.h"

#include <cstring>
#include <string>

namespace dutybook::store {

inline std::string_view view_of(const Hash& hash) {
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

inline Result<Hash> hash_from(std::string_view bytes) {
    Hash hash{};
    if (bytes.size() != hash.size()) {
        return failure(Code::Corrupt, "the journal is damaged", "a stored hash has a wrong size");
    }
    std::memcpy(hash.data(), bytes.data(), hash.size());
    return hash;
}

inline Hash root_chain(std::string_view writer) {
    return blake2b("dutybook.journal", writer);
}

inline Hash next_chain(const Hash& before, const Hash& frontier, std::string_view line) {
    std::string bytes;
    bytes.reserve(before.size() + frontier.size() + line.size());
    bytes.append(view_of(before)).append(view_of(frontier)).append(line);
    return blake2b("dutybook.journal", bytes);
}

}  // namespace dutybook::store
