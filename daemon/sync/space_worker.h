#pragma once
// The sync thread of one space: its remotes.json, a queue of contacts, and the contact under way.

#include "sync/remotes.h"
#include "sync/service.h"
#include "sync/undelivered.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace dutybook::sync {

// One call of sync_now: waits for the contacts with one or all remotes. Guarded by the worker's
// mutex; `progress` and `done` are called without it, on the worker's thread.
struct Waiting {
    std::function<void(const Progress&)> progress;
    std::function<void(std::vector<Outcome>)> done;
    std::vector<Outcome> outcomes;
    std::size_t missing = 0;
};

class SpaceWorker {
public:
    struct Context {
        core::SpaceService* space = nullptr;
        std::filesystem::path file;  // remotes.json
        std::string site, site_zone;
        const Clock* clock = nullptr;
        core::SpaceService::Listener listener;
        // Before each contact: the transfer's configuration knows all remotes of all spaces.
        std::function<Result<void>()> prepare;
        std::function<std::unique_ptr<Transfer>()> transfer;
    };
    explicit SpaceWorker(Context context);
    SpaceWorker(const SpaceWorker&) = delete;
    SpaceWorker& operator=(const SpaceWorker&) = delete;
    ~SpaceWorker();  // cancels the contact under way, answers whoever waits, joins

    void stop();  // the first half of it: does not wait

    Result<void> add(RemoteConfig remote);
    Result<void> change(RemoteConfig remote);
    Result<void> remove(const std::string& name);
    Result<std::vector<RemoteStatus>> statuses();
    Result<RemoteConfig> config(const std::string& name);
    std::vector<RemoteConfig> configs();
    const std::atomic<bool>& cancel() const { return cancel_; }

    void sync(const std::string& remote, std::shared_ptr<Waiting> waiting);
    void enqueue_due();  // by the timer

private:
    struct Job {
        std::string remote;  // empty: only `call` or maintenance
        std::vector<std::shared_ptr<Waiting>> waiting;
        bool maintain = false;
    };

    void run();
    void meet(Job job);
    Outcome contact_with(const RemoteRecord& record);
    void report(const Progress& progress);
    void settle(const Outcome& outcome, Millis begun);
    void answer(const std::vector<std::shared_ptr<Waiting>>& waiting, const Outcome& outcome);
    void maintain();
    bool maintenance_due(Millis now, Millis after);
    std::optional<Millis> next_heard();
    bool receipt_due(const RemoteConfig& remote);
    std::string salt(const std::string& remote) const;
    Result<void> change_file(const std::function<Result<void>(RemoteFile&)>& change);
    Job* find_job(const std::string& remote);
    void enqueue(const std::string& remote, std::shared_ptr<Waiting> waiting);

    const Context context_;
    const std::string name_;
    Undelivered undelivered_;
    RefusedTips refused_;  // this thread's alone
    std::atomic<bool> cancel_{false};

    std::mutex mutex_;
    std::condition_variable wake_;
    // by mutex_:
    RemoteFile file_;
    std::optional<Error> broken_;  // why remotes.json could not be read
    std::deque<Job> queue_;
    std::optional<Job> running_;
    std::optional<Progress> under_way_;
    bool stopping_ = false;

    std::thread thread_;  // last: everything above exists when it starts
};

}  // namespace dutybook::sync
