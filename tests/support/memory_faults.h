#pragma once
// Where a simulated process may die: before and after the effect of every mutating call of the
// in-memory stores. A Crash unwinds through production code to the simulation, which throws away
// everything that was not on the simulated disk.

#include <cstdint>
#include <map>
#include <string>

namespace dutybook::testing {

struct Crash {
    std::string at;  // the call
};

class Faults {
public:
    // The process dies at the `steps`th point from now (0 = the next).
    void arm(std::uint64_t steps) {
        armed_ = true;
        left_ = steps;
    }
    void disarm() { armed_ = false; }
    bool armed() const { return armed_; }

    void point(const char* call) {
        if (!armed_) return;
        if (left_-- > 0) return;
        armed_ = false;
        throw Crash{call};
    }

private:
    bool armed_ = false;
    std::uint64_t left_ = 0;
};

// One mutating call: a point before its effect, and one after it in done().
class Effect {
public:
    Effect(Faults& faults, const char* call) : faults_(faults), call_(call) {
        faults_.point(call_);
    }
    void done() { faults_.point(call_); }

private:
    Faults& faults_;
    const char* call_;
};

}  // namespace dutybook::testing
