#pragma once
// A plugin's place to run: keeps a worker alive, isolates what kills it, gives up when it will not
// live. Thread-safe; a thread of its own serves one batch at a time and owns the worker.
//
// Who waits. A caller waits until its calls are answered. One whose thread others wait for
// (patience.h) leaves as soon as the worker burns its time without finishing a call: it is told
// "unavailable", the batch goes on to its end without it, and what came out is kept for when the
// same calls are made again (an answer depends on a call's text and the configuration alone).
//
// Failure policy. A call during which the worker dies or makes no progress is poison: it alone
// fails, the rest of the batch is run again in a fresh worker. A run() in which something died and
// nothing succeeded counts as a crash of the plugin, unless a hundred calls had succeeded since
// the last one; after a crash the slot backs off (100 ms, doubling to a minute) and answers
// "unavailable" meanwhile; five crashes in ten minutes quarantine the plugin until a person
// enables it again.

#include "rules/worker_process.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

namespace dutybook::rules {

enum class SlotState : std::uint8_t { Stopped, Running, Backoff, Quarantined, Broken };
std::string_view name_of(SlotState state);  // stopped running backoff quarantined broken

struct SlotStatus {
    SlotState state = SlotState::Stopped;
    std::uint64_t restarts = 0;
    std::string last_fault;      // why it died last, or cannot be loaded
    Json sandbox;                // what the worker reached: landlock ABI, seccomp
    std::uint64_t resident = 0;  // bytes
    int pid = 0;
    bool busy = false;  // calls are under way
};

class WorkerSlot {
public:
    struct Options {
        std::string program;           // path of dutybook-worker
        Millis call_deadline = 250;    // without progress
        Millis start_deadline = 4000;  // until the worker is shut in, before any code of the plugin
        std::size_t batch = 256;
        const Clock* clock = nullptr;
        std::function<void(const SlotStatus&)> changed;  // called outside the lock
    };
    WorkerSlot(Options options, WorkerLoad load);
    ~WorkerSlot();  // ends what is under way
    WorkerSlot(const WorkerSlot&) = delete;
    WorkerSlot& operator=(const WorkerSlot&) = delete;

    // One answer per call. Code::Internal: the plugin failed on this call, or died of it (poison);
    // Code::Unavailable: the plugin is down, ask again later.
    // `configuration` (canonical JSON) holds for all of them.
    std::vector<Result<std::string>> run(std::span<const WorkerCall> calls,
                                         const std::string& configuration = "{}");
    // Starts the worker if it is not running; why it cannot be loaded.
    Result<void> warm_up();
    void warm_up_later();  // the same, waiting for nothing
    // Lifts a quarantine.
    void forgive();
    SlotStatus status() const;
    const WorkerLoad& load() const { return load_; }

private:
    using Answers = std::vector<Result<std::string>>;
    struct Job {
        std::span<const WorkerCall> calls;  // none: start the worker
        std::vector<WorkerCall> own;        // the same, of a caller that may leave
        std::string configuration;
        bool forgives = false;
        bool ahead = false;  // nobody waits for it
        // By mutex_.
        Answers answers;
        std::string why;  // the worker cannot be started
        bool started = false, done = false, left = false;
    };
    using JobPtr = std::shared_ptr<Job>;

    // On the slot's thread.
    void serve();
    void do_job(Job& job);
    bool ready(std::string& why);
    Answers run_calls(std::span<const WorkerCall> calls, const std::string& configuration);
    std::string configure(const std::string& configuration);
    void count_crash(const std::string& fault);

    // On any thread.
    void push(JobPtr job);
    bool wait(const JobPtr& job);  // false: left
    bool may_leave(const Job& job, struct Watch& watch) const;
    std::optional<Result<std::string>> take_late(const std::string& key);
    void keep_late(const Job& job);

    const Options options_;
    const WorkerLoad load_;
    const std::shared_ptr<WorkerPulse> pulse_ = std::make_shared<WorkerPulse>();

    // Of the slot's thread.
    std::unique_ptr<WorkerProcess> process_;
    std::string configured_;  // what the running worker was told last
    SlotStatus status_;
    std::deque<Millis> crashes_;
    Millis backoff_until_ = 0;
    Millis backoff_ = 0;
    std::uint64_t successes_since_crash_ = 0;

    mutable std::mutex mutex_;  // for all below
    std::condition_variable wake_, finished_;
    std::deque<JobPtr> queue_;
    JobPtr current_;
    bool stopping_ = false;
    std::unordered_map<std::string, Result<std::string>> late_;  // answers nobody waited for
    std::size_t late_bytes_ = 0;
    SlotStatus published_;
    std::thread thread_;  // made with the first job
};

}  // namespace dutybook::rules
