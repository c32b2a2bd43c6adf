// dutybook-supervise: runs one command and sees to it that nothing of it outlives whoever asked.
//
//   dutybook-supervise LIFELINE FILE_SIZE MEMORY COMMAND [ARGUMENT...]
//
// LIFELINE is the number of an open file descriptor: the read end of a pipe whose write end only
// the caller holds. When it closes (the caller closed it, or died, however it died), or on SIGTERM,
// SIGINT or SIGHUP, everything below is killed. FILE_SIZE and MEMORY are limits in bytes, 0 = none;
// MEMORY bounds what a process may write to (RLIMIT_DATA), not the files that it maps to read.
//
// The command gets a session without a terminal (so that ssh cannot ask anybody) and a process
// group of its own. This process is the reaper of all its descendants: one that left the group
// (an ssh connection master) becomes our child when its parent dies, and is killed too.
//
// Exit status: the command's; 128 + signal if it was killed; 127 with a line on stderr that begins
// "dutybook-supervise:" if it could not be run. Plain POSIX and Linux calls: it must start fast.

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "dutybook-supervise: %s: %s\n", what, std::strerror(errno));
    std::fflush(stderr);
    std::_Exit(127);
}

void limit(decltype(RLIMIT_FSIZE) resource, const char* text) {
    const rlim_t bytes = std::strtoull(text, nullptr, 10);
    if (bytes == 0) return;
    const rlimit value{bytes, bytes};
    if (setrlimit(resource, &value) != 0) fail("setrlimit");
}

// The parent of a process, from /proc/PID/stat; the name in it may hold any character but ends at
// the last ')'. 0 if it is gone.
pid_t parent_of(const char* pid) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    char text[512];
    const ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    if (size <= 0) return 0;
    text[size] = '\0';
    const char* end = std::strrchr(text, ')');
    int parent = 0;
    if (end == nullptr || std::sscanf(end + 1, " %*c %d", &parent) != 1) return 0;
    return parent;
}

void kill_children() {
    DIR* proc = opendir("/proc");
    if (proc == nullptr) return;
    const pid_t self = getpid();
    while (const dirent* entry = readdir(proc)) {
        const int pid = std::atoi(entry->d_name);
        if (pid > 0 && parent_of(entry->d_name) == self) kill(pid, SIGKILL);
    }
    closedir(proc);
}

// Kills all descendants. Orphans become our children, so each round reaches one level deeper; it
// ends when there is nothing left to wait for.
void kill_everything(pid_t group) {
    kill(-group, SIGKILL);
    for (;;) {
        kill_children();
        int status = 0;
        if (waitpid(-1, &status, 0) < 0 && errno != EINTR) return;
    }
}

pid_t start(char** command, const sigset_t& old_mask) {
    const pid_t self = getpid();
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child != 0) {
        setpgid(child, child);  // also here: a kill of the group may come before the child runs
        return child;
    }
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self) std::_Exit(127);
    sigprocmask(SIG_SETMASK, &old_mask, nullptr);
    execvp(command[0], command);
    fail(command[0]);
}

// Takes note of children that ended; true once the command itself did.
bool reap(pid_t command, int& exit_status) {
    bool ended = false;
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid != command) continue;
        ended = true;
        exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return ended;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 5) {
        std::fprintf(stderr, "dutybook-supervise: LIFELINE FILE_SIZE MEMORY COMMAND...\n");
        return 127;
    }
    const int lifeline = std::atoi(arguments[1]);
    if (fcntl(lifeline, F_SETFD, FD_CLOEXEC) != 0) fail("life-line");
    setsid();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail("subreaper");

    sigset_t ours;
    sigemptyset(&ours);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&ours, number);
    sigprocmask(SIG_BLOCK, &ours, nullptr);
    // The command starts with an empty mask and ordinary signals, whatever the caller had; only a
    // full file is an error to report and not a death.
    sigset_t none;
    sigemptyset(&none);
    for (const int number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD})
        std::signal(number, SIG_DFL);
    std::signal(SIGXFSZ, SIG_IGN);
    const int signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) fail("signalfd");

    limit(RLIMIT_FSIZE, arguments[2]);
    limit(RLIMIT_DATA, arguments[3]);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);

    const pid_t child = start(arguments + 4, none);
    // Only the command's own copies of these may keep the caller's pipes open.
    for (const int standard : {0, 1, 2}) close(standard);

    int status = 128 + SIGKILL;
    for (;;) {
        pollfd wait[2] = {{lifeline, POLLIN, 0}, {signals, POLLIN, 0}};
        if (poll(wait, 2, -1) < 0 && errno != EINTR) break;
        if (wait[0].revents != 0) break;
        signalfd_siginfo info{};
        bool stop = false;
        while (read(signals, &info, sizeof info) == sizeof info)
            if (info.ssi_signo != SIGCHLD) stop = true;
        if (stop || reap(child, status)) break;
    }
    kill_everything(child);
    std::_Exit(status);
}
