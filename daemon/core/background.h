#pragma once
// What a space does when nobody waits: one slice a call, so that a write that comes in waits for a
// few milliseconds at most.

#include "core/space_engine.h"

namespace dutybook::core {

class Background {
public:
    explicit Background(SpaceEngine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

    // One slice of whatever is due; false = nothing is.
    bool step();
    // Sealing has fallen so far behind that writes must share the thread with it.
    bool pressing() const;
    // How long there is surely nothing to do.
    Millis rest() const { return 1000; }

private:
    static constexpr Millis look_every = 60'000;     // for segments whose folding was cut off
    static constexpr Millis after_failure = 60'000;  // before a failed slice is tried again
    static constexpr Millis trim_every = 3'600'000;
    static constexpr Millis slice_time = 20;  // what a write that comes in may have to wait
    static constexpr std::size_t most_rechecks = 128;     // subjects; each may cost a few lookups
    static constexpr std::uint64_t far_behind = 200'000;  // unsealed operations

    struct Turn {
        Millis next = 0;  // monotonic
        bool due(Millis now) const { return now >= next; }
    };
    bool failed(Turn& turn, const char* what, const Error& error) const;
    bool seal();
    bool fold();
    bool search();
    bool recheck();
    bool trim();

    SpaceEngine& engine_;
    const Clock& clock_;
    Turn seal_, fold_, search_, recheck_, trim_;
    std::size_t recheck_slice_ = 8;
};

}  // namespace dutybook::core
