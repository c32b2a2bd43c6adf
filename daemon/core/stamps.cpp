#include "core/stamps.h"

namespace dutybook::core {

namespace {

std::string span(Millis millis) {
    const Millis minutes = millis / 60'000;
    if (minutes < 120) return std::to_string(minutes) + " minutes";
    if (minutes < 2 * 24 * 60) return std::to_string(minutes / 60) + " hours";
    return std::to_string(minutes / 60 / 24) + " days";
}

}  // namespace

void judge_stamp(AlarmBook& alarms, const domain::Writer& writer, const std::string& site, bool own,
                 Millis at, Millis now) {
    const std::string kind = "future-stamp";
    if (at <= now + stamp_tolerance) {
        alarms.close(alarm_id(kind, writer));
        return;
    }
    const std::string ahead = span(at - now) + " in the future, at " + format_utc(at);
    alarms.raise({"", kind, writer,
                  own ? "this machine's clock went back: the last record written here is stamped " +
                            ahead + "; set the clock"
                      : "site " + site + " (log " + writer + ") wrote " + ahead +
                            ": its clock or ours is wrong; compare both. What it wrote is kept",
                  now});
}

}  // namespace dutybook::core
