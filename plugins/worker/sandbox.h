#pragma once
// The two locks on the worker's door. Both work without root.
//
// Stage one, before any plugin code (a shared object's constructors run inside dlopen): no new
// privileges; Landlock: files may be read below `readable` only; seccomp: an allow-list without
// socket, exec, fork, clone, ptrace, kill, io_uring, and open for reading only. Stage two: no open
// at all, nothing but memory, the socket and exit. What is not allowed kills the process, so that
// an attempt is seen. The time stamp counter is turned off (x86), so that the vDSO's clock, which
// is no system call, is out of reach too.
//
// Debian 12's kernel has Landlock ABI 2, which cannot refuse truncate or TCP: seccomp covers both.

#include "base/result.h"

#include <string>
#include <vector>

namespace dutybook::worker {

struct SandboxLevel {
    int landlock = 0;      // ABI that was used, 0 = the kernel has none
    bool seccomp = false;  // without it no plugin runs
};

// Bounds memory and files; call before stage one. `memory` in bytes of address space.
Result<void> limit_resources(std::uint64_t memory);
Result<SandboxLevel> enter_stage_one(const std::vector<std::string>& readable);
Result<void> enter_stage_two();

}  // namespace dutybook::worker
