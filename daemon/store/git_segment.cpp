#include "store/git_segment.h"

#include <algorithm>

namespace dutybook::store::git {
namespace {

// A volume closes at about 1 MiB; the smallest receipt is about 300 bytes. Bounds a hostile chain.
constexpr std::size_t most_commits = 65'536;
constexpr std::size_t tree_size = 35;

}  // namespace

Result<CommitLink> read_link(const View& view, const CommitId& commit) {
    TRY_ASSIGN(const auto bytes, view.read(commit, GIT_OBJECT_COMMIT, largest_commit));
    CommitLink link;
    TRY_ASSIGN(link.text, read_commit(bytes));
    if (link.text.parents.size() > 1)
        return malformed("commit " + commit + " has more than one parent");
    if (!link.text.parents.empty()) link.parent = link.text.parents.front();
    return link;
}

Result<std::size_t> blob_size(const View& view, const CommitId& tree) {
    TRY_ASSIGN(const auto bytes, view.read(tree, GIT_OBJECT_TREE, tree_size));
    TRY_ASSIGN(const auto blob, blob_of_tree(bytes));
    TRY_ASSIGN(const auto info, view.info(blob));
    return info.size;
}

Result<SegmentObjects> read_segment(const View& view, const CommitId& commit) {
    SegmentObjects out;
    out.commit = commit;
    TRY_ASSIGN(auto link, read_link(view, commit));
    out.text = std::move(link.text);
    out.parent = std::move(link.parent);
    out.tree = out.text.tree;
    TRY_ASSIGN(const auto tree, view.read(out.tree, GIT_OBJECT_TREE, tree_size));
    TRY_ASSIGN(out.blob, blob_of_tree(tree));
    TRY_ASSIGN(out.blob_bytes, view.read(out.blob, GIT_OBJECT_BLOB, Limits::segment_blob));
    return out;
}

Result<SegmentHeader> read_header(const View& view, const CommitId& commit) {
    TRY_ASSIGN(const auto segment, read_segment(view, commit));
    return decode_header(segment.blob_bytes);
}

Result<std::vector<CommitId>> walk(const View& view, const CommitId& tip, const CommitId& stop) {
    std::vector<CommitId> out;
    for (CommitId at = tip; at != stop;) {
        if (out.size() == most_commits)
            return failure(Code::TooLarge, "a volume has more commits than any volume can have");
        TRY_ASSIGN(const auto link, read_link(view, at));
        out.push_back(at);
        if (link.parent.empty() && !stop.empty())
            return failure(Code::Conflict, "two histories",
                           std::string(tip).append(" does not follow ").append(stop));
        at = link.parent;
    }
    std::ranges::reverse(out);
    return out;
}

}  // namespace dutybook::store::git
