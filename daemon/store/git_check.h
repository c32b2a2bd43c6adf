#pragma once
// Foreign commits: how far one follows what is held. Everything is bounded by what the object's
// header says before it is read, and nothing is interpreted that was not compared.

#include "store/git_segment.h"

namespace dutybook::store::git {

// What the next commit of a volume must fit to.
struct Place {
    VolumeName name;
    std::string space;
    CommitId parent;                    // empty: a root is due
    CommitId previous;                  // the writer's segment before, in whichever volume
    std::optional<std::uint64_t> next;  // its first operation; nothing after a newer format
};
// The place after a commit that the view holds.
Result<Place> place_after(const View& view, const VolumeName& name, const std::string& space,
                          const CommitId& commit, bool same_volume);

struct Checked {
    SegmentObjects objects;
    std::optional<Segment> segment;  // nothing if written by a newer Dutybook: keep, do not apply
    std::optional<Error> newer;      // then the reason
};
// `judge` may be null (evidence that was judged before).
Result<Checked> check_next(const View& view, const Place& place, const CommitId& commit,
                           const SegmentCodec& codec, const SegmentJudge* judge);
void step(Place& place, const Checked& checked);

// The first parent that a commit names, whatever its shape; empty for a root.
Result<CommitId> read_foreign_parent(const View& view, const CommitId& commit);

// Like walk(), but goes on through commits of a wrong shape, so that the good ones before them are
// found; follows first parents. `known` = commits of ours at which to stop (none of them is
// returned). Code::NotFound if the chain breaks.
Result<std::vector<CommitId>> walk_foreign(const View& view, const CommitId& tip,
                                           const std::vector<CommitId>& known);

}  // namespace dutybook::store::git
