#pragma once
// Child processes that never outlive us. Every child runs below `dutybook-supervise`, which makes
// a process group, holds our end of a life-line pipe and kills the whole group when the pipe
// closes (we died, or asked) or a deadline passes. posix_spawn, never fork: a large parent makes
// fork slow, and it fails under RLIMIT_AS.

#include "base/clock.h"
#include "base/result.h"

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace dutybook {

struct ProcessLimits {
    Millis stall = 60'000;              // no byte on stdout or stderr for so long: killed
    Millis total = 3'600'000;           // wall clock for the whole child
    std::uint64_t output = 16u << 20;   // bytes of stdout kept; more is an error
    std::uint64_t messages = 4u << 20;  // bytes of stderr; more is an error
    std::uint64_t file_size = 0;        // RLIMIT_FSIZE in bytes, 0 = none
    std::uint64_t memory = 0;           // RLIMIT_DATA in bytes, 0 = none
};

struct ProcessRequest {
    std::vector<std::string> arguments;              // [0] looked up in PATH
    std::map<std::string, std::string> environment;  // whole environment of the child
    std::string directory;                           // working directory, empty = ours
    std::string input;                               // written to stdin, then closed
    ProcessLimits limits;
    std::function<void(std::string_view)> on_stderr;  // called as text arrives, on this thread
};

struct ProcessResult {
    int status = 0;  // exit code; 128 + signal if killed
    std::string out;
    std::string err;  // last 64 KiB
};

// Blocks the calling thread. `cancel` set from another thread ends the child within 100 ms
// (Code::Unavailable). A deadline is Code::Timeout and says which. A non-zero status is no error
// here: the caller judges it. `supervise` is the path of dutybook-supervise.
Result<ProcessResult> run_process(const ProcessRequest& request, const std::string& supervise,
                                  const std::atomic<bool>& cancel);

// The folder of the running program, where its sibling programs live.
std::string program_directory();

}  // namespace dutybook
