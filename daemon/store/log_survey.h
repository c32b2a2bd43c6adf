#pragma once
// What stands in log.git, object by object: the common ground of verify and repair. Reads only.

#include "store/git_pack.h"
#include "store/log_git.h"

#include <functional>
#include <unordered_set>

namespace dutybook::store {

struct BadPack {
    git::PackFiles files;
    bool pack_sound = false;         // then the index can be made again
    std::vector<CommitId> readable;  // objects that hash right, where not
};

struct Survey {
    std::vector<Damage> damages;
    std::vector<git::fs::path> bad_loose;
    std::vector<BadPack> bad_packs;
    std::unordered_set<CommitId> good;  // readable from at least one place
    std::optional<git::View> view;      // sound packs first, then loose objects, damaged packs last

    bool readable(const CommitId& id) const { return good.contains(id); }
};

using Progress = std::function<void(int percent)>;

// Every loose object and every pack, read and hashed. Reports 0 to 80 percent.
Result<Survey> survey_objects(const git::fs::path& git_dir, const Progress& progress);
// HEAD, config, the list of tips, and every ref file against the tips expected.
Result<void> survey_refs(const git::fs::path& git_dir, const git::Tips& expected, Survey& survey);

// The segments of one chain, oldest first, as far as commits can be read from the tip back, and
// the first (youngest) trouble that was met.
struct ChainState {
    std::vector<CommitId> commits;
    std::optional<Error> trouble;
};
// `codec` null: shape and hashes only.
ChainState survey_chain(const Survey& survey, const CommitId& tip, const SegmentCodec* codec);
// What hangs together below a ref of ours that is no writer's log: commits, their trees of one
// file, the blobs.
Result<void> survey_other(const Survey& survey, const CommitId& tip);

}  // namespace dutybook::store
