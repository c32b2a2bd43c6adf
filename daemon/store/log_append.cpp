#include "store/log_git.h"

#include "store/git_refs.h"

#include "base/file.h"

namespace dutybook::store {

using git::View;

// Root or child? The header's `previous` is the writer's segment before, in whichever volume; it
// is the parent exactly when it stands in the same volume.
Result<CommitId> GitLog::parent_of(const View& view, const SegmentHeader& header) const {
    if (header.previous.empty()) return CommitId{};
    if (const auto same = find({header.writer, header.volume});
        same && same->tip == header.previous)
        return header.previous;
    if (header.volume > 1)
        if (const auto before = find({header.writer, header.volume - 1});
            before && before->tip == header.previous)
            return CommitId{};
    TRY_ASSIGN(const auto previous, git::read_header(view, header.previous));
    return previous.volume == header.volume ? header.previous : CommitId{};
}

Result<git::SegmentObjects> GitLog::compose(const SegmentHeader& header, std::string blob,
                                            const CommitId& parent) const {
    git::SegmentObjects out;
    out.blob = git::hash_object(blob, GIT_OBJECT_BLOB);
    out.blob_bytes = std::move(blob);
    out.tree = git::hash_object(git::segment_tree(out.blob), GIT_OBJECT_TREE);
    out.parent = parent;
    out.text.unsigned_bytes = git::segment_commit(header, out.tree, parent);
    if (options_.author != nullptr) {
        TRY_ASSIGN(out.text.signature,
                   options_.author->sign(header.writer, out.text.unsigned_bytes));
    } else if (options_.signer != nullptr) {
        TRY_ASSIGN(out.text.signature, options_.signer->sign(out.text.unsigned_bytes));
    }
    out.commit = git::hash_object(git::with_signature(out.text.unsigned_bytes, out.text.signature),
                                  GIT_OBJECT_COMMIT);
    return out;
}

Result<void> GitLog::write_objects(const git::SegmentObjects& segment) {
    const auto commit = git::with_signature(segment.text.unsigned_bytes, segment.text.signature);
    TRY(git::put_object(path_, segment.blob_bytes, GIT_OBJECT_BLOB, aside_));
    TRY(git::put_object(path_, git::segment_tree(segment.blob), GIT_OBJECT_TREE, aside_));
    TRY(git::put_object(path_, commit, GIT_OBJECT_COMMIT, aside_));
    TRY_ASSIGN(const auto fresh, View::open(path_));
    TRY_ASSIGN(const auto held, git::read_segment(fresh, segment.commit));
    if (held.blob_bytes != segment.blob_bytes)
        return failure(Code::Corrupt, "segment " + segment.commit + " does not read back");
    return {};
}

Result<void> GitLog::publish(const VolumeInfo& info) {
    const auto ref = info.name.ref();
    TRY(git::write_ref(path_, ref, info.tip));
    TRY_ASSIGN(const auto written, read_file(path_ / ref));
    if (written != info.tip + "\n")
        return failure(Code::Corrupt, ref + " does not read back what was written");
    auto next = tips();
    next.volumes[info.name] = info;
    TRY(git::write_tips(path_, next));
    const std::lock_guard lock(state_);
    tips_ = std::move(next);
    broken_.erase(ref);
    return {};
}

Result<void> GitLog::publish_other(const std::string& ref, const CommitId& tip) {
    TRY(git::write_ref(path_, ref, tip));
    auto next = tips();
    next.others[ref] = tip;
    TRY(git::write_tips(path_, next));
    const std::lock_guard lock(state_);
    tips_ = std::move(next);
    broken_.erase(ref);
    return {};
}

Result<void> GitLog::withdraw(const VolumeName& name) {
    TRY(git::delete_ref(path_, name.ref()));
    auto next = tips();
    next.volumes.erase(name);
    TRY(git::write_tips(path_, next));
    const std::lock_guard lock(state_);
    tips_ = std::move(next);
    return {};
}

SegmentHeader GitLog::introduced(SegmentHeader header) const {
    if (header.previous.empty() && options_.author != nullptr)
        header.introduction = options_.author->introduction(header.writer);
    return header;
}

namespace {

Error moved_on(const VolumeName& name) {
    return failure(Code::Conflict, name.ref() + " has moved on",
                   "the segment does not follow its last commit");
}

}  // namespace

Result<CommitId> GitLog::append(const SealRow& row, std::span<const std::string> lines) {
    const auto header = introduced(row.header);
    if (header.space != options_.space)
        return failure(Code::Internal, "a segment of another space: " + header.space);
    Segment segment{header, row.frontier, row.next_heard, {lines.begin(), lines.end()}};
    TRY_ASSIGN(auto blob, encode_segment(segment, *options_.codec));

    const std::lock_guard lock(writing_);
    const VolumeName name{header.writer, header.volume};
    TRY(check_whole(name));
    TRY_ASSIGN(const auto view, View::open(path_));
    TRY_ASSIGN(const auto parent, parent_of(view, header));
    TRY_ASSIGN(const auto objects, compose(header, std::move(blob), parent));
    const auto held = find(name);
    const auto before = header.volume > 1 ? find({header.writer, header.volume - 1}) : std::nullopt;
    if (held && held->tip != parent) {
        // The same seal once more, or one that does not belong here.
        const auto commits = git::walk(view, held->tip, parent);
        if (!commits || commits->front() != objects.commit) return moved_on(name);
        TRY(write_objects(objects));
        return objects.commit;
    }
    const bool follows = held ? header.first == held->last + 1
                         : before
                             ? header.previous == before->tip && header.first == before->last + 1
                             : parent.empty();
    if (!follows) return moved_on(name);
    TRY(write_objects(objects));
    VolumeInfo info = held.value_or(VolumeInfo{name, {}, header.first, 0, 0, header.previous});
    info.tip = objects.commit;
    info.last = header.last;
    info.bytes += objects.blob_bytes.size();
    TRY(publish(info));
    return objects.commit;
}

Result<CommitId> GitLog::readme_commit() {
    static constexpr std::string_view readme =
        "# A Dutybook space\n\n"
        "This repository carries the sealed log of one Dutybook space between its sites. It is\n"
        "written by Dutybook alone; each branch below `log/` belongs to one writer. Nothing here\n"
        "is meant to be edited, merged or rebased: changes made by hand are refused by every "
        "site.\n";
    static constexpr std::string_view person =
        "Dutybook <dutybook@dutybook.invalid> 1767225600 +0000\n";  // 2026-01-01
    const std::lock_guard lock(writing_);
    TRY_ASSIGN(const auto blob, git::put_object(path_, readme, GIT_OBJECT_BLOB, aside_));
    auto tree_bytes = git::segment_tree(blob);
    tree_bytes.replace(0, 14, "100644 README.md");
    TRY_ASSIGN(const auto tree, git::put_object(path_, tree_bytes, GIT_OBJECT_TREE, aside_));
    const auto text = "tree " + tree + "\nauthor " + std::string(person) + "committer " +
                      std::string(person) + "\nWhat this repository is\n";
    TRY_ASSIGN(const auto commit, git::put_object(path_, text, GIT_OBJECT_COMMIT, aside_));
    const auto known = tips().others;
    if (const auto at = known.find("refs/heads/dutybook");
        at == known.end() || at->second != commit)
        TRY(publish_other("refs/heads/dutybook", commit));
    return commit;
}

}  // namespace dutybook::store
