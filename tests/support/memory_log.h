#pragma once
// A Log in memory: the rules of the git log about place, forks and take-over, on RepositoryData.

#include "support/memory_faults.h"
#include "support/memory_repository.h"

namespace dutybook::testing {

struct LogData {
    RepositoryData repository;
    RepositoryData quarantine;  // what an interrupted transfer left is still there
    std::map<std::string, store::CommitId> evidence;
};

class MemoryQuarantine final : public store::Quarantine {
public:
    MemoryQuarantine(RepositoryData& data, Faults& faults) : data_(data), faults_(faults) {}
    std::string path() const override { return {}; }
    Result<void> clear() override {
        Effect effect(faults_, "quarantine.clear");
        data_ = {};
        effect.done();
        return {};
    }
    RepositoryData& data() { return data_; }
    Faults& faults() { return faults_; }

private:
    RepositoryData& data_;
    Faults& faults_;
};

class MemoryLog final : public store::Log {
public:
    MemoryLog(LogData& data, std::string space, const store::SegmentCodec& codec, Faults& faults)
        : data_(data), space_(std::move(space)), codec_(codec), faults_(faults) {}

    Result<store::CommitId> append(const store::SealRow& row,
                                   std::span<const std::string> lines) override {
        const auto& header = row.header;
        if (header.space != space_) return failure(Code::Internal, "another space's segment");
        TRY_ASSIGN(
            auto blob,
            store::encode_segment(
                {header, row.frontier, row.next_heard, {lines.begin(), lines.end()}}, codec_));
        const store::VolumeName name{header.writer, header.volume};
        const auto tip = repository().ref(name.ref());
        const auto* previous = repository().find(header.previous);
        if (!header.previous.empty() && previous == nullptr) return moved_on(name);
        const bool same_volume =
            previous != nullptr && previous->segment->header.volume == header.volume;
        const store::CommitId parent = same_volume ? header.previous : store::CommitId{};
        auto [id, commit] = make_commit(parent, std::move(blob), codec_);
        if (tip != parent) {
            const auto later = repository().walk(tip, parent);
            if (!later || later->empty() || later->front() != id) return moved_on(name);
            return id;
        }
        const std::uint64_t due = previous == nullptr ? 1 : previous->segment->header.last + 1;
        if (header.first != due) return moved_on(name);
        const store::VolumeName before{header.writer, header.volume - 1};
        if (tip.empty() && header.volume > 1 && repository().ref(before.ref()) != header.previous)
            return moved_on(name);
        Effect objects(faults_, "log.append.objects");
        repository().commits.emplace(id, std::move(commit));
        Effect ref(faults_, "log.append.ref");
        repository().refs[name.ref()] = id;
        ref.done();
        return id;
    }

    Result<std::vector<store::VolumeInfo>> volumes() override {
        std::vector<store::VolumeInfo> out;
        for (const auto& [ref, tip] : repository().refs) {
            const auto name = store::VolumeName::parse(ref);
            if (!name) continue;
            const auto chain = repository().walk(tip, {});
            if (!chain) return failure(Code::Corrupt, ref + " is damaged");
            const auto& first = repository().find(chain->front())->segment->header;
            store::VolumeInfo info{*name, tip, first.first, 0, 0, first.previous};
            info.last = repository().find(tip)->segment->header.last;
            for (const auto& id : *chain) info.bytes += repository().find(id)->blob->size();
            out.push_back(std::move(info));
        }
        std::sort(out.begin(), out.end(),
                  [](const auto& a, const auto& b) { return a.name < b.name; });
        return out;
    }
    Result<std::map<std::string, store::CommitId>> refs() override { return repository().refs; }
    Result<std::vector<store::CommitId>> chain(const store::VolumeName& volume,
                                               const store::CommitId& after) override {
        const auto tip = repository().ref(volume.ref());
        if (tip.empty()) return failure(Code::NotFound, "no volume " + volume.ref());
        auto found = repository().walk(tip, after);
        if (!found) return failure(Code::Conflict, after + " is not on " + volume.ref());
        return std::move(*found);
    }
    Result<store::Segment> read(const store::CommitId& commit) override {
        const auto* found = repository().find(commit);
        if (found == nullptr || !found->segment) {
            return failure(Code::NotFound, "no segment " + commit);
        }
        return *found->segment;
    }
    store::Ancestry compare(const store::VolumeName& volume,
                            const store::CommitId& theirs) override {
        const auto tip = repository().ref(volume.ref());
        if (tip.empty()) return store::Ancestry::Unknown;
        if (tip == theirs) return store::Ancestry::Same;
        if (repository().find(theirs) == nullptr) return store::Ancestry::Unknown;
        if (repository().walk(tip, theirs)) return store::Ancestry::Behind;
        return repository().walk(theirs, tip) ? store::Ancestry::Ahead : store::Ancestry::Forked;
    }

