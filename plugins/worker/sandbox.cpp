#include "worker/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>

namespace dutybook::worker {

namespace {

// What the loop itself needs in stage two: memory, the socket, the end.
constexpr int loop_calls[] = {
    SCMP_SYS(read),       SCMP_SYS(write),        SCMP_SYS(brk),         SCMP_SYS(munmap),
    SCMP_SYS(mremap),     SCMP_SYS(madvise),      SCMP_SYS(futex),       SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall),
};

// What loading a shared object needs on top of that.
constexpr int load_calls[] = {
    SCMP_SYS(mprotect), SCMP_SYS(close),  SCMP_SYS(fstat),          SCMP_SYS(newfstatat),
    SCMP_SYS(pread64),  SCMP_SYS(lseek),  SCMP_SYS(getcwd),         SCMP_SYS(readlink),
    SCMP_SYS(statx),    SCMP_SYS(access), SCMP_SYS(faccessat),      SCMP_SYS(faccessat2),
    SCMP_SYS(stat),     SCMP_SYS(lstat),  SCMP_SYS(rt_sigprocmask), SCMP_SYS(seccomp),
};

struct Filter {
    Filter() : context(seccomp_init(SCMP_ACT_KILL_PROCESS)) {}
    Filter(const Filter&) = delete;
    Filter& operator=(const Filter&) = delete;
    ~Filter() { seccomp_release(context); }
    scmp_filter_ctx context;
};

bool allow(Filter& filter, std::initializer_list<const int*> ranges,
           std::initializer_list<std::size_t> sizes) {
    auto size = sizes.begin();
    for (const int* calls : ranges) {
        for (std::size_t i = 0; i < *size; ++i) {
            if (seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, calls[i], 0) != 0) return false;
        }
        ++size;
    }
    return true;
}

// mmap of memory only: in stage two never a file, never executable.
bool allow_plain_memory(Filter& filter) {
    return seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, 4 /* PROT_EXEC */, 0),
                            SCMP_A4(SCMP_CMP_EQ, 0xffffffffU)) == 0 &&
           seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, 4 /* PROT_EXEC */, 0),
                            SCMP_A4(SCMP_CMP_EQ, ~0ULL)) == 0;
}

// The way into stage two; a constructor must not take back what ends the worker with the daemon, or
// what keeps the processor's clock from it.
bool allow_no_new_privileges(Filter& filter) {
    return seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                            SCMP_A0(SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS)) == 0;
}

bool allow_reading_files(Filter& filter) {
    constexpr auto writing = O_ACCMODE | O_CREAT | O_TRUNC;
    return seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY)) == 0 &&
           seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                            SCMP_A1(SCMP_CMP_MASKED_EQ, writing, O_RDONLY)) == 0 &&
           seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 0) == 0;
}

Error unsafe(const std::string& what) {
    return failure(Code::Unavailable, "the sandbox could not be entered", what,
                   "no plugin runs without it: use a kernel with seccomp filters");
}

// Returns the ABI used, 0 where the kernel has none.
Result<int> restrict_files(const std::vector<std::string>& readable) {
    const long abi =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi <= 0) return 0;
    landlock_ruleset_attr attributes{};
    // Bits 0..12 are ABI 1; 13 (REFER) is ABI 2; 14 (TRUNCATE) is ABI 3.
    attributes.handled_access_fs = (1ULL << (abi >= 3 ? 15 : abi == 2 ? 14 : 13)) - 1;
    const int ruleset =
        static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0));
    if (ruleset < 0) return unsafe(std::strerror(errno));
    for (const std::string& path : readable) {
        const int parent = ::open(path.c_str(), O_PATH | O_CLOEXEC);
        if (parent < 0) continue;  // a library folder that this system does not have
        struct stat status {};
        const bool folder = ::fstat(parent, &status) == 0 && S_ISDIR(status.st_mode);
        landlock_path_beneath_attr beneath{};
        beneath.allowed_access =
            LANDLOCK_ACCESS_FS_READ_FILE | (folder ? LANDLOCK_ACCESS_FS_READ_DIR : 0);
        beneath.parent_fd = parent;
        const long added =
            syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
        ::close(parent);
        if (added != 0) {
            ::close(ruleset);
            return unsafe(std::strerror(errno));
        }
    }
    const long restricted = syscall(SYS_landlock_restrict_self, ruleset, 0);
    ::close(ruleset);
    if (restricted != 0) return unsafe(std::strerror(errno));
    return static_cast<int>(abi);
}

}  // namespace

Result<void> limit_resources(std::uint64_t memory) {
    const auto set = [](__rlimit_resource what, rlim_t value) {
        const rlimit limit{value, value};
        return setrlimit(what, &limit) == 0;
    };
    if (!set(RLIMIT_AS, memory) || !set(RLIMIT_CORE, 0) || !set(RLIMIT_NOFILE, 32) ||
        !set(RLIMIT_FSIZE, 0)) {
        return unsafe(std::strerror(errno));
    }
    return {};
}

Result<SandboxLevel> enter_stage_one(const std::vector<std::string>& readable) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return unsafe(std::strerror(errno));
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#ifdef PR_SET_TSC
    prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0);
#endif
    SandboxLevel level;
    TRY_ASSIGN(level.landlock, restrict_files(readable));
    Filter filter;
    if (filter.context == nullptr ||
        !allow(filter, {loop_calls, load_calls}, {std::size(loop_calls), std::size(load_calls)}) ||
        !allow_reading_files(filter) || !allow_no_new_privileges(filter) ||
        seccomp_load(filter.context) != 0) {
        return unsafe("seccomp refused the filter");
    }
    level.seccomp = true;
    return level;
}

Result<void> enter_stage_two() {
    Filter filter;
    if (filter.context == nullptr || !allow(filter, {loop_calls}, {std::size(loop_calls)}) ||
        !allow_plain_memory(filter) || seccomp_load(filter.context) != 0) {
        return unsafe("seccomp refused the second filter");
    }
    return {};
}

}  // namespace dutybook::worker
