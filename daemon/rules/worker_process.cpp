#include "rules/worker_process.h"

#include "base/frame.h"
#include "base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>

namespace dutybook::rules {

namespace {

constexpr int child_socket = 3;
constexpr int child_progress = 4;
constexpr std::size_t page = 4096;
constexpr Millis look_interval = 10;  // between two looks at the progress word
constexpr Millis dying_takes = 100;
constexpr std::size_t most_logs = 1000;  // lines of one batch: a plugin must not fill the disk

class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_;
};

// Above the numbers that the child uses, so that no dup2 overwrites one that is still needed.
int moved_up(int fd) {
    const int up = ::fcntl(fd, F_DUPFD_CLOEXEC, 16);
    ::close(fd);
    return up;
}

Result<int> spawn(const std::string& program, int socket, int progress) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd : {0, 1, 2}) {
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    }
    posix_spawn_file_actions_adddup2(&actions, socket, child_socket);
    posix_spawn_file_actions_adddup2(&actions, progress, child_progress);
    posix_spawn_file_actions_addclosefrom_np(&actions, child_progress + 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string name = program;
    std::array<char*, 2> arguments{name.data(), nullptr};
    std::array<char*, 1> environment{nullptr};
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(),
                                     environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
        return failure(Code::Unavailable, "the plugin worker could not be started",
                       program + ": " + std::strerror(failed));
    }
    return pid;
}

std::string load_text(const WorkerLoad& load) {
    Json text = {
        {"plugin", load.plugin},
        {"runtime", load.native ? "native" : "lua"},
        {"configuration", Json::parse(load.configuration, nullptr, false)},
        {"limits",
         {{"memory", load.memory}, {"instructions", load.instructions}, {"output", load.output}}}};
    if (load.native) {
        text["object"] = load.object;
    } else {
        text["files"] = load.lua;
    }
    return text.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What a plugin says to people: at most 1024 bytes, and text whatever it sent.
std::string readable(std::string_view said) {
    constexpr std::size_t most = 1024;
    const Json text(std::string(said.substr(0, most)));
    return Json::parse(text.dump(-1, ' ', false, Json::error_handler_t::replace), nullptr, false);
}

std::string ending_of(int status) {
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        if (signal == SIGSYS) return "tried a forbidden system call";
        return std::string("was ended by ") + strsignal(signal);
    }
    return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Millis steady_now() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const std::string& program,
                                                            const WorkerLoad& load,
                                                            const StartDeadlines& deadlines,
                                                            std::shared_ptr<WorkerPulse> pulse) {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        return failure(Code::Unavailable, "no socket for a plugin worker", std::strerror(errno));
    }
    Descriptor ours(pair[0]);
    Descriptor theirs(moved_up(pair[1]));
    // A worker that does not read must not hold us up.
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    Descriptor memory(moved_up(::memfd_create("dutybook-worker", MFD_CLOEXEC)));
    void* mapped = MAP_FAILED;
    if (memory.get() >= 0 && ::ftruncate(memory.get(), page) == 0) {
        mapped = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
    }
    if (mapped == MAP_FAILED) {
        return failure(Code::Unavailable, "no shared page for a plugin worker",
                       std::strerror(errno));
    }
    std::unique_ptr<WorkerProcess> self(new WorkerProcess(std::move(pulse)));
    self->progress_ = new (mapped) std::atomic<std::uint64_t>(0);
    self->socket_ = ours.release();
    TRY_ASSIGN(self->pid_, spawn(program, theirs.get(), memory.get()));
    self->pulse_->pid = self->pid_;
    self->pulse_->beat = steady_now();
    TRY(self->send('L', load_text(load), deadlines.process));
    ::close(theirs.release());

    TRY(self->read_answer('S', deadlines.process));
    self->pulse_->beat = steady_now();
    auto ready = self->read_answer('R', deadlines.load);
    if (!ready) {
        const std::string ending = self->closed_ ? self->end() : std::string();
        if (!ending.empty()) return failure(Code::Unavailable, ending);
        return std::move(ready).error();
    }
    self->ready_ = Json::parse(*ready, nullptr, false);
    if (!self->ready_.is_object()) {
        return failure(Code::Internal, "the plugin worker's first answer cannot be read");
    }
    return self;
}

WorkerProcess::~WorkerProcess() {
    end();
    if (progress_ != nullptr) ::munmap(static_cast<void*>(progress_), page);
}

std::string WorkerProcess::end() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    if (pid_ <= 0) return {};
    pulse_->pid = 0;
    int status = 0;
    // If it is gone already we want to know how; if not it is killed. One that has closed its
    // socket is dying, or soon will be.
    pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    for (const Millis asked = steady_now();
         reaped == 0 && closed_ && steady_now() - asked < dying_takes;) {
        ::usleep(1000);
        reaped = ::waitpid(pid_, &status, WNOHANG);
    }
    const bool killed_by_us = reaped == 0;
    if (killed_by_us) {
        ::kill(pid_, SIGKILL);
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
    }
    pid_ = -1;
    return killed_by_us ? std::string() : ending_of(status);
}

