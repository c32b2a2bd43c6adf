#pragma once
// A digest of a set that is cheap to keep: the sum of its members' BLAKE2b-256 hashes modulo
// 2^256. Adding and removing a member costs one hash. It guards against accident and against a
// remote that cannot write, not against a member who crafts colliding records (who could write
// what he likes anyway). The text is prefixed with the fold's version: "1:<64 hex>".

#include "base/crypto.h"
#include "domain/operation.h"

#include <string>
#include <string_view>

namespace dutybook::domain {

inline constexpr int fold_version = 1;

class Digest {
public:
    void add(const Hash& member);
    void remove(const Hash& member);
    std::string text() const;
    static Result<Digest> parse(std::string_view text);
    bool operator==(const Digest&) const = default;

private:
    Hash sum_{};
};

// Member of the digest of operations held: writer, seq and the bytes of the line.
Hash operation_hash(const OperationId& id, std::string_view line);

}  // namespace dutybook::domain
