#pragma once
// Makes git repositories that no Dutybook would write.

#include "log_fixture.h"

#include "base/file.h"
#include "store/git_commit.h"
#include "store/git_layout.h"
#include "store/git_refs.h"

namespace dutybook::test {

class Forge {
public:
    explicit Forge(const std::filesystem::path& folder) : path_(folder / "forge.git") {
        value(store::git::prepare_repository(path_, store::git::log_config, path_ / "damaged"));
    }
    std::filesystem::path path() const { return path_; }

    store::CommitId put(std::string_view bytes, git_object_t type) const {
        return value(store::git::put_object(path_, bytes, type, path_ / "damaged"));
    }
    // The honest form of one segment, each part of which a caller may have changed before.
    static std::string blob(const store::SealRow& row) {
        return value(encode_segment({row.header, row.frontier, row.next_heard,
                                     some_lines(row.header.last + 1 - row.header.first, "a")},
                                    plain_codec));
    }
    store::CommitId commit(const store::SegmentHeader& header, const std::string& blob_bytes,
                           const store::CommitId& parent) const {
        const auto tree =
            put(store::git::segment_tree(put(blob_bytes, GIT_OBJECT_BLOB)), GIT_OBJECT_TREE);
        return put(store::git::segment_commit(header, tree, parent), GIT_OBJECT_COMMIT);
    }
    // `count` good segments of two operations each; returns their commits.
    std::vector<store::CommitId> good(std::size_t count) const {
        std::vector<store::CommitId> commits;
        for (std::size_t i = 0; i < count; ++i) {
            const auto row = next_row(commits.empty() ? store::CommitId{} : commits.back(), i);
            commits.push_back(commit(row.header, blob(row), commits.empty() ? "" : commits.back()));
        }
        return commits;
    }
    static store::SealRow next_row(const store::CommitId& previous, std::size_t index) {
        return row_of(writer_a, 1, index * 2 + 1, 2, previous);
    }
    void set_ref(const store::CommitId& tip, std::uint32_t volume = 1) const {
        ok(store::git::write_ref(path_, store::VolumeName{writer_a, volume}.ref(), tip));
    }

private:
    const store::git::Runtime runtime_;
    std::filesystem::path path_;
};

// Takes volume 1 of writer_a from `remote` as a sync would.
inline store::TakenOver take(store::Log& log, const std::filesystem::path& remote,
                             const store::CommitId& tip, std::uint32_t volume = 1,
                             const store::SegmentJudge& judge = accept_all) {
    const auto quarantine = value(log.open_quarantine());
    ok(quarantine->clear());
    CHECK(fetch(*quarantine, remote) == "");
    return value(log.take_over(*quarantine, {{writer_a, volume}, tip, {}}, judge));
}

}  // namespace dutybook::test
