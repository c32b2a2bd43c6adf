#pragma once
// Hybrid logical clock (Kulkarni et al. 2014), with a cap: a remote stamp more than five minutes
// ahead of the wall clock is kept as data but does not advance ours. A clock never decides what is
// concurrent (frontiers do); it only picks the value shown among concurrent ones.

#include "domain/operation.h"

namespace dutybook::domain {

class HybridClock {
public:
    static constexpr Millis max_ahead = 5 * 60 * 1000;

    Hlc tick(Millis wall);                         // the stamp of a new local operation
    void observe(const Hlc& remote, Millis wall);  // received operation
    void restore(const Hlc& last) {
        if (last > last_) last_ = last;
    }  // own journal, at start
    const Hlc& last() const { return last_; }

private:
    Hlc last_;
};

}  // namespace dutybook::domain
