#include "app/stopping.h"

#include "base/log.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace dutybook::app {

StopSignals::StopSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    // A client or a child that closes its end is an error of that write, not our end.
    ::signal(SIGPIPE, SIG_IGN);
}

void StopSignals::wait(std::optional<int> period_ms, const std::function<void()>& alive) const {
    for (;;) {
        const int ms = period_ms.value_or(3'600'000);
        const timespec time{ms / 1000, (ms % 1000) * 1'000'000L};
        if (sigtimedwait(&set_, nullptr, &time) > 0) return;
        if (errno == EAGAIN && period_ms) alive();
    }
}

StopDeadline::StopDeadline(std::chrono::milliseconds time)
    : thread_([this, time] {
          pthread_setname_np(pthread_self(), "deadline");
          std::unique_lock lock(mutex_);
          if (done_.wait_for(lock, time, [this] { return in_time_; })) return;
          log_warning("stop", "something did not end in time; ending without it");
          ::_exit(0);
      }) {}

StopDeadline::~StopDeadline() {
    {
        const std::lock_guard lock(mutex_);
        in_time_ = true;
    }
    done_.notify_all();
    thread_.join();
}

}  // namespace dutybook::app
