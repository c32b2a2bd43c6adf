// This machine's clock: whether something keeps it, against the store's own past, against peers.

#include "care/doctor.h"

#include <sys/stat.h>
#include <sys/timex.h>

#include <cstdlib>

namespace dutybook::care {

namespace fs = std::filesystem;

namespace {

constexpr Millis tolerance = 5 * 60'000;

std::string span(Millis millis) {
    const Millis minutes = std::abs(millis) / 60'000;
    if (minutes < 120) return std::to_string(minutes) + " minutes";
    if (minutes < 2 * 24 * 60) return std::to_string(minutes / 60) + " hours";
    return std::to_string(minutes / 60 / 24) + " days";
}

Line kept_by_somebody() {
    timex state{};  // modes 0: asks only
    const int answer = ::adjtimex(&state);
    if (answer < 0) return {"clock", Level::Warn, "the kernel does not tell who keeps it", ""};
    if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
        return {"clock", Level::Warn, "nothing keeps it in step with the world",
                "install systemd-timesyncd or chrony, or set the clock by hand each month"};
    }
    return {"clock", Level::Ok, "it is kept in step with the world", ""};
}

// When the newest of the store's own files was written.
Millis newest(const fs::path& store) {
    Millis last = 0;
    std::error_code failed;
    const auto look = [&last](const fs::path& file) {
        struct stat info {};
        if (::stat(file.c_str(), &info) != 0) return;
        last = std::max(last, static_cast<Millis>(info.st_mtim.tv_sec) * 1000);
    };
    for (const auto& space : fs::directory_iterator(store / "spaces", failed)) {
        for (const char* name : {"journal.db", "journal.db-wal", "journal.db.head"}) {
            look(space.path() / name);
        }
    }
    return last;
}

}  // namespace

Lines check_clock(const fs::path& store, const FromDaemon* daemon, Millis now) {
    Lines lines;
    if (const Millis last = newest(store); last > now + tolerance) {
        lines.push_back({"clock", Level::Fail,
                         "it went back: the store was written " + span(last - now) +
                             " later than now, at " + format_utc(last),
                         "set the clock"});
    } else {
        lines.push_back(kept_by_somebody());
    }
    if (daemon == nullptr) return lines;
    std::size_t compared = 0;
    for (const auto& peer : daemon->peers) {
        if (peer.last_heard == 0) continue;
        ++compared;
        if (peer.last_heard <= now + tolerance) continue;
        lines.push_back({"clock against peers", Level::Warn,
                         "site " + peer.name + " wrote " + span(peer.last_heard - now) +
                             " in our future: its clock or ours is wrong",
                         "compare both clocks; records keep both times"});
    }
    if (lines.size() == 1 && compared > 0) {
        lines.push_back({"clock against peers", Level::Ok,
                         "none of " + std::to_string(compared) + " wrote in our future", ""});
    }
    return lines;
}

}  // namespace dutybook::care
