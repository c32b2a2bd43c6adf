#pragma once
// When a remote is met by itself: once a night in its window, at a moment that differs from site
// to site, and again after a failure as long as the window lasts. Pure: values in, values out.

#include "sync/transfer.h"

#include <optional>

namespace dutybook::sync {

struct Window {
    int from = 0, to = 0;  // minutes after local midnight; to <= from ends on the next day
    std::string zone;
};
struct Night {
    Millis start = 0, end = 0;
};
struct Attempts {
    Millis added = 0, last_attempt = 0, last_success = 0;
    int failures = 0;  // in a row, since the last success
};

// Nothing if the remote has no window. Code::Malformed names what is wrong with it.
Result<std::optional<Window>> window_of(const RemoteConfig& remote);

// The night that holds `now`, else the last one before it.
Night latest_night(const Window& window, Millis now);
Night next_night(const Window& window, Millis now);  // begins after now

// When this site begins within a night: spread over the first half of it, at most half an hour, so
// that sites do not all come at once. The same for the same salt (site, space, remote) and night.
Millis beginning(const Night& night, std::string_view salt);

// The next moment for an attempt; not later than `now` means that it is due. A failed one is tried
// again after 1, 2, 4 ... 30 minutes, within the night; then the next night.
Millis due_at(const Window& window, const Attempts& attempts, std::string_view salt, Millis now);

// The last night that is over went by without a success since it began.
bool missed_night(const Window& window, const Attempts& attempts, Millis now);

}  // namespace dutybook::sync
