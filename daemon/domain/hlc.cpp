#include "domain/hlc.h"

#include <limits>

namespace dutybook::domain {

Hlc HybridClock::tick(Millis wall) {
    if (wall > last_.ms) {
        last_ = Hlc{wall, 0};
    } else if (last_.counter == std::numeric_limits<std::uint32_t>::max()) {
        last_ = Hlc{last_.ms + 1, 0};
    } else {
        ++last_.counter;
    }
    return last_;
}

void HybridClock::observe(const Hlc& remote, Millis wall) {
    if (remote.ms <= wall + max_ahead && remote > last_) last_ = remote;
}

}  // namespace dutybook::domain
