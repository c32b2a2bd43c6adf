#include "base/clock.h"

#include <date/date.h>

#include <chrono>
#include <cstdlib>

namespace dutybook {

Millis SystemClock::now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Millis SystemClock::monotonic() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

namespace {

using SysMillis = date::sys_time<std::chrono::milliseconds>;

// Reads fixed-width numbers and literal characters off the front of a text.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}
    bool number(std::size_t width, int low, int high, int& out) {
        if (rest_.size() < width) return false;
        int value = 0;
        for (std::size_t i = 0; i < width; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9') return false;
            value = value * 10 + (rest_[i] - '0');
        }
        if (value < low || value > high) return false;
        rest_.remove_prefix(width);
        out = value;
        return true;
    }
    bool literal(std::string_view any_of) {
        if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // ".123..." as milliseconds; digits beyond the third are dropped. False if malformed.
    bool fraction(int& millis) {
        if (!literal(".")) return true;
        int digits = 0;
        for (int scale = 100; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; ++digits) {
            millis += scale * (rest_[0] - '0');
            scale /= 10;
            rest_.remove_prefix(1);
        }
        return digits > 0;
    }
    bool done() const { return rest_.empty(); }
    char next() const { return rest_.empty() ? '\0' : rest_.front(); }

private:
    std::string_view rest_;
};

// Days and milliseconds of a local or UTC date and time, without an offset.
bool scan_date(Scanner& in, date::year_month_day& out) {
    int year = 0, month = 0, day = 0;
    if (!in.number(4, 0, 9999, year) || !in.literal("-") || !in.number(2, 1, 12, month) ||
        !in.literal("-") || !in.number(2, 1, 31, day)) {
        return false;
    }
    out = date::year{year} / month / day;
    return out.ok();
}

bool scan_time(Scanner& in, bool seconds_needed, Millis& out) {
    int hour = 0, minute = 0, second = 0, millis = 0;
    if (!in.number(2, 0, 23, hour) || !in.literal(":") || !in.number(2, 0, 59, minute)) {
        return false;
    }
    if (in.next() == ':' || seconds_needed) {
        if (!in.literal(":") || !in.number(2, 0, 59, second) || !in.fraction(millis)) return false;
    }
    out = ((hour * 60LL + minute) * 60 + second) * 1000 + millis;
    return true;
}

bool scan_offset(Scanner& in, Millis& out) {
    if (in.literal("Zz")) return true;
    const bool west = in.next() == '-';
    int hours = 0, minutes = 0;
    if (!in.literal("+-") || !in.number(2, 0, 23, hours) || !in.literal(":") ||
        !in.number(2, 0, 59, minutes)) {
        return false;
    }
    out = (hours * 60LL + minutes) * 60'000 * (west ? -1 : 1);
    return true;
}

Millis days_in_millis(const date::year_month_day& day) {
    return SysMillis(date::sys_days(day)).time_since_epoch().count();
}

// With zeros in front up to the width, the sign included; printf() takes ten times as long.
void append_padded(std::string& out, int value, std::size_t width) {
    const std::string digits = std::to_string(std::abs(value));
    if (value < 0) out += '-';
    const std::size_t written = digits.size() + (value < 0 ? 1 : 0);
    if (written < width) out.append(width - written, '0');
    out += digits;
}

}  // namespace

namespace detail {

// Local readings as milliseconds since the local 1970; shared with zone.cpp.
std::string format_local(Millis local) {
    const SysMillis instant{std::chrono::milliseconds(local)};
    const auto day = date::floor<date::days>(instant);
    const date::year_month_day date_part(day);
    const auto rest = static_cast<int>((instant - day).count());
    std::string out;
    out.reserve(32);
    append_padded(out, static_cast<int>(date_part.year()), 4);
    append_padded(out += '-', static_cast<int>(static_cast<unsigned>(date_part.month())), 2);
    append_padded(out += '-', static_cast<int>(static_cast<unsigned>(date_part.day())), 2);
    append_padded(out += 'T', rest / 3'600'000, 2);
    append_padded(out += ':', rest / 60'000 % 60, 2);
    append_padded(out += ':', rest / 1000 % 60, 2);
    if (rest % 1000 != 0) append_padded(out += '.', rest % 1000, 3);
    return out;
}

std::optional<Millis> scan_local(std::string_view text) {
    Scanner in(text);
    date::year_month_day day;
    Millis time = 0;
    if (!scan_date(in, day)) return std::nullopt;
    if (!in.done() && (!in.literal("Tt ") || !scan_time(in, false, time))) return std::nullopt;
    if (!in.done()) return std::nullopt;
    return days_in_millis(day) + time;
}

std::optional<Millis> scan_time_of_day(std::string_view text) {
    Scanner in(text);
    Millis time = 0;
    if (!scan_time(in, false, time) || !in.done()) return std::nullopt;
    return time;
}

}  // namespace detail

std::string format_utc(Millis instant) {
    return detail::format_local(instant) + "Z";
}

Result<Millis> parse_instant(std::string_view text) {
    Scanner in(text);
    date::year_month_day day;
    Millis time = 0, offset = 0;
    if (!scan_date(in, day) || !in.literal("Tt ") || !scan_time(in, true, time) ||
        !scan_offset(in, offset) || !in.done()) {
        Error error = malformed("'" + std::string(text.substr(0, 64)) + "' is not an instant");
        error.fix = "write it like 2026-05-04T08:00:00Z or 2026-05-04T08:00:00-04:00";
        return error;
    }
    return days_in_millis(day) + time - offset;
}

}  // namespace dutybook
