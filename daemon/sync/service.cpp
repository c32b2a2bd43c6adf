#include "sync/service.h"

#include "base/log.h"
#include "sync/git_transfer.h"
#include "sync/remote_check.h"
#include "sync/space_worker.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <pthread.h>

namespace dutybook::sync {

struct SyncService::State {
    explicit State(Options given) : options(std::move(given)) {}

    const Options options;

    std::mutex mutex;  // never held while a worker's is asked for anything that waits
    std::condition_variable wake;
    // by mutex:
    std::map<std::string, std::unique_ptr<SpaceWorker>> workers;  // never removed before the end
    bool stopping = false;

    std::mutex config_mutex;  // one writer of the transfers' configuration at a time

    std::thread timer;

    std::filesystem::path config() const { return options.book->directory() / "gitconfig"; }
    GitTransfer::Options transfer_options(const std::string& space) const {
        return {(options.book->space_directory(space) / "log.git").string(), options.supervise,
                config(), options.clock};
    }
    Result<SpaceWorker*> worker(const std::string& space);
    std::unique_ptr<SpaceWorker> make_worker(core::SpaceService& space);
    std::vector<SpaceWorker*> all_workers();
    Result<void> write_config();
    void run_timer();
};

std::unique_ptr<SpaceWorker> SyncService::State::make_worker(core::SpaceService& space) {
    const std::string name = space.facts().name;
    SpaceWorker::Context context;
    context.space = &space;
    context.file = remotes_path(options.book->space_directory(name));
    context.site = options.book->site().id;
    context.site_zone = options.book->site().zone;
    context.clock = options.clock;
    context.listener = options.listener;
    context.prepare = [this] { return write_config(); };
    context.transfer = [this, name]() -> std::unique_ptr<Transfer> {
        if (options.transfer) return options.transfer(name);
        return std::make_unique<GitTransfer>(transfer_options(name));
    };
    return std::make_unique<SpaceWorker>(std::move(context));
}

Result<SpaceWorker*> SyncService::State::worker(const std::string& space) {
    core::SpaceService* const service = options.book->space(space);
    if (service == nullptr)
        return failure(Code::NotFound, "there is no space " + space, {},
                       "see: dutybook space list");
    const std::lock_guard lock(mutex);
    if (stopping) return failure(Code::Unavailable, "the daemon is stopping");
    auto& worker = workers[space];
    if (!worker) worker = make_worker(*service);
    return worker.get();
}

// Spaces may be added while the daemon runs.
std::vector<SpaceWorker*> SyncService::State::all_workers() {
    std::vector<SpaceWorker*> all;
    for (core::SpaceService* space : options.book->spaces())
        if (auto found = worker(space->facts().name)) all.push_back(*found);
    return all;
}

Result<void> SyncService::State::write_config() {
    const std::lock_guard one_at_a_time(config_mutex);
    std::vector<RemoteConfig> remotes;
    const auto all = all_workers();
    if (all.empty()) return failure(Code::Unavailable, "the daemon is stopping");
    for (SpaceWorker* worker : all) {
        const auto configs = worker->configs();
        remotes.insert(remotes.end(), configs.begin(), configs.end());
    }
    return write_git_config(config(), remotes);
}

void SyncService::State::run_timer() {
    std::unique_lock lock(mutex);
    while (!stopping) {
        lock.unlock();
        for (SpaceWorker* worker : all_workers()) worker->enqueue_due();
        lock.lock();
        wake.wait_for(lock, std::chrono::milliseconds(options.look_every),
                      [&] { return stopping; });
    }
}

SyncService::SyncService(Options options) : state_(std::make_unique<State>(std::move(options))) {
    state_->timer = std::thread([state = state_.get()] { state->run_timer(); });
    ::pthread_setname_np(state_->timer.native_handle(), "sync-timer");
}

SyncService::~SyncService() {
    std::vector<SpaceWorker*> all;
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
        for (const auto& [name, worker] : state_->workers) all.push_back(worker.get());
        state_->wake.notify_all();
    }
    for (SpaceWorker* worker : all) worker->stop();  // all at once, then one by one
    state_->timer.join();
    state_->workers.clear();
}

Result<void> SyncService::add(const std::string& space, RemoteConfig remote) {
    TRY_ASSIGN(SpaceWorker * worker, state_->worker(space));
    return worker->add(std::move(remote));
}

Result<void> SyncService::change(const std::string& space, RemoteConfig remote) {
    TRY_ASSIGN(SpaceWorker * worker, state_->worker(space));
    return worker->change(std::move(remote));
}

Result<void> SyncService::remove(const std::string& space, const std::string& name) {
    TRY_ASSIGN(SpaceWorker * worker, state_->worker(space));
    return worker->remove(name);
}

Result<std::vector<RemoteStatus>> SyncService::remotes(const std::string& space) {
    TRY_ASSIGN(SpaceWorker * worker, state_->worker(space));
    return worker->statuses();
}

Result<SyncService::CheckResult> SyncService::check(const std::string& space,
                                                    const std::string& name) {
    TRY_ASSIGN(SpaceWorker * worker, state_->worker(space));
    TRY_ASSIGN(const RemoteConfig remote, worker->config(name));
    TRY(state_->write_config());
    return check_remote(remote, state_->transfer_options(space),
                        *state_->options.book->space(space), worker->cancel());
}

void SyncService::sync_now(const std::string& space, const std::string& remote,
                           std::function<void(const Progress&)> progress,
                           std::function<void(std::vector<Outcome>)> done) {
    const auto worker = state_->worker(space);
    if (!worker) {
        Outcome outcome;
        outcome.space = space;
        outcome.remote = remote;
        outcome.error = worker.error();
        if (done) done({std::move(outcome)});
        return;
    }
    auto waiting = std::make_shared<Waiting>();
    waiting->progress = std::move(progress);
    waiting->done = std::move(done);
    (*worker)->sync(remote, std::move(waiting));
}

}  // namespace dutybook::sync
