#include "base/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dutybook {
namespace {

constexpr int lifeline_in_child = 3;
constexpr Millis cancel_look = 20;        // how often `cancel` is looked at
constexpr Millis supervise_grace = 1000;  // before the supervisor itself is killed
constexpr std::size_t err_kept = 64 * 1024;

Millis now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        reset();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }
    ~Fd() { reset(); }
    int get() const { return fd_; }
    bool open() const { return fd_ >= 0; }
    void reset() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_ = -1;
};

Error system_error(const std::string& what) {
    const int number = errno;
    const Code code = number == ENOSPC ? Code::Full : Code::Io;
    return failure(code, what, std::strerror(number));
}

struct Ends {
    Fd ours, theirs;
};

// The child's ends lie above the numbers that they are moved to, so that no dup2 there overwrites
// another's source and none is onto itself (which would leave close-on-exec set).
Result<Fd> above_standard(Fd fd) {
    const int moved = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10);
    if (moved < 0) return system_error("cannot set up a pipe");
    return Fd(moved);
}

Result<Ends> make_ends(int ours, int theirs) {
    Ends ends{Fd(ours), {}};
    TRY_ASSIGN(ends.theirs, above_standard(Fd(theirs)));
    if (::fcntl(ours, F_SETFL, O_NONBLOCK) != 0) return system_error("cannot set up a pipe");
    return ends;
}

