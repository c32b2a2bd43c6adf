#pragma once
// What an engine remembers between calls. All of it is touched by the space's writer thread alone.

#include "core/alarms.h"
#include "core/incomplete.h"
#include "core/peers.h"
#include "core/receiver.h"
#include "core/recent_adds.h"
#include "core/rechecks.h"
#include "domain/hlc.h"

namespace dutybook::core {

struct EngineState {
    EngineState(const SpaceFacts& facts, const SpaceParts& parts)
        : alarms(*parts.journal),
          peers(facts, parts),
          receiver(facts, parts, alarms),
          rechecks(facts, parts),
          incomplete(*parts.journal, *parts.clock) {}

    static constexpr std::size_t changed_at_most = 1000;
    void note_changed(const std::vector<std::string>& records);

    // The index refused what is durable.
    void fall_behind(const SpaceFacts& facts, const Error& why, Millis now);

    AlarmBook alarms;
    Peers peers;
    Receiver receiver;
    Rechecks rechecks;
    Incomplete incomplete;
    RecentAdds recent;
    domain::HybridClock hlc;
    // What the index shows of the other writers: the frontier of the next operation.
    domain::Frontier frontier;
    // The journal holds operations that the index refused; they are applied before anything else.
    bool index_behind = false;
    SpaceEngine::Changed changed;
    std::vector<std::string> folded_in;  // in a bulk load: the rules learn of it at its end
    bool arrived = false;                // since the receiver's plan was through
    std::optional<Millis> oldest_unsealed;
    std::string introduction;  // in the first segment of the current writer, once it was looked at
    bool retired = false;      // the last word is sealed: no operation may follow it
};

// Applies to the index what the journal holds of the current writer beyond it.
Result<void> apply_journal_tail(const SpaceParts& parts,
                                const std::function<void(std::uint64_t)>& applied);

// The index's frontier without the current writer, and of own earlier writers only what others can
// hold too (see new_writer.cpp).
domain::Frontier frontier_of_others(const SpaceFacts& facts, const SpaceParts& parts);

}  // namespace dutybook::core
