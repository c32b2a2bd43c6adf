#include "core/space_service.h"

#include "core/background.h"
#include "core/space_events.h"
#include "rules/patience.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace dutybook::core {

namespace {

// Requests that share a commit. More would make the first of them wait without sparing anything
// worth having.
constexpr std::size_t group_size = 1000;

}  // namespace

struct SpaceService::State {
    struct Item {
        std::vector<WriteRequest> requests;
        OnWritten done;
        std::function<void(SpaceEngine&)> task;  // instead of a write
    };

    // Constant after construction.
    std::unique_ptr<SpaceEngine> engine;
    // By `mutex`.
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Item> queue;
    bool stopping = false;
    // On the space's thread.
    SpaceEvents events;
    Background background;

    std::thread thread;

    State(std::unique_ptr<SpaceEngine> the_engine, Listener listener)
        : engine(std::move(the_engine)),
          events(*engine, std::move(listener)),
          background(*engine, *engine->parts().clock) {}

    void push(Item item) {
        {
            const std::lock_guard lock(mutex);
            queue.push_back(std::move(item));
        }
        wake.notify_one();
    }

    // The next task, or the writes that wait now up to a group; nothing if none came in time.
    std::vector<Item> take(Millis wait) {
        std::unique_lock lock(mutex);
        const auto ready = [this] { return stopping || !queue.empty(); };
        if (wait > 0) wake.wait_for(lock, std::chrono::milliseconds(wait), ready);
        std::vector<Item> out;
        std::size_t requests = 0;
        while (!queue.empty()) {
            const bool task = static_cast<bool>(queue.front().task);
            const std::size_t more = queue.front().requests.size();
            if (!out.empty() && (task || requests + more > group_size)) break;
            requests += more;
            out.push_back(std::move(queue.front()));
            queue.pop_front();
            if (task) break;
        }
        return out;
    }

    bool is_over() {
        const std::lock_guard lock(mutex);
        return stopping && queue.empty();
    }

    void run() {
        const rules::Patience patience([this] {
            const std::lock_guard lock(mutex);
            return !queue.empty();
        });
        bool idle = true;
        while (!is_over()) {
            auto items = take(idle ? background.rest() : 0);
            if (!items.empty()) {
                items.front().task ? items.front().task(*engine) : write(items);
                tell();
                idle = false;
                if (!background.pressing()) continue;
            }
            idle = !background.step();
            tell();
        }
        engine->stop();
    }

    void tell() {
        events.folded();
        events.alarms();
    }

    void write(std::vector<Item>& items) {
        if (items.size() == 1) return answer(items.front(), engine->write(items.front().requests));
        std::vector<WriteRequest> all;
        for (auto& item : items) {
            all.insert(all.end(), std::make_move_iterator(item.requests.begin()),
                       std::make_move_iterator(item.requests.end()));
        }
        auto results = engine->write(all);
        auto next = results.begin();
        for (auto& item : items) {
            const auto count = static_cast<std::ptrdiff_t>(item.requests.size());
            answer(item, {std::make_move_iterator(next), std::make_move_iterator(next + count)});
            next += count;
        }
    }

    void answer(Item& item, std::vector<Result<Written>> results) {
        const auto changes = events.of(results);
        item.done(std::move(results));
        events.tell(changes);
    }
};

SpaceService::SpaceService(std::unique_ptr<SpaceEngine> engine, Listener listener)
    : state_(std::make_unique<State>(std::move(engine), std::move(listener))) {
    state_->thread = std::thread([state = state_.get()] { state->run(); });
    const auto name = ("space-" + facts().name).substr(0, 15);
    pthread_setname_np(state_->thread.native_handle(), name.c_str());
}

SpaceService::~SpaceService() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_one();
    state_->thread.join();
}

void SpaceService::write(std::vector<WriteRequest> requests, OnWritten done) {
    state_->push({std::move(requests), std::move(done), nullptr});
}

std::vector<Result<Written>> SpaceService::write_and_wait(std::vector<WriteRequest> requests) {
    std::promise<std::vector<Result<Written>>> promise;
    auto future = promise.get_future();
    write(std::move(requests), [&promise](std::vector<Result<Written>> results) {
        promise.set_value(std::move(results));
    });
    return future.get();
}

void SpaceService::post(std::function<void(SpaceEngine&)> task) {
    state_->push({{}, nullptr, std::move(task)});
}

store::IndexReader& SpaceService::reader() {
    return state_->engine->index().reader();
}

const SpaceFacts& SpaceService::facts() const {
    return state_->engine->facts();
}

store::Log& SpaceService::log() {
    return state_->engine->log();
}

}  // namespace dutybook::core
