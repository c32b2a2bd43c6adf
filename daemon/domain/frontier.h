#pragma once
// For each writer, the last operation that a site had applied without gaps and could show. Never
// closed over what others knew (closing it loses values that nobody was shown).

#include "domain/operation.h"

#include <map>
#include <string>

namespace dutybook::domain {

struct FrontierEntry {
    std::uint64_t seq = 0;
    std::string segment;  // commit id of the segment that holds it; empty for the own journal
    auto operator<=>(const FrontierEntry&) const = default;
};

class Frontier {
public:
    using Map = std::map<Writer, FrontierEntry, std::less<>>;

    std::uint64_t seq_of(std::string_view writer) const;
    bool contains(const OperationId& id) const { return seq_of(id.writer) >= id.seq; }
    void advance(const Writer& writer, std::uint64_t seq, std::string segment);  // never back
    void merge(const Frontier& other);
    const Map& entries() const { return entries_; }
    bool empty() const { return entries_.empty(); }
    bool operator==(const Frontier&) const = default;

    // {"<writer>": [seq, "<segment>"], ...} in canonical JSON.
    std::string text() const;
    static Result<Frontier> parse(std::string_view text);

private:
    Map entries_;
};

}  // namespace dutybook::domain
