#pragma once
// How the daemon comes to its end.

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace dutybook::app {

// Blocks SIGTERM, SIGINT and SIGHUP in this thread and all made after it, and waits for one.
class StopSignals {
public:
    StopSignals();
    // Calls `alive` every `period_ms` until a signal comes.
    void wait(std::optional<int> period_ms, const std::function<void()>& alive) const;

private:
    sigset_t set_{};
};

// Ends the process when the time is over, whatever still hangs. No acknowledged write is lost by
// it: durability never depends on an orderly end.
class StopDeadline {
public:
    explicit StopDeadline(std::chrono::milliseconds time);
    ~StopDeadline();  // the end came in time
    StopDeadline(const StopDeadline&) = delete;
    StopDeadline& operator=(const StopDeadline&) = delete;

private:
    std::mutex mutex_;
    std::condition_variable done_;
    bool in_time_ = false;  // by mutex_
    std::thread thread_;
};

}  // namespace dutybook::app
