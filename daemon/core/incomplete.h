#pragma once
// Records written here while a plugin that completes them was down: its fields are made up when it
// is back. Remembered in the journal's meta key "incomplete" (ids, one a line), so that a restart
// forgets none.

#include "base/clock.h"
#include "store/journal.h"

#include <set>
#include <string>
#include <vector>

namespace dutybook::core {

class Incomplete {
public:
    Incomplete(store::Journal& journal, const Clock& clock) : journal_(journal), clock_(clock) {}

    Result<void> load();
    void add(const std::set<std::string>& records);
    // Some to be tried now; none while the plugin is given time.
    std::vector<std::string> take(std::size_t most);
    // Those that were taken have been tried. What add() said of them meanwhile stays.
    void tried();

private:
    static constexpr Millis first_wait = 1000, longest_wait = 60'000;
    static constexpr std::size_t most_kept = 10'000;

    void save();

    store::Journal& journal_;
    const Clock& clock_;
    std::set<std::string> records_;
    bool again_ = false;  // one of those that were taken is incomplete still
    Millis wait_ = first_wait;
    Millis next_ = 0;  // monotonic
};

}  // namespace dutybook::core
