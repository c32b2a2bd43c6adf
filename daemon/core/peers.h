#pragma once
// What other sites last said in their segments: what they hold of ours, and when they will be
// heard again.

#include "core/space_engine.h"

#include <map>

namespace dutybook::core {

class Peers {
public:
    Peers(const SpaceFacts& facts, const SpaceParts& parts) : facts_(facts), parts_(parts) {}

    // Reads the tips of others' logs that moved since the last call; one that cannot be read is
    // left as it was (verify names it).
    void refresh();
    std::vector<SpaceEngine::Peer> list() const;
    // The last of a writer's operations that some peer says it holds.
    std::uint64_t held_of(const domain::Writer& own) const;

private:
    struct Heard {
        store::CommitId tip;
        domain::Frontier frontier;
        Millis time = 0;
        std::optional<Millis> next;
    };

    const SpaceFacts& facts_;
    const SpaceParts& parts_;
    std::map<domain::Writer, Heard> heard_;
};

}  // namespace dutybook::core
