#include "cli/batch.h"

#include "cli/print.h"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <ostream>

namespace dutybook::cli {

namespace {

class Input {
public:
    explicit Input(const std::string& file)
        : fd_(file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC)),
          owned_(file != "-") {}
    ~Input() {
        if (owned_ && fd_ >= 0) ::close(fd_);
    }
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;
    bool good() const { return fd_ >= 0; }

    Result<std::string> next() const {
        constexpr std::size_t piece = 64 * 1024;
        std::string bytes(piece, '\0');
        for (;;) {
            const auto got = ::read(fd_, bytes.data(), bytes.size());
            if (got >= 0) {
                bytes.resize(static_cast<std::size_t>(got));
                return bytes;
            }
            if (errno != EINTR) {
                return failure(Code::Io, "the input cannot be read", std::strerror(errno),
                               "lines that were answered are stored; send the others again");
            }
        }
    }

private:
    int fd_;
    bool owned_;
};

struct Counts {
    std::uint64_t added = 0, failed = 0;
};

// People see what went wrong and a count; the records themselves would only scroll by.
void take_line(Session& session, std::string_view line, Counts& counts) {
    const Json answer = Json::parse(line, nullptr, false);
    const bool problem = !answer.is_object() || !answer.contains("kind") || answer.contains("code");
    ++(problem ? counts.failed : counts.added);
    if (session.json()) {
        session.out() << line << '\n';
    } else if (problem) {
        const Error error = error_of(answer, 400);
        session.err() << error.text() << '\n';
    }
}

}  // namespace

Result<int> add_file(Session& session, const std::string& file, const std::string& key) {
    const Input input(file);
    if (!input.good()) {
        return failure(Code::NotFound, "cannot open " + file, std::strerror(errno),
                       "name a file with one record a line, or - for standard input");
    }
    Counts counts;
    TRY(session.batch(
        session.in_space("records"), key, [&input] { return input.next(); },
        [&](std::string_view line) { take_line(session, line, counts); }));
    if (!session.json()) {
        session.out() << counts.added << " added, " << counts.failed << " failed\n";
    }
    return counts.failed == 0 ? done : refused;
}

}  // namespace dutybook::cli
