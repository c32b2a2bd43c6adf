#pragma once
// One dutybook-worker process, from the daemon's side: start, a batch of calls, the end. Not
// thread-safe; the frames are described in plugins/worker/README.md.
//
// Spawned with posix_spawn (fork under a large parent is slow and fails under RLIMIT_AS), with no
// environment, no descriptor but its socket and the progress page. It dies with the thread that
// spawned it (the worker asks for a death signal): WorkerSlot gives each a thread that lives as
// long. SIGPIPE must be ignored.

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::rules {

struct WorkerLoad {
    std::string plugin;  // id
    bool native = false;
    // Of a plugin in Lua: rules.lua, with which it begins, lua/NAME.lua for each require("NAME").
    std::map<std::string, std::string> lua;
    std::string object;  // absolute path of the shared object
    std::string configuration = "{}";
    std::uint64_t memory = 64u << 20;         // bytes
    std::uint64_t instructions = 20'000'000;  // per call, Lua only
    std::uint64_t output = 1u << 20;          // bytes per answer
};

struct WorkerCall {
    std::string verb;   // evaluate complete report migrate
    std::string name;   // rule, kind or report
    std::string input;  // JSON on one line
};

// What others may look at, and do, while the worker is at work. Any thread.
struct WorkerPulse {
    std::atomic<int> pid{0};          // 0 = there is none
    std::atomic<Millis> beat{0};      // when it was started, given work or finished a call (steady)
    std::atomic<bool> cancel{false};  // ends it at the next look, within 10 ms
};

class WorkerProcess {
public:
    struct StartDeadlines {
        Millis process = 4000;  // until it is shut in: the time zones are read, on a busy machine
        Millis load = 1000;     // from then on: code of the plugin runs
    };
    // Waits for `ready`. Code::Malformed: the plugin cannot be loaded (why says it);
    // Code::Unavailable, Timeout: no worker could be started, or the plugin did not let it.
    static Result<std::unique_ptr<WorkerProcess>> start(
        const std::string& program, const WorkerLoad& load, const StartDeadlines& deadlines,
        std::shared_ptr<WorkerPulse> pulse = std::make_shared<WorkerPulse>());
    ~WorkerProcess();  // kills
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;

    // What the worker said of itself: sandbox level, offered rules.
    const Json& ready() const { return ready_; }
    int pid() const { return pid_; }

    // Runs a batch. Each answer is the call's JSON text or its error (Code::Internal: the plugin
    // failed on it). If the worker crashed, broke the protocol, or made no progress for `deadline`
    // ms, fewer answers than calls come back, `fault` says what happened, and the process is gone:
    // answers.size() is the index of the call that did it; calls finished before it whose answers
    // were lost are to be run again (`finished` says how many).
    struct Batch {
        std::vector<Result<std::string>> answers;
        std::string fault;         // empty = all answered
        std::size_t finished = 0;  // calls known to be finished when it ended
    };
    Batch run(std::span<const WorkerCall> calls, Millis deadline);
    bool alive() const { return pid_ > 0; }

private:
    explicit WorkerProcess(std::shared_ptr<WorkerPulse> pulse) : pulse_(std::move(pulse)) {}
    Result<void> send(char type, std::string_view payload, Millis deadline);
    Result<std::string> read_answer(char wanted, Millis deadline);
    std::string end();  // kills, reaps; how it ended

    const std::shared_ptr<WorkerPulse> pulse_;
    int pid_ = -1;
    int socket_ = -1;
    bool closed_ = false;           // by the worker
    std::string arrived_;           // and not taken yet
    std::uint64_t batch_size_ = 0;  // of the batch under way
    std::atomic<std::uint64_t>* progress_ = nullptr;
    Json ready_;
};

// By the clock of WorkerPulse::beat.
Millis steady_now();

// The lines of an answer frame: each call's JSON text, or its error. Nothing if they are not one
// for each call.
std::optional<std::vector<Result<std::string>>> split_answers(std::string_view text,
                                                              std::size_t calls);

// Resident memory of a process in bytes, 0 if unknown.
std::uint64_t resident_memory(int pid);

}  // namespace dutybook::rules
