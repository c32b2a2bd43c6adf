#pragma once
// The thread of one space: a queue in front of its engine. Writes that wait together share one
// commit. Background work (folding what was received, sealing) runs in slices between writes.
//
// write/check/run may be called from any thread; completions run on the space's thread and must
// only hand over. Readers use index().reader() directly from any thread and never wait here.

#include "core/space_engine.h"

#include <functional>
#include <future>
#include <memory>

namespace dutybook::core {

struct Change {  // what listeners (server-sent events) are told
    std::string space;
    std::string type;    // record, conflict, finding, sync, alarm, plugin
    std::string id;      // record id or subject
    std::string text;    // canonical JSON payload
    std::string kind{};  // of a record that changed
};

class SpaceService {
public:
    using Listener = std::function<void(const Change&)>;

    explicit SpaceService(std::unique_ptr<SpaceEngine> engine, Listener listener);
    SpaceService(const SpaceService&) = delete;
    SpaceService& operator=(const SpaceService&) = delete;
    ~SpaceService();  // drains what was accepted, seals nothing, joins the thread

    using OnWritten = std::function<void(std::vector<Result<Written>>)>;
    void write(std::vector<WriteRequest> requests, OnWritten done);
    std::vector<Result<Written>> write_and_wait(std::vector<WriteRequest> requests);

    // Runs on the space's thread, after the writes that wait now; waits for the answer.
    template <class F>
    auto run(F&& task) -> decltype(task(std::declval<SpaceEngine&>())) {
        using R = decltype(task(std::declval<SpaceEngine&>()));
        auto promise = std::make_shared<std::promise<R>>();
        auto future = promise->get_future();
        post([promise, task = std::forward<F>(task)](SpaceEngine& engine) mutable {
            if constexpr (std::is_void_v<R>) {
                task(engine);
                promise->set_value();
            } else {
                promise->set_value(task(engine));
            }
        });
        return future.get();
    }
    void post(std::function<void(SpaceEngine&)> task);

    store::IndexReader& reader();
    const SpaceFacts& facts() const;
    store::Log& log();  // thread-safe by itself

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace dutybook::core
