#pragma once
// A few threads for handlers that may wait: queries, tasks on a space's thread, care.

#include <functional>
#include <memory>

namespace dutybook::api {

class Pool {
public:
    explicit Pool(std::size_t threads, std::size_t most_waiting = 1000);
    ~Pool();  // drops what waits, waits for what runs
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // False if too much waits already (or the pool is ending): the task was not taken.
    bool run(std::function<void()> task);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace dutybook::api
