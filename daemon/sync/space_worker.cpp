#include "sync/space_worker.h"

#include "base/json.h"
#include "base/log.h"
#include "sync/git_errors.h"
#include "sync/schedule.h"

#include <algorithm>

#include <pthread.h>

namespace dutybook::sync {
namespace {

constexpr Millis hour = 3'600'000;
constexpr int night_ends = 5 * 60;  // local minutes; maintenance of a space without remotes

class ServiceDoor final : public EngineDoor {
public:
    explicit ServiceDoor(core::SpaceService& space) : space_(space) {}
    void run(const std::function<void(core::SpaceEngine&)>& task) override {
        space_.run([&](core::SpaceEngine& engine) { task(engine); });
    }

private:
    core::SpaceService& space_;
};

Outcome failed(const std::string& space, const std::string& remote, Error error) {
    Outcome outcome;
    outcome.space = space;
    outcome.remote = remote;
    outcome.error = std::move(error);
    return outcome;
}

Attempts attempts_of(const RemoteRecord& record) {
    return {record.added, record.last_attempt, record.last_success, record.failures};
}

std::optional<Window> window(const RemoteConfig& remote) {
    auto found = window_of(remote);
    return found ? *found : std::optional<Window>{};
}

}  // namespace

SpaceWorker::SpaceWorker(Context context)
    : context_(std::move(context)),
      name_(context_.space->facts().name),
      undelivered_(context_.space->log()) {
    auto loaded = load_remotes(context_.file);
    if (loaded)
        file_ = std::move(*loaded);
    else
        broken_ = loaded.error();
    if (broken_) log_error("sync", broken_->text(), {{"space", name_}});
    if (file_.last_maintained == 0) file_.last_maintained = context_.clock->now();
    thread_ = std::thread([this] { run(); });
    ::pthread_setname_np(thread_.native_handle(), ("sync-" + name_).substr(0, 15).c_str());
}

SpaceWorker::~SpaceWorker() {
    stop();
    thread_.join();
}

void SpaceWorker::stop() {
    cancel_ = true;
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
}

void SpaceWorker::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        Job job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        meet(std::move(job));
        lock.lock();
    }
}

void SpaceWorker::meet(Job job) {
    if (job.maintain) {
        maintain();
        return;
    }
    if (job.remote.empty()) {  // of a space without remotes
        for (const auto& one : job.waiting)
            if (one->done) one->done({});
        return;
    }
    RemoteRecord record;
    Outcome outcome;
    const Millis begun = context_.clock->now();
    {
        const std::lock_guard lock(mutex_);
        if (const RemoteRecord* found = file_.find(job.remote)) record = *found;
        running_ = std::move(job);
        under_way_ = Progress{"list", 0, 0};
    }
    const std::string& remote = running_->remote;  // only this thread resets it
    if (cancel_)
        outcome = failed(name_, remote, failure(Code::Unavailable, "the daemon is stopping"));
    else if (record.config.name.empty())
        outcome = failed(name_, remote,
                         failure(Code::NotFound, "space " + name_ + " has no remote " + remote));
    else
        outcome = contact_with(record);
    const bool cut_off = cancel_ && !outcome.ok;
    if (!record.config.name.empty() && !cut_off) settle(outcome, begun);
    std::vector<std::shared_ptr<Waiting>> waiting;
    {
        const std::lock_guard lock(mutex_);
        waiting = std::move(running_->waiting);
        running_.reset();
        under_way_.reset();
    }
    answer(waiting, outcome);
    if (outcome.ok && maintenance_due(context_.clock->now(), 20 * hour)) maintain();
}

Outcome SpaceWorker::contact_with(const RemoteRecord& record) {
    if (const auto ready = context_.prepare(); !ready)
        return failed(name_, record.config.name, ready.error());
    ServiceDoor door(*context_.space);
    const auto transfer = context_.transfer();
    ContactParts parts;
    parts.engine = &door;
    parts.log = &context_.space->log();
    parts.transfer = transfer.get();
    parts.clock = context_.clock;
    door.run([&](core::SpaceEngine& engine) {
        parts.judge = engine.parts().judge;
        parts.circle = engine.parts().circle;
    });
    parts.refused = &refused_;
    parts.progress = [this](const Progress& progress) { report(progress); };
    parts.next_heard = [this] { return next_heard(); };
    parts.receipt_due = [&] { return receipt_due(record.config); };
    return contact(record.config, record.remembered, parts, cancel_);
}