Result<void> WorkerProcess::send(char type, std::string_view payload, Millis deadline) {
    TRY_ASSIGN(const auto head, frame_head(type, payload.size()));
    for (std::string_view rest : {std::string_view(head.data(), head.size()), payload}) {
        while (!rest.empty()) {
            const ssize_t put = ::write(socket_, rest.data(), rest.size());
            if (put > 0) {
                rest.remove_prefix(static_cast<std::size_t>(put));
                continue;
            }
            if (put == 0 || (errno != EAGAIN && errno != EINTR)) {
                closed_ = true;
                return failure(Code::Unavailable, "closed its socket");
            }
            if (pulse_->cancel) return failure(Code::Unavailable, "was ended");
            if (steady_now() - pulse_->beat > deadline) {
                return failure(Code::Timeout,
                               "did not listen for " + std::to_string(deadline) + " ms");
            }
            pollfd waiting{socket_, POLLOUT, 0};
            ::poll(&waiting, 1, static_cast<int>(look_interval));
        }
    }
    return {};
}

// Reads one frame of the wanted type, within `deadline` ms of the last beat. Log lines in between
// are passed on; an error frame becomes the error.
Result<std::string> WorkerProcess::read_answer(char wanted, Millis deadline) {
    std::uint64_t seen = progress_->load(std::memory_order_acquire);
    Millis last = pulse_->beat;
    std::size_t logs = 0;
    while (true) {
        auto frame = take_frame(arrived_);
        if (!frame) return failure(Code::Internal, "sent a frame of a wrong size");
        if (*frame) {
            auto& [type, payload] = **frame;
            if (type == 'G') {
                if (++logs > most_logs) return failure(Code::Internal, "logs without end");
                log_info("plugin", readable(payload), {});
                continue;
            }
            if (type == 'E') return failure(Code::Malformed, readable(payload));
            if (type != wanted || (wanted != 'S' && !arrived_.empty())) {
                return failure(Code::Internal, "sent what it was not asked for");
            }
            return std::move(payload);
        }
        pollfd waiting{socket_, POLLIN, 0};
        const int events = ::poll(&waiting, 1, static_cast<int>(look_interval));
        if (events > 0) {
            std::array<char, 65536> chunk{};
            const ssize_t got = ::read(socket_, chunk.data(), chunk.size());
            if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (got <= 0) {
                closed_ = true;
                return failure(Code::Unavailable, "closed its socket");
            }
            arrived_.append(chunk.data(), static_cast<std::size_t>(got));
        }
        const std::uint64_t now_seen = progress_->load(std::memory_order_acquire);
        if (now_seen > seen && now_seen <= batch_size_) {
            seen = now_seen;
            last = steady_now();
            pulse_->beat = last;
        }
        if (pulse_->cancel) return failure(Code::Unavailable, "was ended");
        // A worker that trickles bytes, or counts beyond the batch, makes no progress by that.
        if (steady_now() - last > deadline) {
            return failure(Code::Timeout,
                           "gave no answer within " + std::to_string(deadline) + " ms");
        }
    }
}

std::optional<std::vector<Result<std::string>>> split_answers(std::string_view text,
                                                              std::size_t calls) {
    std::vector<Result<std::string>> answers;
    while (!text.empty() && answers.size() < calls) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.empty()) return std::nullopt;
        if (line.front() == '+') {
            answers.emplace_back(std::string(line.substr(1)));
        } else {
            answers.emplace_back(failure(Code::Internal, readable(line.substr(1))));
        }
    }
    if (!text.empty() || answers.size() != calls) return std::nullopt;
    return answers;
}

WorkerProcess::Batch WorkerProcess::run(std::span<const WorkerCall> calls, Millis deadline) {
    Batch batch;
    std::string text;
    std::size_t size = 0;
    for (const WorkerCall& call : calls) {
        size += call.verb.size() + call.name.size() + call.input.size() + 3;
    }
    text.reserve(size);
    for (const WorkerCall& call : calls) {
        text.append(call.verb).append(1, ' ').append(call.name).append(1, '\t');
        text.append(call.input).append(1, '\n');
    }
    progress_->store(0, std::memory_order_release);
    batch_size_ = calls.size();
    pulse_->beat = steady_now();
    std::string fault;
    pollfd early{socket_, POLLIN, 0};
    if (::poll(&early, 1, 0) != 0) {
        fault = "sent what it was not asked for";
    } else if (const auto sent = send('C', text, deadline); !sent) {
        fault = sent.error().what;
    } else if (auto answer = read_answer('A', deadline); !answer) {
        fault = answer.error().what;
    } else if (auto answers = split_answers(*answer, calls.size())) {
        batch.answers = std::move(*answers);
        batch.finished = calls.size();
        return batch;
    } else {
        fault = "answered with the wrong number of lines";
    }
    // The progress word belongs to the plugin's process too: never trust it beyond the batch.
    batch.finished = static_cast<std::size_t>(
        std::min<std::uint64_t>(progress_->load(std::memory_order_acquire), calls.size() - 1));
    const std::string ending = end();
    batch.fault = ending.empty() ? fault : ending;
    return batch;
}

std::uint64_t resident_memory(int pid) {
    if (pid <= 0) return 0;
    std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
    std::uint64_t size = 0;
    std::uint64_t pages = 0;
    file >> size >> pages;
    return file ? pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace dutybook::rules