    Result<std::unique_ptr<store::Quarantine>> open_quarantine() override {
        return std::unique_ptr<store::Quarantine>(
            std::make_unique<MemoryQuarantine>(data_.quarantine, faults_));
    }
    Result<store::TakenOver> take_over(store::Quarantine&, const store::Incoming& incoming,
                                       const store::SegmentJudge& judge) override {
        const auto& name = incoming.volume;
        const auto tip = repository().ref(name.ref());
        if (tip == incoming.tip) return store::TakenOver{};
        std::vector<store::CommitId> ours;
        if (!tip.empty()) ours = repository().walk(tip, {}).value_or(std::vector<std::string>{});
        const auto commits = foreign(incoming.tip, ours);
        if (!commits) return refused(failure(Code::NotFound, "an object is missing"));
        if (commits->empty()) return store::TakenOver{};

        const store::CommitId common = object(commits->front())->parent;
        store::CommitId after_common, previous = common;
        if (const auto other = other_form_of_the_volume_before(name, commits->front())) {
            after_common = repository().ref(store::VolumeName{name.writer, name.number - 1}.ref());
            return take(name, *commits, {}, *other, after_common, judge);
        }
        if (const auto at = std::find(ours.begin(), ours.end(), common); at != ours.end()) {
            if (at + 1 != ours.end()) after_common = *(at + 1);
        } else {
            if (!ours.empty()) after_common = ours.front();
            if (name.number > 1) {
                previous = repository().ref(store::VolumeName{name.writer, name.number - 1}.ref());
                if (previous.empty()) {
                    return refused(failure(Code::Unavailable, "the volume before is not held"));
                }
            }
        }
        const auto next = repository().ref(store::VolumeName{name.writer, name.number + 1}.ref());
        if (after_common.empty() && !next.empty()) {
            after_common = repository().walk(next, {})->front();
        }
        return take(name, *commits, common, previous, after_common, judge);
    }
    Result<void> keep_evidence(store::Quarantine&, const store::Incoming& incoming) override {
        Effect effect(faults_, "log.keep_evidence");
        const auto tip = repository().ref(incoming.volume.ref());
        const auto ours = tip.empty()
                              ? std::vector<store::CommitId>{}
                              : repository().walk(tip, {}).value_or(std::vector<std::string>{});
        const auto commits = foreign(incoming.tip, ours);
        if (!commits) return failure(Code::Corrupt, "an object is missing");
        for (const auto& id : *commits) repository().commits.emplace(id, *object(id));
        data_.evidence[incoming.volume.ref() + "/" + incoming.tip] = incoming.tip;
        effect.done();
        return {};
    }
    Result<void> switch_volume(const store::VolumeName& volume,
                               const store::CommitId& tip) override {
        if (!repository().walk(tip, {})) return failure(Code::NotFound, "no such branch");
        std::vector<std::string> later;
        for (const auto& [ref, old] : repository().refs) {
            const auto name = store::VolumeName::parse(ref);
            if (!name || name->writer != volume.writer || *name < volume) continue;
            data_.evidence[ref + "/" + old] = old;
            if (*name != volume) later.push_back(ref);
        }
        for (auto ref = later.rbegin(); ref != later.rend(); ++ref) {
            Effect effect(faults_, "log.switch_volume.later");
            repository().refs.erase(*ref);
            effect.done();
        }
        Effect effect(faults_, "log.switch_volume");
        repository().refs[volume.ref()] = tip;
        effect.done();
        return {};
    }

    Result<store::CommitId> readme_commit() override {
        auto [id, commit] = make_commit({}, "what this repository is", codec_);
        Effect effect(faults_, "log.readme");
        repository().commits.emplace(id, std::move(commit));
        repository().refs["refs/heads/dutybook"] = id;
        effect.done();
        return id;
    }

