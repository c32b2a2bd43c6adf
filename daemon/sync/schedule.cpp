#include "sync/schedule.h"

#include "base/crypto.h"

#include <algorithm>

namespace dutybook::sync {
namespace {

constexpr Millis minute = 60'000;
constexpr Millis longest_spread = 30 * minute;
constexpr Millis longest_pause = 30 * minute;
constexpr Millis two_days = 48 * 60 * minute;

std::optional<int> minute_of_day(const std::string& text) {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    for (const std::size_t at : {0u, 1u, 3u, 4u})
        if (text[at] < '0' || text[at] > '9') return std::nullopt;
    const int hour = (text[0] - '0') * 10 + (text[1] - '0');
    const int past = (text[3] - '0') * 10 + (text[4] - '0');
    if (hour > 23 || past > 59) return std::nullopt;
    return hour * 60 + past;
}

Night night_from(const Window& window, Millis start) {
    return {start, next_local_time(start + minute, window.to, window.zone)};
}

Millis pause_after(int failures) {
    const int doublings = std::clamp(failures - 1, 0, 10);
    return std::min(longest_pause, minute << doublings);
}

}  // namespace

Result<std::optional<Window>> window_of(const RemoteConfig& remote) {
    if (remote.window_from.empty() && remote.window_to.empty()) return std::optional<Window>{};
    const auto from = minute_of_day(remote.window_from);
    const auto to = minute_of_day(remote.window_to);
    if (!from || !to || *from == *to)
        return malformed("a window is HH:MM-HH:MM, such as 22:00-05:00");
    if (!zone_exists(remote.window_zone))
        return malformed("there is no time zone \"" + remote.window_zone + "\"");
    return std::optional<Window>{{*from, *to, remote.window_zone}};
}

Night latest_night(const Window& window, Millis now) {
    Millis start = next_local_time(now - two_days, window.from, window.zone);
    for (Millis next = start; next <= now;
         next = next_local_time(start + minute, window.from, window.zone))
        start = next;
    return night_from(window, start);
}

Night next_night(const Window& window, Millis now) {
    return night_from(window, next_local_time(now + 1, window.from, window.zone));
}

Millis beginning(const Night& night, std::string_view salt) {
    const Millis spread = std::min(longest_spread, (night.end - night.start) / 2);
    if (spread <= 0) return night.start;
    const Hash hash = blake2b(std::string(salt) + " " + std::to_string(night.start));
    std::uint64_t number = 0;
    for (std::size_t at = 0; at < 8; ++at) number = number << 8 | hash[at];
    return night.start + static_cast<Millis>(number % static_cast<std::uint64_t>(spread));
}

Millis due_at(const Window& window, const Attempts& attempts, std::string_view salt, Millis now) {
    const Night night = latest_night(window, now);
    const Millis tomorrow = beginning(next_night(window, now), salt);
    if (now >= night.end || attempts.last_success >= night.start) return tomorrow;
    Millis due = beginning(night, salt);
    if (attempts.last_attempt >= night.start)
        due = std::max(due, attempts.last_attempt + pause_after(attempts.failures));
    return due < night.end ? due : tomorrow;
}

bool missed_night(const Window& window, const Attempts& attempts, Millis now) {
    Night night = latest_night(window, now);
    if (now < night.end) night = latest_night(window, night.start - 1);
    return attempts.added <= night.start && attempts.last_success < night.start;
}

}  // namespace dutybook::sync
