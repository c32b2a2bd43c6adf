#pragma once
// What sites claim to have seen: the frontiers of their segments, held against the logs here. A
// claim on what its writer has not written would let a site hide later changes of that writer as if
// it had known them; a claim on what no remote shows tells that something is withheld. Either is an
// alarm: the operations count all the same (a fact is never refused), every value stays in the
// history, and removing the site up to a position folds its records without them.

#include "core/alarms.h"

#include <map>
#include <set>
#include <vector>

namespace dutybook::core {

class Claims {
public:
    Claims(const SpaceFacts& facts, const SpaceParts& parts, AlarmBook& alarms)
        : facts_(facts), parts_(parts), alarms_(alarms) {}

    // The frontier of a segment that was read. Keeps what is not known to be right.
    Result<void> note(const domain::Writer& by, const domain::Frontier& frontier);
    // After a contact that brought all it had: who was seen is sent before who has seen it, so what
    // is not here now should be.
    void judge();

private:
    struct Claim {
        domain::Writer by, of;
        std::uint64_t seq = 0;
        store::CommitId segment;
        auto operator<=>(const Claim&) const = default;
    };
    enum class Verdict : std::uint8_t { Right, Unseen, Wrong };
    using Held = std::map<domain::Writer, std::uint64_t>;  // last operation here
    Verdict verdict(const Claim& claim, const Held& held);
    Held held() const;

    static constexpr std::size_t most = 1000;  // of each set; what comes on top is not kept

    const SpaceFacts& facts_;
    const SpaceParts& parts_;
    AlarmBook& alarms_;
    std::set<Claim> open_;
    std::set<std::string> right_;  // "<segment> <seq>" found to be right
};

}  // namespace dutybook::core
