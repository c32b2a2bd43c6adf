#pragma once
// One contact of one space with one remote, from the list to the read-back. Runs on a sync thread
// (or directly in the simulation); everything that touches the engine goes through `EngineDoor`,
// so that writes go on meanwhile.
//
// list -> plan -> fetch slices into quarantine -> take over (check) -> fold in bounded steps ->
// seal -> list -> push relay -> push own, slice by slice -> read back. Each slice that arrived is
// kept whatever happens after it: the next try goes on there.

#include "core/space_engine.h"
#include "sync/plan.h"
#include "sync/transfer.h"

#include <functional>

namespace dutybook::sync {

// Runs a task on the space's writer thread and waits. The simulation calls straight through.
class EngineDoor {
public:
    virtual ~EngineDoor() = default;
    virtual void run(const std::function<void(core::SpaceEngine&)>& task) = 0;
};

struct Progress {      // for people and status, on the sync thread
    std::string step;  // list fetch check fold seal push verify done
    std::uint64_t done = 0, all = 0;
};

struct Outcome {  // what `dutybook sync --json` prints
    std::string space, remote;
    bool ok = false;
    std::uint64_t operations_in = 0, operations_out = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0, objects_in = 0;
    double seconds = 0;
    std::optional<Error> error;
    Transfer::Refs listed;  // as read back: what the remote holds now
};

struct ContactParts {
    EngineDoor* engine = nullptr;
    store::Log* log = nullptr;
    Transfer* transfer = nullptr;
    const Clock* clock = nullptr;
    const store::SegmentJudge* judge = nullptr;
    std::function<void(const Progress&)> progress;
    std::function<std::optional<Millis>()> next_heard;  // by this site's schedule
    std::function<bool()> receipt_due;                  // at most one a night
};

Outcome contact(const RemoteConfig& remote, const Transfer::Refs& remembered,
                const ContactParts& parts, const std::atomic<bool>& cancel);

}  // namespace dutybook::sync
