#pragma once
// `dutybook doctor`: looks at everything around a store that a person can put right, in seconds,
// and changes nothing. Runs inside the daemon, or on the files alone while none runs.

#include "base/clock.h"
#include "base/result.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace dutybook::care {

enum class Level : std::uint8_t { Ok, Warn, Fail };
std::string_view name_of(Level level);

struct Line {
    std::string check;  // "permissions", "remote hub", ...
    Level level = Level::Ok;
    std::string what;  // what was found
    std::string fix;   // what to do; empty if there is nothing to do
};
using Lines = std::vector<Line>;

// What only a running daemon knows.
struct FromDaemon {
    struct Peer {
        std::string name;
        Millis last_heard = 0;  // by the peer's own clock
    };
    std::vector<Peer> peers;
    std::vector<std::string> alarms;  // messages that stand
};

struct DoctorOptions {
    std::filesystem::path store;
    std::string supervise;  // path of dutybook-supervise
    const Clock* clock = nullptr;
    const FromDaemon* daemon = nullptr;  // null: none runs
    Millis remote_deadline = 6'000;      // for each remote; all are tried at once
};
Lines doctor(const DoctorOptions& options);

// Its parts; each gives at least one line.
Lines check_permissions(const std::filesystem::path& store);
Lines check_keys(const std::filesystem::path& store);
Lines check_administrators(const std::filesystem::path& store);  // of each space
Lines check_locks(const std::filesystem::path& store, bool daemon, Millis now);
Lines check_volume(const std::filesystem::path& store);  // file system, encryption, free space
Lines check_clock(const std::filesystem::path& store, const FromDaemon* daemon, Millis now);
Lines check_programs(const std::string& supervise);  // versions, what confines plugins
Lines check_remotes(const DoctorOptions& options);

}  // namespace dutybook::care