Result<Ends> ends_to_read() {
    std::array<int, 2> pair{};
    if (::pipe2(pair.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe");
    return make_ends(pair[0], pair[1]);
}

// A socket, so that a child that closed its input is an error to us and not a signal.
Result<Ends> ends_to_write() {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
        return system_error("cannot make a socket pair");
    return make_ends(pair[0], pair[1]);
}

Result<Ends> ends_of_lifeline() {
    std::array<int, 2> pair{};
    if (::pipe2(pair.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe");
    return make_ends(pair[1], pair[0]);
}

class SpawnActions {
public:
    SpawnActions() { posix_spawn_file_actions_init(&actions_); }
    ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    posix_spawn_file_actions_t* get() { return &actions_; }

private:
    posix_spawn_file_actions_t actions_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

// One running child with our ends of its pipes.
class Child {
public:
    Child(const ProcessRequest& request, const std::atomic<bool>& cancel)
        : request_(request), cancel_(cancel) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ > 0) end();
    }

    Result<void> start(const std::string& supervise);
    Result<ProcessResult> attend();

private:
    void write_input();
    void read_from(Fd& end, const std::function<void(std::string_view)>& take);
    void take_err(std::string_view text);
    void move_bytes(bool& gone);
    std::optional<Error> reason_to_stop() const;
    int end();
    std::string name() const {
        return std::filesystem::path(request_.arguments.front()).filename().string();
    }

    const ProcessRequest& request_;
    const std::atomic<bool>& cancel_;
    pid_t pid_ = -1;
    Fd lifeline_, in_, out_, err_;
    std::size_t written_ = 0;
    std::uint64_t messages_ = 0;
    Millis started_ = 0, last_byte_ = 0;
    ProcessResult result_;
};

Result<void> Child::start(const std::string& supervise) {
    TRY_ASSIGN(Ends in, ends_to_write());
    TRY_ASSIGN(Ends out, ends_to_read());
    TRY_ASSIGN(Ends err, ends_to_read());
    TRY_ASSIGN(Ends life, ends_of_lifeline());

    std::vector<std::string> words = {supervise, std::to_string(lifeline_in_child),
                                      std::to_string(request_.limits.file_size),
                                      std::to_string(request_.limits.memory)};
    words.insert(words.end(), request_.arguments.begin(), request_.arguments.end());
    std::vector<std::string> variables;
    for (const auto& [name, value] : request_.environment) {
        std::string& variable = variables.emplace_back(name);
        variable.append("=").append(value);
    }

    SpawnActions actions;
    if (!request_.directory.empty())
        posix_spawn_file_actions_addchdir_np(actions.get(), request_.directory.c_str());
    posix_spawn_file_actions_adddup2(actions.get(), in.theirs.get(), 0);
    posix_spawn_file_actions_adddup2(actions.get(), out.theirs.get(), 1);
    posix_spawn_file_actions_adddup2(actions.get(), err.theirs.get(), 2);
    posix_spawn_file_actions_adddup2(actions.get(), life.theirs.get(), lifeline_in_child);
    posix_spawn_file_actions_addclosefrom_np(actions.get(), lifeline_in_child + 1);

    const int failed = ::posix_spawn(&pid_, supervise.c_str(), actions.get(), nullptr,
                                     pointers(words).data(), pointers(variables).data());
    if (failed != 0) {
        pid_ = -1;
        errno = failed;
        return system_error("cannot start " + supervise);
    }
    lifeline_ = std::move(life.ours);
    in_ = std::move(in.ours);
    out_ = std::move(out.ours);
    err_ = std::move(err.ours);
    write_input();
    started_ = last_byte_ = now();
    return {};
}

void Child::write_input() {
    const std::string& input = request_.input;
    while (written_ < input.size()) {
        const ssize_t size =
            ::send(in_.get(), input.data() + written_, input.size() - written_, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return;
        if (size < 0) break;  // it does not want the rest: its own affair
        written_ += static_cast<std::size_t>(size);
    }
    in_.reset();
}

void Child::read_from(Fd& end, const std::function<void(std::string_view)>& take) {
    std::array<char, 65536> buffer;
    const ssize_t size = ::read(end.get(), buffer.data(), buffer.size());
    if (size > 0) {
        last_byte_ = now();
        take({buffer.data(), static_cast<std::size_t>(size)});
    } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
        end.reset();
    }
}

void Child::take_err(std::string_view text) {
    if (request_.on_stderr) request_.on_stderr(text);
    messages_ += text.size();
    result_.err += text;
    if (result_.err.size() > 2 * err_kept) result_.err.erase(0, result_.err.size() - err_kept);
}

// Waits at most `cancel_look` and moves what can be moved. The life-line is an error to write to
// once the supervisor has ended (`gone`).
void Child::move_bytes(bool& gone) {
    std::array<pollfd, 4> wait = {{{gone ? -1 : lifeline_.get(), 0, 0},
                                   {in_.get(), POLLOUT, 0},
                                   {out_.get(), POLLIN, 0},
                                   {err_.get(), POLLIN, 0}}};
    if (::poll(wait.data(), wait.size(), static_cast<int>(cancel_look)) <= 0) return;
    gone = gone || wait[0].revents != 0;
    if (wait[1].revents != 0) write_input();
    if (wait[2].revents != 0) read_from(out_, [&](std::string_view text) { result_.out += text; });
    if (wait[3].revents != 0) read_from(err_, [&](std::string_view text) { take_err(text); });
}

std::optional<Error> Child::reason_to_stop() const {
    const auto seconds = [](Millis span) { return std::to_string((span + 999) / 1000) + " s"; };
    const ProcessLimits& limits = request_.limits;
    if (cancel_.load()) return failure(Code::Unavailable, name() + " was stopped", "cancelled");
    if (result_.out.size() > limits.output)
        return failure(Code::TooLarge, name() + " was stopped",
                       "it printed more than " + std::to_string(limits.output) + " bytes");
    if (messages_ > limits.messages)
        return failure(Code::TooLarge, name() + " was stopped",
                       "its messages went on after " + std::to_string(limits.messages) + " bytes");
    if (now() - last_byte_ >= limits.stall)
        return failure(Code::Timeout, name() + " was stopped",
                       "nothing came for " + seconds(limits.stall));
    if (now() - started_ >= limits.total)
        return failure(Code::Timeout, name() + " was stopped",
                       "it was not done after " + seconds(limits.total));
    return std::nullopt;
}

Result<ProcessResult> Child::attend() {
    bool gone = false;
    Millis gone_since = 0;
    while (!gone || out_.open() || err_.open()) {
        move_bytes(gone);
        if (auto stop = reason_to_stop()) {
            end();
            return *stop;
        }
        // A supervisor that was killed itself cannot have closed what its descendants hold.
        if (gone && gone_since == 0) gone_since = now();
        if (gone && now() - gone_since > supervise_grace) break;
    }
    result_.status = end();
    if (result_.err.size() > err_kept) result_.err.erase(0, result_.err.size() - err_kept);
    if (result_.status == 127 && result_.err.find("dutybook-supervise:") != std::string::npos)
        return failure(Code::Io, "cannot run " + name(), result_.err,
                       "install it, or see that it is in PATH");
    return std::move(result_);
}

// Lets go of the life-line and waits for the supervisor, which by then has killed everything below.
int Child::end() {
    lifeline_.reset();
    int status = 0;
    const Millis begin = now();
    for (;;) {
        const pid_t pid = ::waitpid(pid_, &status, WNOHANG);
        if (pid == pid_ || (pid < 0 && errno != EINTR)) break;
        if (now() - begin > supervise_grace) ::kill(pid_, SIGKILL);
        pollfd nothing{-1, 0, 0};
        ::poll(&nothing, 1, 1);
    }
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<ProcessResult> run_process(const ProcessRequest& request, const std::string& supervise,
                                  const std::atomic<bool>& cancel) {
    if (request.arguments.empty()) return failure(Code::Internal, "a process without a command");
    if (cancel.load()) return failure(Code::Unavailable, "not started", "cancelled");
    Child child(request, cancel);
    TRY(child.start(supervise));
    return child.attend();
}

std::string program_directory() {
    std::error_code ignored;
    return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string();
}

}  // namespace dutybook
