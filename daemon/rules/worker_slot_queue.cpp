// The slot's thread, and those who wait for it.

#include "rules/patience.h"
#include "rules/worker_slot.h"

#include <algorithm>
#include <ctime>
#include <fstream>

namespace dutybook::rules {

namespace {

constexpr auto look = std::chrono::milliseconds(5);
// A worker that works finishes a call in a fraction of this. Processor time, since on a busy
// machine a worker may wait long for its turn without being at fault.
constexpr std::int64_t enough_ns = 10'000'000;
constexpr Millis asleep_long = 30;  // ms: it waits for what will not come
constexpr std::size_t late_limit = 8u << 20;

// Processor time that a process has used, in ns; -1 if it is gone.
std::int64_t used_by(int pid) {
    clockid_t clock{};
    timespec used{};
    if (pid <= 0 || ::clock_getcpuclockid(pid, &clock) != 0) return -1;
    if (::clock_gettime(clock, &used) != 0) return -1;
    return used.tv_sec * 1'000'000'000LL + used.tv_nsec;
}

// Whether it waits instead of working, or waiting for its turn to work.
bool is_asleep(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    const auto end = text.rfind(") ");
    return end != std::string::npos && end + 2 < text.size() && text[end + 2] == 'S';
}

// Workers that are started ahead of need come one after the other: nobody waits for them.
std::timed_mutex& one_at_a_time() {
    static std::timed_mutex mutex;
    return mutex;
}

std::string key_of(const WorkerCall& call, const std::string& configuration) {
    return call.verb + ' ' + call.name + '\t' + configuration + '\t' + call.input;
}

}  // namespace

// What a waiting caller remembers between two looks.
struct Watch {
    Millis beat = -1, since = 0;
    std::int64_t used = 0;
};

WorkerSlot::~WorkerSlot() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        pulse_->cancel = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void WorkerSlot::push(JobPtr job) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
    if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
    wake_.notify_one();
}

void WorkerSlot::serve() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) break;
        current_ = std::move(queue_.front());
        queue_.pop_front();
        current_->started = true;
        published_.busy = true;
        const JobPtr job = current_;
        lock.unlock();
        const SlotState before = status_.state;
        do_job(*job);
        const SlotStatus after = status_;
        lock.lock();
        current_.reset();
        published_ = after;
        published_.busy = !queue_.empty();
        published_.pid = pulse_->pid;
        job->done = true;
        if (job->left) keep_late(*job);
        finished_.notify_all();
        if (options_.changed && before != after.state) {
            lock.unlock();
            options_.changed(after);
            lock.lock();
        }
    }
    process_.reset();
}

void WorkerSlot::do_job(Job& job) {
    if (job.forgives) {
        crashes_.clear();
        backoff_ = backoff_until_ = 0;
        if (status_.state != SlotState::Running) status_.state = SlotState::Stopped;
    } else if (job.calls.empty()) {
        std::unique_lock turn(one_at_a_time(), std::defer_lock);
        while (job.ahead && !turn.try_lock_for(look)) {
            const std::lock_guard lock(mutex_);
            if (stopping_ || !queue_.empty()) return;  // who comes next starts it
        }
        std::string why;
        if (!ready(why)) job.why = why.empty() ? "it does not start" : why;
    } else {
        job.answers = run_calls(job.calls, job.configuration);
    }
}

bool WorkerSlot::may_leave(const Job& job, Watch& watch) const {
    if (!job.started && current_ && current_->left) return true;
    const Millis beat = pulse_->beat;
    const std::int64_t used = used_by(pulse_->pid);
    if (beat != watch.beat || used < 0) {
        watch = {beat, steady_now(), used};
        return false;
    }
    if (used - watch.used >= enough_ns) return true;
    return job.started && steady_now() - watch.since >= asleep_long && is_asleep(pulse_->pid);
}

bool WorkerSlot::wait(const JobPtr& job) {
    const bool patient = !Patience::is_set();
    Watch watch;
    std::unique_lock lock(mutex_);
    while (!job->done) {
        if (patient) {
            finished_.wait(lock);
            continue;
        }
        const bool hurry = Patience::others_wait();
        if (hurry && may_leave(*job, watch)) {
            job->left = true;
            if (!job->started) queue_.erase(std::find(queue_.begin(), queue_.end(), job));
            return false;
        }
        finished_.wait_for(lock, look);
    }
    return true;
}

std::optional<Result<std::string>> WorkerSlot::take_late(const std::string& key) {
    const auto found = late_.find(key);
    if (found == late_.end()) return std::nullopt;
    auto answer = std::move(found->second);
    late_bytes_ -= key.size();
    late_.erase(found);
    return answer;
}

void WorkerSlot::keep_late(const Job& job) {
    for (std::size_t i = 0; i < job.answers.size(); ++i) {
        const auto& answer = job.answers[i];
        if (!answer && answer.error().code == Code::Unavailable) continue;
        std::string key = key_of(job.calls[i], job.configuration);
        if (late_bytes_ + key.size() > late_limit) {
            late_.clear();
            late_bytes_ = 0;
        }
        late_bytes_ += key.size();
        if (!late_.insert_or_assign(key, answer).second) late_bytes_ -= key.size();
    }
}

std::vector<Result<std::string>> WorkerSlot::run(std::span<const WorkerCall> calls,
                                                 const std::string& configuration) {
    std::vector<std::optional<Result<std::string>>> answers(calls.size());
    auto job = std::make_shared<Job>();
    job->configuration = configuration;
    job->calls = calls;
    if (const std::lock_guard lock(mutex_); Patience::is_set() || !late_.empty()) {
        for (std::size_t i = 0; i < calls.size(); ++i) {
            if (!late_.empty()) answers[i] = take_late(key_of(calls[i], configuration));
            if (!answers[i]) job->own.push_back(calls[i]);
        }
        job->calls = job->own;
    }
    bool stayed = true;
    if (!job->calls.empty()) {
        push(job);
        stayed = wait(job);
        if (stayed && job->calls.size() == calls.size()) return std::move(job->answers);
    }
    std::vector<Result<std::string>> all;
    all.reserve(calls.size());
    auto next = job->answers.begin();
    for (auto& answer : answers) {
        if (answer) {
            all.push_back(std::move(*answer));
        } else if (stayed) {
            all.push_back(std::move(*next++));
        } else {
            all.emplace_back(failure(Code::Unavailable, "plugin " + load_.plugin + " is busy",
                                     "it had not answered when others were waiting"));
        }
    }
    return all;
}

Result<void> WorkerSlot::warm_up() {
    auto job = std::make_shared<Job>();
    push(job);
    if (!wait(job)) return failure(Code::Unavailable, "plugin " + load_.plugin + " is busy");
    if (job->why.empty()) return {};
    return failure(status().state == SlotState::Broken ? Code::Malformed : Code::Unavailable,
                   "plugin " + load_.plugin + " cannot run", job->why);
}

void WorkerSlot::warm_up_later() {
    auto job = std::make_shared<Job>();
    job->ahead = true;
    push(job);
}

void WorkerSlot::forgive() {
    auto job = std::make_shared<Job>();
    job->forgives = true;
    push(job);
    wait(job);
}

SlotStatus WorkerSlot::status() const {
    SlotStatus status;
    {
        const std::lock_guard lock(mutex_);
        status = published_;
    }
    status.resident = resident_memory(status.pid);
    return status;
}

}  // namespace dutybook::rules
