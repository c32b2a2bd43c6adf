#pragma once
// Inside domain only: the operations of one record with their copies put together, and who
// supersedes whom.

#include "domain/fold.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace dutybook::domain {

// One operation, however often it was issued.
struct Entry {
    const Operation* operation = nullptr;  // of the lowest place held
    OperationId identity;
    struct Place {
        std::size_t writer = 0;  // index among the writers of these entries
        std::uint64_t seq = 0;
    };
    std::vector<Place> places;         // every place where it is held
    std::vector<std::uint64_t> knows;  // per writer: the last operation that it supersedes
};

// Where nothing else decides: the clock, then the identity.
bool earlier(const Entry& a, const Entry& b);

class Entries {
public:
    explicit Entries(std::span<const Known> operations);

    std::size_t size() const { return entries_.size(); }
    const Entry& operator[](std::size_t index) const { return entries_[index]; }
    bool supersedes(std::size_t b, std::size_t a) const;
    // Those of the group (distinct indexes) that none of the group supersedes. If that leaves
    // none, a frontier lied: all of them, and lied() from then on.
    std::vector<std::size_t> maximal(std::vector<std::size_t> group);
    bool lied() const { return lied_; }

private:
    std::vector<bool> superseded_within(const std::vector<std::size_t>& group) const;

    std::vector<Entry> entries_;
    std::size_t writers_ = 0;
    bool lied_ = false;
};

// The same change, wherever it stands and whatever it says about its first issue.
bool same_content(const Operation& a, const Operation& b);

}  // namespace dutybook::domain
