#include "api/pool.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace dutybook::api {

struct Pool::State {
    std::size_t most_waiting;
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::function<void()>> waiting;  // by mutex
    bool ending = false;                        // by mutex
    std::vector<std::thread> threads;

    void work() {
        std::unique_lock lock(mutex);
        for (;;) {
            wake.wait(lock, [this] { return ending || !waiting.empty(); });
            if (waiting.empty()) return;
            auto task = std::move(waiting.front());
            waiting.pop_front();
            lock.unlock();
            task();
            task = nullptr;  // what it holds ends here, not under the lock
            lock.lock();
        }
    }
};

Pool::Pool(std::size_t threads, std::size_t most_waiting) : state_(std::make_unique<State>()) {
    state_->most_waiting = most_waiting;
    for (std::size_t i = 0; i < threads; ++i) {
        state_->threads.emplace_back([state = state_.get(), i] {
            pthread_setname_np(pthread_self(), ("pool-" + std::to_string(i)).c_str());
            state->work();
        });
    }
}

Pool::~Pool() {
    std::deque<std::function<void()>> dropped;  // ends after the lock
    {
        const std::lock_guard lock(state_->mutex);
        state_->ending = true;
        dropped.swap(state_->waiting);
    }
    state_->wake.notify_all();
    for (auto& thread : state_->threads) thread.join();
}

bool Pool::run(std::function<void()> task) {
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->ending || state_->waiting.size() >= state_->most_waiting) return false;
        state_->waiting.push_back(std::move(task));
    }
    state_->wake.notify_one();
    return true;
}

}  // namespace dutybook::api
