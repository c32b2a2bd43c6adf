#pragma once
// A log that could not be opened. Each call tries again; until one succeeds every call answers with
// the reason, so that a damaged log.git stops neither writes nor reads. Repair moves what cannot be
// opened aside and begins an empty one: the own segments come back from the journal, the others'
// from a remote.

#include "store/log.h"

#include <mutex>

namespace dutybook::core {

class WaitingLog final : public store::Log {
public:
    WaitingLog(store::GitLogOptions options, Error reason)
        : options_(std::move(options)), reason_(std::move(reason)) {}

    store::ControlLog* control() override;
    Result<store::CommitId> append(const store::SealRow& row,
                                   std::span<const std::string> lines) override;
    Result<std::vector<store::VolumeInfo>> volumes() override;
    Result<std::map<std::string, store::CommitId>> refs() override;
    Result<std::vector<store::CommitId>> chain(const store::VolumeName& volume,
                                               const store::CommitId& after) override;
    Result<store::Segment> read(const store::CommitId& commit) override;
    store::Ancestry compare(const store::VolumeName& volume,
                            const store::CommitId& theirs) override;
    Result<std::unique_ptr<store::Quarantine>> open_quarantine() override;
    Result<store::TakenOver> take_over(store::Quarantine& quarantine,
                                       const store::Incoming& incoming,
                                       const store::SegmentJudge& judge) override;
    Result<void> keep_evidence(store::Quarantine& quarantine,
                               const store::Incoming& incoming) override;
    Result<void> switch_volume(const store::VolumeName& volume,
                               const store::CommitId& tip) override;
    Result<store::CommitId> readme_commit() override;
    Result<std::vector<store::Damage>> verify(
        bool full, const std::function<void(int percent)>& progress) override;
    Result<std::vector<store::Damage>> repair(bool dry_run, store::Journal& journal,
                                              const JournalLines& lines) override;
    Result<void> maintain() override;

private:
    Result<store::Log*> open();

    const store::GitLogOptions options_;
    std::mutex mutex_;
    Error reason_;                     // by mutex_
    std::unique_ptr<store::Log> log_;  // by mutex_ until it is set, then constant
};

}  // namespace dutybook::core
