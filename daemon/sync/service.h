#pragma once
// The sync side of a running daemon: remotes of each space, their schedule, contacts under way,
// and what status tells of them. Any thread may call it.
//
// Threads: `sync-<space>` runs the contacts of one space, one after the other, and its pack
// maintenance; `sync-timer` finds out which remotes are due. See README.md.

#include "core/book.h"
#include "sync/contact.h"

#include <memory>

namespace dutybook::sync {

struct RemoteStatus {
    RemoteConfig config;
    Millis last_attempt = 0, last_success = 0;  // 0 = never
    // Operations held here (own and others', sealed or not) that it is not known to hold.
    std::uint64_t undelivered = 0;
    std::string error;                  // of the last attempt, empty = it went well
    std::optional<Millis> next_window;  // when it will be met by itself
    bool missed_night = false;
    std::optional<Progress> under_way;
};

class SyncService {
public:
    struct Options {
        core::Book* book = nullptr;
        const Clock* clock = nullptr;
        std::string supervise;                  // path of dutybook-supervise
        core::SpaceService::Listener listener;  // told "sync" when a contact ends; may be empty
        Millis look_every = 5'000;  // how often the timer looks at the clock (real time)
        // A transfer for one contact; empty = GitTransfer.
        std::function<std::unique_ptr<Transfer>(const std::string& space)> transfer;
    };
    explicit SyncService(Options options);  // starts one thread a space, and the timer
    SyncService(const SyncService&) = delete;
    SyncService& operator=(const SyncService&) = delete;
    ~SyncService();  // cancels contacts, joins; under 2 s

    // Remotes live in spaces/<name>/remotes.json (schemas/remotes.schema.json). Nobody is
    // contacted. A window without a zone is in the site's.
    Result<void> add(const std::string& space, RemoteConfig remote);
    Result<void> change(const std::string& space, RemoteConfig remote);
    Result<void> remove(const std::string& space, const std::string& name);
    Result<std::vector<RemoteStatus>> remotes(const std::string& space);
    // What `remote check` says: one sentence for each thing tried, and whether all is well.
    // Changes nothing at the remote. `public_key`: what to register there (ssh), or empty.
    struct CheckResult {
        bool ok = false;
        std::vector<std::string> lines;
        std::string public_key;
    };
    Result<CheckResult> check(const std::string& space, const std::string& name);

    // Syncs with one remote or all of a space (empty name); joins a contact under way. `done` is
    // called once, on a sync thread, with one outcome a remote; an empty list means that no
    // remote is set. An unknown space or remote is an outcome with an error.
    void sync_now(const std::string& space, const std::string& remote,
                  std::function<void(const Progress&)> progress,
                  std::function<void(std::vector<Outcome>)> done);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace dutybook::sync
