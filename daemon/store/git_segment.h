#pragma once
// A segment as the three objects that hold it: commit, tree, blob.

#include "store/git_commit.h"
#include "store/git_objects.h"

namespace dutybook::store::git {

struct SegmentObjects {
    CommitId commit, tree, blob;
    std::string blob_bytes;
    CommitText text;
    CommitId parent;  // empty = root
};

// Reads commit, tree and blob, each bounded by its header and hashed. Checks the shape: at most
// one parent, one plain file. Code::NotFound, Corrupt, TooLarge, Malformed.
Result<SegmentObjects> read_segment(const View& view, const CommitId& commit);
// The commit alone. `parent` is empty for a root.
struct CommitLink {
    CommitText text;
    CommitId parent;
};
Result<CommitLink> read_link(const View& view, const CommitId& commit);
// The blob's size without reading it.
Result<std::size_t> blob_size(const View& view, const CommitId& tree);
// Only the header of a commit's segment.
Result<SegmentHeader> read_header(const View& view, const CommitId& commit);

// Commits from `tip` back to `stop` (left out) or a root, oldest first. `stop` empty: to the root.
// Code::Conflict if a stop was given and the root came without it.
Result<std::vector<CommitId>> walk(const View& view, const CommitId& tip, const CommitId& stop);

}  // namespace dutybook::store::git