    Result<std::vector<store::Damage>> verify(bool, const std::function<void(int)>&) override {
        return std::vector<store::Damage>{};
    }
    Result<std::vector<store::Damage>> repair(bool, store::Journal&, const JournalLines&) override {
        return std::vector<store::Damage>{};
    }
    Result<void> maintain() override { return {}; }

private:
    using Commits = std::vector<store::CommitId>;

    RepositoryData& repository() { return data_.repository; }
    static Error moved_on(const store::VolumeName& name) {
        return failure(Code::Conflict, name.ref() + " has moved on");
    }
    static store::TakenOver refused(Error why) {
        store::TakenOver out;
        out.refused = std::move(why);
        return out;
    }
    const RepositoryData::Commit* object(const store::CommitId& id) {
        const auto* found = data_.quarantine.find(id);
        return found != nullptr ? found : repository().find(id);
    }
    // Commits behind `tip` that are not among ours, oldest first.
    std::optional<Commits> foreign(const store::CommitId& tip, const Commits& ours) {
        Commits out;
        for (store::CommitId at = tip;
             !at.empty() && std::find(ours.begin(), ours.end(), at) == ours.end();) {
            const auto* found = object(at);
            if (found == nullptr) return std::nullopt;
            out.push_back(at);
            at = found->parent;
        }
        std::reverse(out.begin(), out.end());
        return out;
    }
    std::optional<store::CommitId> other_form_of_the_volume_before(const store::VolumeName& name,
                                                                   const store::CommitId& first) {
        const auto before = repository().ref(store::VolumeName{name.writer, name.number - 1}.ref());
        const auto* found = object(first);
        if (before.empty() || !found->parent.empty() || !found->segment) return std::nullopt;
        const auto& previous = found->segment->header.previous;
        const auto* held = repository().find(previous);
        if (previous == before || held == nullptr || !held->segment) return std::nullopt;
        const auto& header = held->segment->header;
        const bool one_before = header.writer == name.writer && header.volume == name.number - 1;
        return one_before ? std::optional(previous) : std::nullopt;
    }
    Result<void> check(const store::VolumeName& name, const store::CommitId& id,
                       const store::CommitId& parent, const store::CommitId& previous,
                       const store::SegmentJudge& judge) {
        const auto* found = object(id);
        if (found->parent != parent) return malformed("a commit does not follow");
        TRY_ASSIGN(const auto header, store::decode_header(*found->blob));
        const auto* before = previous.empty() ? nullptr : object(previous);
        const std::uint64_t due = before == nullptr ? 1 : before->segment->header.last + 1;
        if (header.space != space_ || header.writer != name.writer ||
            header.volume != name.number || header.previous != previous || header.first != due) {
            return malformed("the segment is out of place");
        }
        TRY(judge.judge(header, *found->blob, {}, id));
        if (!found->segment) return malformed("the segment cannot be read");
        return {};
    }
    Result<store::TakenOver> take(const store::VolumeName& name, const Commits& commits,
                                  const store::CommitId& common, store::CommitId previous,
                                  const store::CommitId& after_common,
                                  const store::SegmentJudge& judge) {
        store::TakenOver out;
        store::CommitId parent = common;
        for (const auto& id : commits) {
            if (auto checked = check(name, id, parent, previous, judge); !checked) {
                out.refused = checked.error();
                break;
            }
            out.segments.push_back({id, *object(id)->segment});
            parent = previous = id;
        }
        if (out.segments.empty()) return out;
        if (!after_common.empty()) {
            auto forked = refused(failure(Code::Conflict, name.ref() + " has forked"));
            if (out.refused) forked.refused = out.refused;
            forked.fork =
                store::Fork{common, after_common, commits.front(), out.segments.back().commit};
            return forked;
        }
        Effect objects(faults_, "log.take_over.objects");
        for (const auto& each : out.segments) {
            repository().commits.emplace(each.commit, *object(each.commit));
        }
        Effect ref(faults_, "log.take_over.ref");
        repository().refs[name.ref()] = out.segments.back().commit;
        ref.done();
        return out;
    }

    LogData& data_;
    const std::string space_;
    const store::SegmentCodec& codec_;
    Faults& faults_;
};

}  // namespace dutybook::testing
