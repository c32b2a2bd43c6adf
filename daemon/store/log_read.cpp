#include "store/git_refs.h"
#include "store/log_git.h"

#include <algorithm>

namespace dutybook::store {
namespace {

// Maintenance may have replaced the packs under a view that was lent before: then once more with a
// fresh one.
template <class Read>
auto read_twice(git::ViewPool& pool, const git::fs::path& path, const Read& read)
    -> decltype(read(std::declval<const git::View&>())) {
    {
        TRY_ASSIGN(const auto view, pool.borrow());
        if (auto out = read(*view)) return out;
    }
    TRY_ASSIGN(const auto fresh, git::View::open(path));
    return read(fresh);
}

}  // namespace

Result<std::vector<VolumeInfo>> GitLog::volumes() {
    const std::lock_guard lock(state_);
    std::vector<VolumeInfo> out;
    out.reserve(tips_.volumes.size());
    for (const auto& [name, info] : tips_.volumes) out.push_back(info);
    return out;
}

Result<std::map<std::string, CommitId>> GitLog::refs() {
    const std::lock_guard lock(state_);
    auto out = tips_.refs();
    std::erase_if(out, [](const auto& one) { return !git::evidence_tip(one.first).empty(); });
    return out;
}

Result<std::vector<CommitId>> GitLog::chain(const VolumeName& volume, const CommitId& after) {
    const auto info = find(volume);
    if (!info) return failure(Code::NotFound, "no volume " + volume.ref());
    return read_twice(pool_, path_,
                      [&](const git::View& view) { return git::walk(view, info->tip, after); });
}

Result<Segment> GitLog::read(const CommitId& commit) {
    TRY_ASSIGN(const auto objects, read_twice(pool_, path_, [&](const git::View& view) {
                   return git::read_segment(view, commit);
               }));
    return decode_segment(objects.blob_bytes, *options_.codec);
}

Ancestry GitLog::compare(const VolumeName& volume, const CommitId& theirs) {
    const auto info = find(volume);
    if (!info) return Ancestry::Unknown;
    if (info->tip == theirs) return Ancestry::Same;
    const auto view = pool_.borrow();
    if (!view) return Ancestry::Unknown;
    const auto& seen = **view;
    // Listed by a remote, so perhaps no commit of this log at all, or one whose blob is missing.
    if (!git::read_link(seen, theirs)) return Ancestry::Unknown;
    if (git::walk(seen, info->tip, theirs)) return Ancestry::Behind;
    // A commit of ours, but of another log: whoever lists it here makes no fork of this one.
    const auto header = git::read_header(seen, theirs);
    if (header && (header->writer != volume.writer || header->volume != volume.number))
        return Ancestry::Unknown;
    const auto onward = git::walk(seen, theirs, info->tip);
    if (onward) return Ancestry::Ahead;
    return onward.error().code == Code::Conflict ? Ancestry::Forked : Ancestry::Unknown;
}

}  // namespace dutybook::store
