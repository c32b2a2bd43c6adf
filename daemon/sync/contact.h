#pragma once
// One contact of one space with one remote, from the list to the read-back. Runs on a sync thread
// (or directly in the simulation); everything that touches the engine goes through `EngineDoor`,
// so that writes go on meanwhile. Knows no thread, no process and no network.
//
// list -> plan -> fetch slices into quarantine -> take over (check) -> fold in bounded steps ->
// seal -> push relay -> push own, slice by slice -> list again until nothing is left to push (the
// read-back). Each slice that arrived is kept whatever happens after it: the next try goes on
// there. A push that was refused is judged by listing again, never by its own words.

#include "core/circle.h"
#include "core/space_engine.h"
#include "sync/plan.h"
#include "sync/transfer.h"

#include <functional>
#include <set>
#include <utility>

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
    std::vector<std::string> notes;  // sentences for people: what was mended, went back, forked
    bool receipt = false;            // this contact sealed an empty segment as receipt
    Transfer::Refs listed;           // the last list that was seen
    // What to pass as `remembered` next time: `listed`, but a head that the remote has lost and
    // not shown again since stays, so that its alarm stays.
    Transfer::Refs remembered;
};

// Tips of volumes that were judged and not taken over: they are not transferred again until the
// remote lists another, or what they are judged by has changed. Kept between the contacts of one
// space, in memory: a restart judges once more.
class RefusedTips {
public:
    // Forgets everything when `knowledge` (of who may write) is another than last time.
    void judged_by(const std::string& knowledge);
    bool holds(const store::VolumeName& volume, const store::CommitId& tip) const;
    void add(const store::VolumeName& volume, const store::CommitId& tip);
    void forget(const domain::Writer& writer);

private:
    std::string knowledge_;
    std::set<std::pair<store::VolumeName, store::CommitId>> tips_;
};

struct ContactParts {
    EngineDoor* engine = nullptr;
    store::Log* log = nullptr;
    Transfer* transfer = nullptr;
    const Clock* clock = nullptr;
    const store::SegmentJudge* judge = nullptr;
    core::Circle* circle = nullptr;                     // null: the space has no control log
    RefusedTips* refused = nullptr;                     // null: everything is judged anew
    std::function<void(const Progress&)> progress;      // may be empty
    std::function<std::optional<Millis>()> next_heard;  // by this site's schedule; may be empty
    std::function<bool()> receipt_due;                  // at most one a night; empty = never
};

Outcome contact(const RemoteConfig& remote, const Transfer::Refs& remembered,
                const ContactParts& parts, const std::atomic<bool>& cancel);

// What a remote does with one log is an alarm of that remote: subject "<remote> <ref>". Closes
// those that do not stand any more, all but `standing`.
std::string subject_at(const std::string& remote, const std::string& ref);
void close_alarms_of(core::SpaceEngine& engine, const std::string& remote,
                     const std::set<std::string>& standing);

}  // namespace dutybook::sync
