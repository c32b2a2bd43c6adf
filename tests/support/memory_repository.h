#pragma once
// A git repository's objects and refs, as far as a space's log needs them: commits that hold one
// segment each, and refs. A value: copying it is a backup, or a clone of a disk.

#include "base/crypto.h"
#include "store/log.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

namespace dutybook::testing {

// Segments in plain text: the simulation's time is not for compressing.
class PlainCodec final : public store::SegmentCodec {
public:
    std::string name() const override { return "plain"; }
    std::uint32_t current_epoch() const override { return 0; }
    Result<std::string> seal(const store::SegmentHeader&, std::string_view plain) const override {
        return std::string(plain);
    }
    Result<std::string> open(const store::SegmentHeader& header,
                             std::string_view sealed) const override {
        if (header.codec != name()) return failure(Code::NewerFormat, "an unknown codec");
        return std::string(sealed);
    }
};

class OpenJudge final : public store::SegmentJudge {
public:
    Result<void> judge(const store::SegmentHeader&, std::string_view, std::string_view,
                       const store::CommitId&) const override {
        return {};
    }
};

struct RepositoryData {
    struct Commit {
        store::CommitId parent;
        std::shared_ptr<const std::string> blob;
        std::shared_ptr<const store::Segment> segment;  // null if the blob is none
    };
    std::map<store::CommitId, Commit> commits;
    std::map<std::string, store::CommitId> refs;

    const Commit* find(const store::CommitId& id) const {
        const auto found = commits.find(id);
        return found == commits.end() ? nullptr : &found->second;
    }
    store::CommitId ref(const std::string& name) const {
        const auto found = refs.find(name);
        return found == refs.end() ? store::CommitId{} : found->second;
    }
    // From `tip` back to (not with) `stop`, oldest first. Nothing if an object is missing, or if
    // `stop` is not met.
    std::optional<std::vector<store::CommitId>> walk(const store::CommitId& tip,
                                                     const store::CommitId& stop) const {
        std::vector<store::CommitId> out;
        for (store::CommitId at = tip; at != stop;) {
            const Commit* commit = at.empty() ? nullptr : find(at);
            if (commit == nullptr) return std::nullopt;
            out.push_back(at);
            at = commit->parent;
        }
        std::reverse(out.begin(), out.end());
        return out;
    }
};

inline std::pair<store::CommitId, RepositoryData::Commit> make_commit(
    const store::CommitId& parent, std::string blob, const store::SegmentCodec& codec) {
    RepositoryData::Commit commit;
    commit.parent = parent;
    const auto id = hex(blake2b("commit", parent + "\n" + blob)).substr(0, 40);
    if (auto segment = store::decode_segment(blob, codec)) {
        commit.segment = std::make_shared<const store::Segment>(std::move(*segment));
    }
    commit.blob = std::make_shared<const std::string>(std::move(blob));
    return {id, std::move(commit)};
}

}  // namespace dutybook::testing
