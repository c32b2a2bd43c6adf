#pragma once
// The log: everybody's sealed truth of one space, which travels. A bare git repository (log.git)
// worked on by libgit2 alone; transfers are stock git's (sync/).
//
// libgit2 is never the acknowledgement: fsync errors are swallowed for trees and commits, so a
// sealed segment is read back through a freshly opened repository before it counts.
//
// Thread-safe: appends and take-overs are serialised inside, reads go on beside them.

#include "store/journal.h"

#include <functional>
#include <memory>
#include <set>

namespace dutybook::store {

struct VolumeInfo {
    VolumeName name;
    CommitId tip;
    std::uint64_t first = 0, last = 0;  // operations held; last == first - 1 if only receipts
    std::uint64_t bytes = 0;            // of its blobs
    CommitId previous;                  // tip of the volume before, as its first header says
};

// What a transfer fetched and nobody has believed yet.
class Quarantine {
public:
    virtual ~Quarantine() = default;
    // Where a transfer puts objects and refs (a bare repository that knows the log's objects as
    // alternates; refs below refs/quarantine/); meaningless for a fake.
    virtual std::string path() const = 0;
    // Throws everything away (after a take-over, or at start).
    virtual Result<void> clear() = 0;
};

struct Accepted {  // one segment that passed every check
    CommitId commit;
    Segment segment;
};
struct Incoming {
    VolumeName volume;
    CommitId tip;   // what the remote listed
    CommitId have;  // our tip of this volume, empty if none
};
// Two histories of one log, both by its writer. The first commit on each side after the last shared
// one of the volume (`common` empty: they share none). Where the volume was closed by a following
// one, `ours` is that one's first commit. Where the histories part before this volume, `ours` is
// the end of the volume before, of which theirs knows another form.
struct Fork {
    CommitId common, ours, theirs;
    CommitId tip;  // of theirs, as far as it passed every check
};
struct TakenOver {
    std::vector<Accepted> segments;  // oldest first; now in the log, durable
    std::optional<Error> refused;    // why the rest of the volume was not taken
    bool newer = false;              // written by a newer Dutybook: kept in the log, not here
    std::optional<Fork> fork;        // refused (Code::Conflict) because the log forked
    bool more = false;               // memory's bound was reached: call again for the rest
};

enum class Ancestry : std::uint8_t { Same, Behind, Ahead, Forked, Unknown };

struct Damage {
    std::string file;  // or "ref ..." / "object ..."
    std::string what;
    std::vector<VolumeName> volumes;  // that cannot be read because of it
    bool healed = false;
    std::string how;  // what healed it, or what to do
};

class ControlLog;  // control_log.h

class Log {
public:
    virtual ~Log() = default;

    // The space's control log beside the writers' logs; null where there is none (fakes, a log
    // that cannot be opened).
    virtual ControlLog* control() { return nullptr; }

    // Writes the planned segment and moves the volume's ref; idempotent: the same row gives the
    // same commit. Reads it back through a fresh repository before returning.
    virtual Result<CommitId> append(const SealRow& row, std::span<const std::string> lines) = 0;

    virtual Result<std::vector<VolumeInfo>> volumes() = 0;       // sorted by name
    virtual Result<std::map<std::string, CommitId>> refs() = 0;  // all that the design names
    // Commits of a volume after `after` (empty = all), oldest first.
    virtual Result<std::vector<CommitId>> chain(const VolumeName& volume,
                                                const CommitId& after) = 0;
    virtual Result<Segment> read(const CommitId& commit) = 0;
    // Where `theirs` stands to `ours` on one volume; looks at the log only.
    virtual Ancestry compare(const VolumeName& volume, const CommitId& theirs) = 0;

    // The one quarantine of this log, one user at a time (Code::Unavailable). What an interrupted
    // transfer left is still in it.
    virtual Result<std::unique_ptr<Quarantine>> open_quarantine() = 0;
    // Checks every commit of `incoming` that the quarantine holds after our own tip (shape, size,
    // chain, place, judge, codec) and takes over those that pass, as one pack that holds only
    // checked objects. A tip that we are already at or past takes nothing and refuses nothing.
    // Code::Unavailable in `refused`: the volume before is not held to its end yet.
    virtual Result<TakenOver> take_over(Quarantine& quarantine, const Incoming& incoming,
                                        const SegmentJudge& judge) = 0;
    // Keeps a forked branch as evidence (refs/dutybook/evidence/<writer>/<volume>/<tip>), outside
    // what travels. Its commits can then be read and compared.
    virtual Result<void> keep_evidence(Quarantine& quarantine, const Incoming& incoming) = 0;
    // Makes another branch of a forked volume the applied one (both must be held). The branch that
    // was applied, and the volumes that followed it, become evidence.
    virtual Result<void> switch_volume(const VolumeName& volume, const CommitId& tip) = 0;

    // A constant commit (README) for refs/heads/dutybook, the same at every site.
    virtual Result<CommitId> readme_commit() = 0;

    // Everything reachable is read and hashed; `full` also decodes every segment. Read-only.
    virtual Result<std::vector<Damage>> verify(
        bool full, const std::function<void(int percent)>& progress) = 0;
    // Moves what is damaged aside (never deletes), makes refs and HEAD again from what is known,
    // re-seals own segments from the journal. What is still missing afterwards is returned, to be
    // fetched from a remote.
    using JournalLines = std::function<Result<std::vector<std::string>>(const SealRow&)>;
    virtual Result<std::vector<Damage>> repair(bool dry_run, Journal& journal,
                                               const JournalLines& lines) = 0;
    // Puts many small packs and loose objects together; keeps the old until the new is verified.
    virtual Result<void> maintain() = 0;
};

struct GitLogOptions {
    std::string path;   // of log.git; made if missing
    std::string space;  // id
    const SegmentCodec* codec = nullptr;
    const CommitSigner* signer = nullptr;   // null = unsigned
    const SegmentAuthor* author = nullptr;  // takes the signer's place
};
Result<std::unique_ptr<Log>> open_git_log(const GitLogOptions& options);

}  // namespace dutybook::store
