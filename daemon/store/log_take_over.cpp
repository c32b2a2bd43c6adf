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

Result<TakenOver> GitLog::take_over(Quarantine& quarantine, const Incoming& incoming,
                                    const SegmentJudge& judge) {
    const auto& name = incoming.volume;
    const std::lock_guard lock(writing_);
    {
        const std::lock_guard state(state_);
        if (broken_.contains(name.ref()))
            return failure(Code::Corrupt, name.ref() + " is damaged", {}, "run repair");
    }
    const auto held = find(name);
    if (held && held->tip == incoming.tip) return TakenOver{};
    TRY_ASSIGN(const auto view, View::open(quarantine.path(), path_));
    std::vector<CommitId> ours;
    if (held) {
        TRY_ASSIGN(ours, git::walk(view, held->tip, {}));
    }
    const auto commits = git::walk_foreign(view, incoming.tip, ours);
    if (!commits) return TakenOver{{}, commits.error(), false, {}, false};
    if (commits->empty()) return TakenOver{};  // an ancestor of ours

    auto place =
        held ? Result<git::Place>(git::Place{name, options_.space, {}, {}, {}})
             : first_place(view, name, options_.space, find({name.writer, name.number - 1}));
    if (!place) return TakenOver{{}, place.error(), false, {}, false};
    CommitId common, after_common;
    if (held) {
        TRY_ASSIGN(const auto link, git::read_foreign_parent(view, commits->front()));
        common = link;
        const auto at = std::ranges::find(ours, common);
        if (at == ours.end()) {
            common.clear();
            after_common = ours.front();
            place = first_place(view, name, options_.space, find({name.writer, name.number - 1}));
        } else {
            if (at + 1 != ours.end()) after_common = *(at + 1);
            place = git::place_after(view, name, options_.space, common, true);
        }
        if (!place) return TakenOver{{}, place.error(), false, {}, false};
    }
    if (after_common.empty())
        if (const auto next = find({name.writer, name.number + 1})) {
            TRY_ASSIGN(const auto chain, git::walk(view, next->tip, {}));
            after_common = chain.front();
        }

    auto checked = check_all(view, *place, *commits, *options_.codec, judge);
    if (checked.good.empty()) return std::move(checked.out);
    if (!after_common.empty()) {
        TakenOver forked;
        forked.refused = failure(Code::Conflict, name.ref() + " has forked",
                                 "its writer was restored or copied and wrote on both sides");
        forked.fork = Fork{common, after_common, commits->front()};
        return forked;
    }
    TRY(take_pack(view, checked.good));
    VolumeInfo info = held.value_or(VolumeInfo{name, {}, 0, 0, 0, place->previous});
    if (!held) info.first = place->next.value_or(1);
    if (!held) info.last = info.first - 1;
    for (const auto& segment : checked.good) {
        info.bytes += segment.blob_bytes.size();
        if (const auto header = decode_header(segment.blob_bytes)) info.last = header->last;
    }
    info.tip = checked.good.back().commit;
    TRY(publish(info));
    return std::move(checked.out);
}

}  // namespace dutybook::store
