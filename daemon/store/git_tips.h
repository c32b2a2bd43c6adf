#pragma once
// dutybook-tips: what the log knows of its refs, beside the refs themselves. Two uses: a ref file
// that was emptied or lost is known and made again; and opening a log of thousands of segments
// reads none of them.
//
//   <ref> <tip> <first> <last> <bytes> <previous volume's tip or ->      one line a volume
//   <ref> <tip>                                                          any other ref
//   blake2b <hash of all lines above>
//
// Written after the ref, so it may be one step behind; it never decides against a sound ref,
// unless it is ahead of it on the same chain.

#include "store/git_objects.h"
#include "store/log.h"

namespace dutybook::store::git {

struct Tips {
    std::map<VolumeName, VolumeInfo> volumes;
    std::map<std::string, CommitId> others;  // control, dutybook, evidence

    std::map<std::string, CommitId> refs() const;
};

Result<void> write_tips(const fs::path& git_dir, const Tips& tips);
// Empty tips if there is no file yet; Code::Corrupt if it is not what was written.
Result<Tips> read_tips(const fs::path& git_dir);

}  // namespace dutybook::store::git
