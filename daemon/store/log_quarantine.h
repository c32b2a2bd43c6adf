#pragma once

#include "store/log_git.h"

namespace dutybook::store {

// A bare repository beside log.git ("log-quarantine.git") whose alternates are the log's objects,
// so that a transfer receives only what is new. Nothing in it is believed.
class GitQuarantine final : public Quarantine {
public:
    // `in_use` is given back when the quarantine is destroyed.
    static Result<std::unique_ptr<GitQuarantine>> open(const git::fs::path& log,
                                                       std::shared_ptr<std::atomic_flag> in_use);
    GitQuarantine(git::fs::path path, git::fs::path log, std::shared_ptr<std::atomic_flag> in_use)
        : path_(std::move(path)), log_(std::move(log)), in_use_(std::move(in_use)) {}
    ~GitQuarantine() override { in_use_->clear(); }

    std::string path() const override { return path_.string(); }
    Result<void> clear() override;

private:
    Result<void> prepare();

    const git::Runtime runtime_;
    const git::fs::path path_, log_;
    const std::shared_ptr<std::atomic_flag> in_use_;
};

}  // namespace dutybook::store
