#pragma once
// Operations stamped in the future of this machine's clock: kept and shown as they are, and told by
// an alarm, since the writer's clock or ours is wrong. It closes itself with the first operation of
// that log whose stamp is not ahead (ours is looked at by each start). A stamp hides nothing: what
// was known decides, not the clock.

#include "core/alarms.h"
#include "domain/hlc.h"

namespace dutybook::core {

inline constexpr Millis stamp_tolerance = domain::HybridClock::max_ahead;

// Of the last operation of a log; `own`: this site wrote it itself.
void judge_stamp(AlarmBook& alarms, const domain::Writer& writer, const std::string& site, bool own,
                 Millis at, Millis now);

}  // namespace dutybook::core
