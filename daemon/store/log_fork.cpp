// Forked logs: the branch that is not applied is kept where it does not travel.

#include "store/git_check.h"
#include "store/git_refs.h"
#include "store/log_git.h"
#include "store/ssh_signature.h"

#include <cstdio>

namespace dutybook::store {

using git::View;

namespace {

std::string evidence_ref(const VolumeName& name, const CommitId& tip) {
    const auto ref = name.ref();  // refs/heads/log/<writer>/<volume>
    return "refs/dutybook/evidence/" + ref.substr(std::string("refs/heads/log/").size()) + "/" +
           tip;
}

}  // namespace

Result<void> GitLog::keep_as_evidence(const VolumeName& name, const CommitId& tip) {
    return publish_other(evidence_ref(name, tip), tip);
}

Result<std::vector<CommitId>> GitLog::beside_ours(const View& view, const Incoming& incoming) {
    std::vector<CommitId> ours;
    if (const auto held = find(incoming.volume)) {
        TRY_ASSIGN(ours, git::walk(view, held->tip, {}));
    }
    return git::walk_foreign(view, incoming.tip, ours);
}

Result<void> GitLog::keep_evidence(Quarantine& quarantine, const Incoming& incoming) {
    const std::lock_guard lock(writing_);
    TRY_ASSIGN(const auto view, View::open(quarantine.path(), path_));
    TRY_ASSIGN(const auto commits, beside_ours(view, incoming));
    std::vector<git::SegmentObjects> branch;
    for (const auto& commit : commits) {
        TRY_ASSIGN(auto segment, git::read_segment(view, commit));
        branch.push_back(std::move(segment));
    }
    if (!branch.empty()) TRY(take_pack(view, branch));
    return keep_as_evidence(incoming.volume, incoming.tip);
}

Result<std::vector<git::SegmentObjects>> GitLog::signed_part(
    const View& view, const VolumeName& name, std::span<const CommitId> commits) const {
    std::vector<git::SegmentObjects> out;
    std::optional<PublicKey> key;
    for (const auto& commit : commits) {
        auto segment = git::read_segment(view, commit);
        if (!segment) break;
        const auto header = decode_header(segment->blob_bytes);
        if (!header || header->space != options_.space || header->writer != name.writer ||
            header->volume != name.number)
            break;
        const auto named = signer_of(segment->text.signature);
        if (!named || (key && *key != *named) ||
            !verify_signature(segment->text.unsigned_bytes, segment->text.signature, *named))
            break;
        key = *named;
        out.push_back(std::move(*segment));
    }
    if (out.empty())
        return failure(Code::Forbidden, "nothing of it is signed by the site that it names");
    return out;
}

Result<void> GitLog::keep_later(Quarantine& quarantine, const Incoming& incoming) {
    const std::lock_guard lock(writing_);
    TRY_ASSIGN(const auto view, View::open(quarantine.path(), path_));
    TRY_ASSIGN(const auto commits, beside_ours(view, incoming));
    if (commits.empty()) return keep_as_evidence(incoming.volume, incoming.tip);
    TRY_ASSIGN(const auto part, signed_part(view, incoming.volume, commits));
    TRY(take_pack(view, part));
    return keep_as_evidence(incoming.volume, part.back().commit);
}

Result<void> GitLog::switch_volume(const VolumeName& volume, const CommitId& tip) {
    const std::lock_guard lock(writing_);
    TRY_ASSIGN(const auto view, View::open(path_));
    TRY_ASSIGN(const auto info, describe(view, volume, tip));
    const auto before = tips().volumes;
    std::vector<VolumeInfo> replaced;  // the volume and those after it
    for (auto at = before.lower_bound(volume);
         at != before.end() && at->first.writer == volume.writer; ++at)
        replaced.push_back(at->second);
    // The later ones first: a crash then leaves a shorter log of the old branch, which is whole.
    for (auto old = replaced.rbegin(); old != replaced.rend(); ++old) {
        TRY(keep_as_evidence(old->name, old->tip));
        if (old->name == volume) continue;
        TRY(withdraw(old->name));
    }
    return publish(info);
}

}  // namespace dutybook::store
