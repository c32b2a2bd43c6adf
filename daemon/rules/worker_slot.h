#pragma once
// A plugin's place to run: keeps a worker alive, isolates what kills it, gives up when it will not
// live. Thread-safe; calls are served one batch at a time.
//
// Failure policy. A call during which the worker dies or makes no progress is poison: it alone
// fails, the rest of the batch is run again in a fresh worker. A run() in which something died and
// nothing succeeded counts as a crash of the plugin, unless a hundred calls had succeeded since
// the last one; after a crash the slot backs off (100 ms, doubling to a minute) and answers
// "unavailable" meanwhile; five crashes in ten minutes quarantine the plugin until a person
// enables it again.

#include "rules/worker_process.h"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

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
};

class WorkerSlot {
public:
    struct Options {
        std::string program;         // path of dutybook-worker
        Millis call_deadline = 250;  // without progress
        Millis start_deadline = 5000;
        std::size_t batch = 256;
        const Clock* clock = nullptr;
        std::function<void(const SlotStatus&)> changed;  // called outside the lock
    };
    WorkerSlot(Options options, WorkerLoad load);

    // One answer per call. Code::Internal: the plugin failed on this call, or died of it (poison);
    // Code::Unavailable: the plugin is down, ask again later.
    // `configuration` (canonical JSON) holds for all of them.
    std::vector<Result<std::string>> run(std::span<const WorkerCall> calls,
                                         const std::string& configuration = "{}");
    // Starts the worker if it is not running; why it cannot be loaded.
    Result<void> warm_up();
    // Lifts a quarantine.
    void forgive();
    SlotStatus status() const;
    const WorkerLoad& load() const { return load_; }

private:
    bool ready_locked(std::string& why);
    std::vector<Result<std::string>> run_locked(std::span<const WorkerCall> calls,
                                                const std::string& configuration);
    std::string configure_locked(const std::string& configuration);
    void count_crash_locked(const std::string& fault);
    void publish_locked();

    const Options options_;
    const WorkerLoad load_;
    std::mutex mutex_;  // held while a batch runs
    // protected by mutex_
    std::unique_ptr<WorkerProcess> process_;
    std::string configured_;  // what the running worker was told last
    SlotStatus status_;
    std::deque<Millis> crashes_;
    Millis backoff_until_ = 0;
    Millis backoff_ = 0;
    std::uint64_t successes_since_crash_ = 0;
    mutable std::mutex published_mutex_;
    SlotStatus published_;  // protected by published_mutex_: status() never waits for a batch
};

}  // namespace dutybook::rules
