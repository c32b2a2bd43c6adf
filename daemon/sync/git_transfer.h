#pragma once
// Transfer by stock git as a supervised child.
//
// list:  git ls-remote --refs URL 'refs/heads/*'
// fetch: git fetch into refs/quarantine/* of the quarantine repository, by commit id (no second
//        listing, and exactly what was listed); by name where the server refuses that. Negotiated
//        is only what we hold of the same volumes. Always one pack, whose size is what is counted.
// push:  git push --porcelain COMMIT:REF..., judged ref by ref; forced only where a control log
//        gave way, and only over what was listed (--force-with-lease). Bytes are those that
//        git's progress reports (exact below 1 MiB to 10 bytes, above to 10 KiB).
//
// One thread at a time; one object per contact, so that `moved` tells of that contact.

#include "sync/directory_remote.h"
#include "sync/git_command.h"
#include "sync/git_errors.h"
#include "sync/git_words.h"
#include "sync/transfer.h"

#include <set>

namespace dutybook::sync {

class GitTransfer final : public Transfer {
public:
    struct Options {
        std::string log;               // path of log.git, pushed from
        std::string supervise;         // path of dutybook-supervise
        std::filesystem::path config;  // made by write_git_config, lists the directory remotes
        const Clock* clock = nullptr;
    };
    explicit GitTransfer(Options options);

    Result<Refs> list(const RemoteConfig& remote, const std::atomic<bool>& cancel) override;
    Result<void> fetch(const RemoteConfig& remote, const std::vector<Wanted>& wanted,
                       store::Quarantine& quarantine, const std::atomic<bool>& cancel) override;
    Result<PushOutcome> push(const RemoteConfig& remote, const std::vector<Offered>& offered,
                             const std::atomic<bool>& cancel) override;
    Result<std::string> mend(const RemoteConfig& remote, const std::atomic<bool>& cancel) override;
    Moved moved() const override { return moved_; }

    // Everything of a push but the push: whether this account may write there.
    Result<void> try_push(const RemoteConfig& remote, const Offered& offered,
                          const std::atomic<bool>& cancel);

private:
    Result<void> prepare_directory(const RemoteConfig& remote, const RemoteUrl& url,
                                   const std::atomic<bool>& cancel);
    Result<std::string> make_anew(const RemoteConfig& remote, const RemoteUrl& url,
                                  const std::string& why, const std::atomic<bool>& cancel);
    // Runs git and turns what it says into an error for people; a status in `accept` is none.
    Result<ProcessResult> run(GitCommand::Run run, Step step, const RemoteConfig& remote,
                              const RemoteUrl& url, const std::atomic<bool>& cancel,
                              const std::set<int>& accept = {0});

    Options options_;
    GitCommand git_;
    Moved moved_;
    std::string damaged_;  // why the directory remote of this contact is to be made anew
    std::string said_;     // what list() had to do to it, for the next mend()
};

}  // namespace dutybook::sync
