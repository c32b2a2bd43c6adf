#include "store/git_check.h"
#include "store/git_pack.h"
#include "store/log_git.h"

#include <algorithm>

namespace dutybook::store {

using git::View;

namespace {

// Plain bytes handed back by one call. A volume is about 1 MiB packed, which may be much more in
// plain; what does not fit is taken by the next call.
constexpr std::size_t most_plain = 32 * 1024 * 1024;

std::size_t plain_size(const Segment& segment) {
    std::size_t size = 0;
    for (const auto& line : segment.lines) size += line.size() + sizeof(std::string);
    return size;
}

struct Checking {
    TakenOver out;
    std::vector<git::SegmentObjects> good;
};

// The good prefix of `commits`, oldest first.
Checking check_all(const View& view, git::Place place, std::span<const CommitId> commits,
                   const SegmentCodec& codec, const SegmentJudge& judge) {
    Checking result;
    std::size_t plain = 0;
    for (const auto& commit : commits) {
        auto checked = git::check_next(view, place, commit, codec, &judge);
        if (!checked) {
            if (!result.out.refused) result.out.refused = checked.error();
            break;
        }
        git::step(place, *checked);
        if (checked->newer && !result.out.newer) {
            result.out.newer = true;
            result.out.refused = checked->newer;
        }
        // What follows a newer format waits with it.
        if (checked->segment && !result.out.newer) {
            plain += plain_size(*checked->segment);
            result.out.segments.push_back({commit, std::move(*checked->segment)});
        }
        result.good.push_back(std::move(checked->objects));
        if (plain > most_plain && commit != commits.back()) {
            result.out.more = true;
            break;
        }
    }
    return result;
}

// Where the first new commit of a volume must stand, if nothing of it is held.
Result<git::Place> first_place(const View& view, const VolumeName& name, const std::string& space,
                               const std::optional<VolumeInfo>& before) {
    if (name.number == 1) return git::Place{name, space, {}, {}, 1};
    if (!before)
        return failure(Code::Unavailable, "the volume before " + name.ref() + " is not held yet");
    return git::place_after(view, name, space, before->tip, false);
}

VolumeInfo grown(const std::optional<VolumeInfo>& held, const git::Place& place,
                 const std::vector<git::SegmentObjects>& added) {
    VolumeInfo info;
    if (held) {
        info = *held;
    } else {
        info.name = place.name;
        info.first = place.next.value_or(1);
        info.last = info.first - 1;
        info.previous = place.previous;
    }
    for (const auto& segment : added) {
        info.bytes += segment.blob_bytes.size();
        if (const auto header = decode_header(segment.blob_bytes)) info.last = header->last;
    }
    info.tip = added.back().commit;
    return info;
}

}  // namespace

Result<void> GitLog::take_pack(const View& from, const std::vector<git::SegmentObjects>& taken) {
    std::vector<CommitId> objects;
    for (const auto& segment : taken)
        objects.insert(objects.end(), {segment.commit, segment.tree, segment.blob});
    TRY(git::write_pack(from, objects, path_));
    TRY_ASSIGN(const auto fresh, View::open(path_));
    for (const auto& segment : taken) {
        TRY_ASSIGN(const auto held, git::read_segment(fresh, segment.commit));
        if (held.blob_bytes != segment.blob_bytes)
            return failure(Code::Corrupt, "segment " + segment.commit + " does not read back", {},
                           "run repair");
    }
    return {};
}

// Where the foreign commits branch off from ours, and what of ours stands there already.
Result<Branching> GitLog::branching(const View& view, const VolumeName& name,
                                    const CommitId& first_foreign,
                                    std::span<const CommitId> ours) const {
    const auto before = find({name.writer, name.number - 1});
    Branching out;
    if (before) {
        TRY_ASSIGN(const bool elsewhere, branched_before(view, name, first_foreign, *before));
        if (elsewhere) {
            TRY_ASSIGN(const auto header, git::read_header(view, first_foreign));
            out.ours = before->tip;
            TRY_ASSIGN(out.place,
                       git::place_after(view, name, options_.space, header.previous, false));
            return out;
        }
    }
    if (!ours.empty()) {
        TRY_ASSIGN(out.common, git::read_foreign_parent(view, first_foreign));
    }
    const auto at = std::ranges::find(ours, out.common);
    if (at == ours.end()) {
        out.common.clear();
        if (!ours.empty()) out.ours = ours.front();
        TRY_ASSIGN(out.place, first_place(view, name, options_.space, before));
        return out;
    }
    TRY_ASSIGN(out.place, git::place_after(view, name, options_.space, out.common, true));
    if (at + 1 != ours.end()) {
        out.ours = *(at + 1);
    } else if (const auto next = find({name.writer, name.number + 1})) {
        TRY_ASSIGN(const auto chain, git::walk(view, next->tip, {}));
        out.ours = chain.front();
    }
    return out;
}

// A volume that follows another form of the one before: an earlier commit of it, or one that is
// kept as evidence. Only what the log itself holds counts; the rest was never checked.
Result<bool> GitLog::branched_before(const View& view, const VolumeName& name,
                                     const CommitId& first_foreign,
                                     const VolumeInfo& before) const {
    TRY_ASSIGN(const auto parent, git::read_foreign_parent(view, first_foreign));
    if (!parent.empty()) return false;
    const auto header = git::read_header(view, first_foreign);
    if (!header || header->previous.empty() || header->previous == before.tip) return false;
    TRY_ASSIGN(const auto held, View::open(path_));
    const auto previous = git::read_header(held, header->previous);
    return previous && previous->writer == name.writer && previous->volume == name.number - 1;
}

Result<TakenOver> GitLog::take_over(Quarantine& quarantine, const Incoming& incoming,
                                    const SegmentJudge& judge) {
    const auto& name = incoming.volume;
    const auto refuse = [](Error error) {
        TakenOver out;
        out.refused = std::move(error);
        return out;
    };
    const std::lock_guard lock(writing_);
    TRY(check_whole(name));
    const auto held = find(name);
    if (held && held->tip == incoming.tip) return TakenOver{};
    TRY_ASSIGN(const auto view, View::open(quarantine.path(), path_));
    std::vector<CommitId> ours;
    if (held) {
        TRY_ASSIGN(ours, git::walk(view, held->tip, {}));
    }
    const auto commits = git::walk_foreign(view, incoming.tip, ours);
    if (!commits) return refuse(commits.error());
    if (commits->empty()) return TakenOver{};  // an ancestor of ours
    const auto branch = branching(view, name, commits->front(), ours);
    if (!branch) return refuse(branch.error());

    auto checked = check_all(view, branch->place, *commits, *options_.codec, judge);
    if (checked.good.empty()) return std::move(checked.out);
    if (!branch->ours.empty()) {
        auto forked = refuse(failure(Code::Conflict, name.ref() + " has forked",
                                     "its writer was restored or copied and wrote on both sides"));
        if (checked.out.refused) forked.refused = checked.out.refused;
        forked.fork =
            Fork{branch->common, branch->ours, commits->front(), checked.good.back().commit};
        return forked;
    }
    TRY(take_pack(view, checked.good));
    TRY(publish(grown(held, branch->place, checked.good)));
    return std::move(checked.out);
}

}  // namespace dutybook::store
