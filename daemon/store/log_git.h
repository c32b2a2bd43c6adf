#pragma once
// The Log over libgit2. Its parts stand in log_<subject>.cpp.
//
// Order of every change of a log: objects (synced) -> read back through a fresh view -> ref
// (synced) -> ref read back -> dutybook-tips (synced) -> memory. A crash between any two leaves
// either objects that nothing names, or a ref ahead of the tips; both are normal at open.

#include "store/control_log.h"
#include "store/git_check.h"
#include "store/git_layout.h"
#include "store/git_segment.h"
#include "store/git_tips.h"

#include <atomic>
#include <mutex>

namespace dutybook::store {

inline constexpr const char* evidence_lost =
    "sync, then restore a backup if it is needed, or let go of it by deleting the ref's file in "
    "log.git";

struct Branching {
    CommitId common;   // the last commit that both have; empty: none
    CommitId ours;     // what of ours follows it; empty: nothing, the foreign commits may follow
    git::Place place;  // what the first foreign commit must fit to
};

class GitLog final : public Log, private ControlLog {
public:
    explicit GitLog(const GitLogOptions& options);
    Result<void> open();

    ControlLog* control() override { return this; }

    Result<CommitId> append(const SealRow& row, std::span<const std::string> lines) override;
    Result<std::vector<VolumeInfo>> volumes() override;
    Result<std::map<std::string, CommitId>> refs() override;
    Result<std::vector<CommitId>> chain(const VolumeName& volume, const CommitId& after) override;
    Result<Segment> read(const CommitId& commit) override;
    Ancestry compare(const VolumeName& volume, const CommitId& theirs) override;
    Result<std::unique_ptr<Quarantine>> open_quarantine() override;
    Result<TakenOver> take_over(Quarantine& quarantine, const Incoming& incoming,
                                const SegmentJudge& judge) override;
    Result<void> keep_evidence(Quarantine& quarantine, const Incoming& incoming) override;
    Result<void> switch_volume(const VolumeName& volume, const CommitId& tip) override;
    Result<CommitId> readme_commit() override;
    Result<std::vector<Damage>> verify(bool full,
                                       const std::function<void(int percent)>& progress) override;
    Result<std::vector<Damage>> repair(bool dry_run, Journal& journal,
                                       const JournalLines& lines) override;
    Result<void> maintain() override;

private:
    // log_open.cpp: brings refs, tips and memory together.
    Result<void> reconcile(const git::Tips& known);
    Result<void> reconcile_ref(const git::View& view, const std::string& ref,
                               const CommitId& on_disk, bool file_there, const git::Tips& known);
    Result<VolumeInfo> describe(const git::View& view, const VolumeName& name,
                                const CommitId& tip) const;
    void remember(const git::View& view, const std::string& ref, const CommitId& tip,
                  const git::Tips& known);

    // log_append.cpp
    // With the site's introduction where one is due; the journal's row does not hold it.
    SegmentHeader introduced(SegmentHeader header) const;
    Result<CommitId> parent_of(const git::View& view, const SegmentHeader& header) const;
    Result<git::SegmentObjects> compose(const SegmentHeader& header, std::string blob,
                                        const CommitId& parent) const;
    Result<void> write_objects(const git::SegmentObjects& segment);
    // Moves the ref, reads it back, writes the tips, then memory.
    Result<void> publish(const VolumeInfo& info);
    Result<void> publish_other(const std::string& ref, const CommitId& tip);
    Result<void> withdraw(const VolumeName& name);  // the ref alone; its objects stay

    // log_take_over.cpp, log_fork.cpp
    Result<Branching> branching(const git::View& view, const VolumeName& name,
                                const CommitId& first_foreign,
                                std::span<const CommitId> ours) const;
    Result<bool> branched_before(const git::View& view, const VolumeName& name,
                                 const CommitId& first_foreign, const VolumeInfo& before) const;
    // What is offered of a volume beside what is held of it, in order.
    Result<std::vector<CommitId>> beside_ours(const git::View& view, const Incoming& incoming);
    Result<void> take_pack(const git::View& from, const std::vector<git::SegmentObjects>& taken);
    Result<std::vector<git::SegmentObjects>> signed_part(const git::View& view,
                                                         const VolumeName& name,
                                                         std::span<const CommitId> commits) const;
    Result<void> keep_as_evidence(const VolumeName& name, const CommitId& tip);

    // log_control.cpp
    Result<ControlHeld> entries() override;
    Result<ControlOffer> offered(Quarantine& quarantine, const CommitId& tip) override;
    Result<void> take(Quarantine& quarantine, const CommitId& tip, const CommitId& head) override;
    Result<void> put(const std::vector<ControlPiece>& pieces, const CommitId& head) override;
    Result<void> cut(const domain::Writer& writer, const CommitId& last) override;
    Result<void> keep_later(Quarantine& quarantine, const Incoming& incoming) override;
    Result<std::vector<SetAside>> set_aside(std::string_view site) override;
    Result<PublicKey> signer(const CommitId& commit) override;
    Result<void> move_control(const CommitId& head);
    Result<ControlHeld> load_control(const git::View& view) const;

    // log_repair.cpp
    void reseal(const SealRow& row, const JournalLines& lines);
    Result<void> mend_stray_refs(const git::Tips& known);

    // Code::Corrupt if open() could not read the volume's chain.
    Result<void> check_whole(const VolumeName& name) const;
    std::optional<VolumeInfo> find(const VolumeName& name) const;
    git::Tips tips() const;

    // Constant after open().
    const git::Runtime runtime_;
    const GitLogOptions options_;
    const git::fs::path path_;
    const git::fs::path aside_;  // where this run moves what it finds damaged
    git::ViewPool pool_;
    const std::shared_ptr<std::atomic_flag> quarantine_in_use_;

    std::mutex writing_;  // held by everything that changes the repository; taken before state_
    mutable std::mutex state_;
    git::Tips tips_;                          // guarded by state_
    std::map<std::string, CommitId> broken_;  // refs whose chain cannot be read; guarded by state_
    std::vector<Damage> healed_;              // what open() put right; guarded by state_
};

}  // namespace dutybook::store
