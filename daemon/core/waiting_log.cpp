#include "core/waiting_log.h"

#include <filesystem>

namespace dutybook::core {

using store::Log;

Result<Log*> WaitingLog::open() {
    const std::lock_guard lock(mutex_);
    if (log_) return log_.get();
    auto opened = store::open_git_log(options_);
    if (!opened) {
        reason_ = opened.error();
        return reason_;
    }
    log_ = std::move(*opened);
    return log_.get();
}

store::ControlLog* WaitingLog::control() {
    const auto log = open();
    return log ? (*log)->control() : nullptr;
}

Result<store::CommitId> WaitingLog::append(const store::SealRow& row,
                                           std::span<const std::string> lines) {
    TRY_ASSIGN(Log * log, open());
    return log->append(row, lines);
}

Result<std::vector<store::VolumeInfo>> WaitingLog::volumes() {
    TRY_ASSIGN(Log * log, open());
    return log->volumes();
}

Result<std::map<std::string, store::CommitId>> WaitingLog::refs() {
    TRY_ASSIGN(Log * log, open());
    return log->refs();
}

Result<std::vector<store::CommitId>> WaitingLog::chain(const store::VolumeName& volume,
                                                       const store::CommitId& after) {
    TRY_ASSIGN(Log * log, open());
    return log->chain(volume, after);
}

Result<store::Segment> WaitingLog::read(const store::CommitId& commit) {
    TRY_ASSIGN(Log * log, open());
    return log->read(commit);
}

store::Ancestry WaitingLog::compare(const store::VolumeName& volume,
                                    const store::CommitId& theirs) {
    const auto log = open();
    return log ? (*log)->compare(volume, theirs) : store::Ancestry::Unknown;
}

Result<std::unique_ptr<store::Quarantine>> WaitingLog::open_quarantine() {
    TRY_ASSIGN(Log * log, open());
    return log->open_quarantine();
}

Result<store::TakenOver> WaitingLog::take_over(store::Quarantine& quarantine,
                                               const store::Incoming& incoming,
                                               const store::SegmentJudge& judge) {
    TRY_ASSIGN(Log * log, open());
    return log->take_over(quarantine, incoming, judge);
}

Result<void> WaitingLog::keep_evidence(store::Quarantine& quarantine,
                                       const store::Incoming& incoming) {
    TRY_ASSIGN(Log * log, open());
    return log->keep_evidence(quarantine, incoming);
}

Result<void> WaitingLog::switch_volume(const store::VolumeName& volume,
                                       const store::CommitId& tip) {
    TRY_ASSIGN(Log * log, open());
    return log->switch_volume(volume, tip);
}

Result<store::CommitId> WaitingLog::readme_commit() {
    TRY_ASSIGN(Log * log, open());
    return log->readme_commit();
}

Result<std::vector<store::Damage>> WaitingLog::verify(
    bool full, const std::function<void(int percent)>& progress) {
    const auto log = open();
    if (log) return (*log)->verify(full, progress);
    return std::vector<store::Damage>{{options_.path,
                                       "the log cannot be opened: " + log.error().text(),
                                       {},
                                       false,
                                       "repair begins it anew; the next sync fetches it again"}};
}

Result<std::vector<store::Damage>> WaitingLog::repair(bool dry_run, store::Journal& journal,
                                                      const JournalLines& lines) {
    const auto opened = open();
    if (opened) return (*opened)->repair(dry_run, journal, lines);
    store::Damage damage{options_.path,
                         "the log cannot be opened: " + opened.error().text(),
                         {},
                         false,
                         "it is moved aside and fetched again from a remote"};
    if (dry_run) return std::vector{damage};
    std::error_code failed;
    std::string aside = options_.path + ".damaged";
    for (int n = 1; std::filesystem::exists(aside, failed); ++n) {
        aside = options_.path + ".damaged-" + std::to_string(n);
    }
    std::filesystem::rename(options_.path, aside, failed);
    if (failed) {
        return failure(Code::Io, "cannot move " + options_.path + " aside", failed.message());
    }
    TRY_ASSIGN(Log * log, open());
    TRY_ASSIGN(auto rest, log->repair(false, journal, lines));
    damage.how = "moved to " + aside + "; the next sync fetches what is missing";
    rest.insert(rest.begin(), std::move(damage));
    return rest;
}

Result<void> WaitingLog::maintain() {
    TRY_ASSIGN(Log * log, open());
    return log->maintain();
}

}  // namespace dutybook::core
