#include "store/git_check.h"

#include <algorithm>
#include <unordered_set>

namespace dutybook::store::git {
namespace {

constexpr std::size_t most_commits = 65'536;  // of one volume; see git_segment.cpp
constexpr std::size_t largest_foreign_commit = 1024 * 1024;

Result<void> check_place(const SegmentHeader& header, const Place& place) {
    if (header.space != place.space)
        return malformed("the segment belongs to another space", "/space");
    if (header.writer != place.name.writer || header.volume != place.name.number)
        return malformed("the segment names another log than its ref", "/writer");
    if (header.previous != place.previous)
        return malformed("the segment does not name the one before it", "/previous");
    if (place.next && header.first != *place.next)
        return malformed("the segment begins at operation " + std::to_string(header.first) +
                             " where " + std::to_string(*place.next) + " is due",
                         "/first");
    return {};
}

// All that is known of a segment of a newer format: its place.
SegmentHeader unknown_header(const Place& place) {
    SegmentHeader header;
    header.space = place.space;
    header.writer = place.name.writer;
    header.volume = place.name.number;
    header.previous = place.previous;
    header.first = place.next.value_or(1);
    header.last = header.first - 1;
    return header;
}

Result<Checked> check_newer(Checked out, const Place& place, const Error& why,
                            const SegmentJudge* judge) {
    auto header = unknown_header(place);
    header.format = 0;  // not format 1; the judge decides by writer and signature
    if (judge != nullptr)
        TRY(judge->judge(header, out.objects.text.unsigned_bytes, out.objects.text.signature,
                         out.objects.commit));
    out.newer = why;
    return out;
}

}  // namespace

Result<Place> place_after(const View& view, const VolumeName& name, const std::string& space,
                          const CommitId& commit, bool same_volume) {
    Place place{name, space, same_volume ? commit : CommitId{}, commit, std::nullopt};
    const auto header = read_header(view, commit);
    if (header)
        place.next = header->last + 1;
    else if (header.error().code != Code::NewerFormat)
        return header.error();
    return place;
}

Result<Checked> check_next(const View& view, const Place& place, const CommitId& commit,
                           const SegmentCodec& codec, const SegmentJudge* judge) {
    Checked out;
    TRY_ASSIGN(out.objects, read_segment(view, commit));
    if (out.objects.parent != place.parent)
        return malformed(place.parent.empty() ? "a volume begins with a commit that has a parent"
                                              : "a commit does not follow the one before it");
    const auto header = decode_header(out.objects.blob_bytes);
    if (!header && header.error().code == Code::NewerFormat)
        return check_newer(std::move(out), place, header.error(), judge);
    if (!header) return header.error();
    TRY(check_place(*header, place));
    if (segment_commit(*header, out.objects.tree, out.objects.parent) !=
        out.objects.text.unsigned_bytes)
        return malformed("commit " + commit + " is not the one that its segment makes");
    if (judge != nullptr)
        TRY(judge->judge(*header, out.objects.text.unsigned_bytes, out.objects.text.signature,
                         commit));
    auto segment = decode_segment(out.objects.blob_bytes, codec);
    if (segment)
        out.segment = std::move(*segment);
    else if (segment.error().code == Code::NewerFormat)
        out.newer = segment.error();
    else
        return segment.error();
    return out;
}

void step(Place& place, const Checked& checked) {
    place.parent = place.previous = checked.objects.commit;
    const auto header = decode_header(checked.objects.blob_bytes);
    place.next = header ? std::optional(header->last + 1) : std::nullopt;
}

Result<CommitId> read_foreign_parent(const View& view, const CommitId& commit) {
    TRY_ASSIGN(const auto bytes, view.read(commit, GIT_OBJECT_COMMIT, largest_foreign_commit));
    const auto parent = bytes.find("\nparent ");
    if (parent == std::string::npos || parent > bytes.find("\n\n")) return CommitId{};
    return bytes.substr(parent + 8, 40);
}

Result<std::vector<CommitId>> walk_foreign(const View& view, const CommitId& tip,
                                           const std::vector<CommitId>& known) {
    const std::unordered_set<CommitId> ours(known.begin(), known.end());
    std::vector<CommitId> out;
    for (CommitId at = tip; !at.empty() && !ours.contains(at);) {
        if (out.size() == most_commits)
            return failure(Code::TooLarge, "a volume has more commits than any volume can have");
        out.push_back(at);
        TRY_ASSIGN(at, read_foreign_parent(view, at));
    }
    std::ranges::reverse(out);
    return out;
}

}  // namespace dutybook::store::git