void SpaceWorker::report(const Progress& progress) {
    std::vector<std::shared_ptr<Waiting>> waiting;
    {
        const std::lock_guard lock(mutex_);
        under_way_ = progress;
        if (running_) waiting = running_->waiting;
    }
    for (const auto& one : waiting)
        if (one->progress) one->progress(progress);
}

// What is remembered of a contact: in memory, in remotes.json, in the log and for listeners.
void SpaceWorker::settle(const Outcome& outcome, Millis begun) {
    const auto noted = change_file([&](RemoteFile& file) -> Result<void> {
        RemoteRecord* record = file.find(outcome.remote);
        if (record == nullptr) return {};  // removed meanwhile
        record->last_attempt = begun;
        record->error = outcome.error ? outcome.error->text() : std::string();
        record->failures = outcome.ok ? 0 : record->failures + 1;
        if (outcome.ok) record->last_success = context_.clock->now();
        if (outcome.ok || !outcome.listed.empty()) record->listed = outcome.listed;
        record->remembered = outcome.remembered;
        if (outcome.receipt) file.last_receipt = context_.clock->now();
        return {};
    });
    if (!noted)
        log_error("sync", "remotes.json was not written",
                  {{"space", name_}, {"error", noted.error().text()}});
    for (const std::string& note : outcome.notes) log_warning("sync", note, {{"space", name_}});
    log_line(outcome.ok ? LogLevel::Info : LogLevel::Warning, "sync",
             outcome.ok ? "contact done" : "contact failed",
             {{"space", name_},
              {"remote", outcome.remote},
              {"operations_in", outcome.operations_in},
              {"operations_out", outcome.operations_out},
              {"bytes_in", outcome.bytes_in},
              {"bytes_out", outcome.bytes_out},
              {"seconds", outcome.seconds},
              {"error", outcome.error ? outcome.error->text() : std::string()}});
    if (!context_.listener) return;
    const Json told = {{"remote", outcome.remote},
                       {"ok", outcome.ok},
                       {"operations_in", outcome.operations_in},
                       {"operations_out", outcome.operations_out},
                       {"error", outcome.error ? Json(outcome.error->text()) : Json()}};
    context_.listener({name_, "sync", outcome.remote, canonical(told)});
}

void SpaceWorker::answer(const std::vector<std::shared_ptr<Waiting>>& waiting,
                         const Outcome& outcome) {
    for (const auto& one : waiting) {
        {
            const std::lock_guard lock(mutex_);
            one->outcomes.push_back(outcome);
            if (--one->missing > 0) continue;
        }
        if (one->done) one->done(std::move(one->outcomes));
    }
}

void SpaceWorker::sync(const std::string& remote, std::shared_ptr<Waiting> waiting) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    if (!remote.empty())
        names.push_back(remote);
    else
        for (const RemoteRecord& record : file_.remotes) names.push_back(record.config.name);
    waiting->missing = names.size();
    for (const std::string& name : names) enqueue(name, waiting);
    if (!names.empty()) return;
    // Nobody to meet: answered on the thread all the same.
    Job nothing;
    nothing.waiting.push_back(std::move(waiting));
    queue_.push_back(std::move(nothing));
    wake_.notify_all();
}

void SpaceWorker::enqueue(const std::string& remote, std::shared_ptr<Waiting> waiting) {
    Job* job = find_job(remote);
    if (job == nullptr) {
        queue_.push_back({remote, {}, false});
        job = &queue_.back();
        wake_.notify_all();
    }
    if (waiting) job->waiting.push_back(std::move(waiting));
}

SpaceWorker::Job* SpaceWorker::find_job(const std::string& remote) {
    if (running_ && running_->remote == remote) return &*running_;
    for (Job& job : queue_)
        if (!job.maintain && job.remote == remote) return &job;
    return nullptr;
}

void SpaceWorker::enqueue_due() {
    const Millis now = context_.clock->now();
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    for (const RemoteRecord& record : file_.remotes) {
        const auto when = window(record.config);
        if (!when || find_job(record.config.name) != nullptr) continue;
        if (due_at(*when, attempts_of(record), salt(record.config.name), now) <= now)
            enqueue(record.config.name, nullptr);
    }
    const bool night = local_minute_of_day(now, context_.site_zone) < night_ends;
    const bool queued =
        std::any_of(queue_.begin(), queue_.end(), [](const Job& job) { return job.maintain; });
    if (!queued && now - file_.last_maintained >= (night ? 20 : 48) * hour) {
        queue_.push_back({{}, {}, true});
        wake_.notify_all();
    }
}

}  // namespace dutybook::sync
