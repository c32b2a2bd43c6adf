#pragma once
// How long a thread may wait for a plugin: to the plugin's deadline while nobody else needs the
// thread, and no longer than a plugin that works takes as soon as somebody does.

#include <functional>

namespace dutybook::rules {

// While it lives, calls to plugins on this thread ask `others_wait` whether to give up on one that
// makes no progress. Threads without one wait to the deadline.
class Patience {
public:
    explicit Patience(std::function<bool()> others_wait);
    ~Patience();
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

    static bool is_set();
    static bool others_wait();
};

}  // namespace dutybook::rules
