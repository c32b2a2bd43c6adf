#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace dutybook {

namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

Error system_error(const std::string& what, const fs::path& path, int number) {
    Code code = Code::Io;
    std::string fix;
    if (number == ENOENT) {
        code = Code::NotFound;
        fix = "is the path right?";
    }
    if (number == EACCES || number == EPERM) fix = "give this account access to it";
    if (number == ENOSPC || number == EDQUOT) {
        code = Code::Full;
        fix = "make room on the disk";
    }
    if (number == EROFS) fix = "check the disk (dmesg), then mount its volume for writing";
    return failure(code, what + " " + path.string(), std::strerror(number), std::move(fix));
}

Result<void> write_all(int fd, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error("cannot write", path, errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<void> sync_path(const fs::path& path, int flags) {
    const Descriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) return system_error("cannot open", path, errno);
    if (::fsync(file.get()) != 0) return system_error("cannot sync", path, errno);
    return {};
}

bool is_pipe(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode);
}

bool is_regular(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t limit) {
    // Without O_NONBLOCK a named pipe in the place of a file would be waited for without end.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) return system_error("cannot open", path, errno);
    std::string out;
    for (;;) {
        const std::size_t had = out.size();
        out.resize(had + 64 * 1024);
        const ssize_t count = ::read(file.get(), out.data() + had, out.size() - had);
        out.resize(had + static_cast<std::size_t>(count > 0 ? count : 0));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN && ::fcntl(file.get(), F_SETFL, 0) == 0) continue;
        if (count < 0) return system_error("cannot read", path, errno);
        if (out.empty() && is_pipe(file.get())) {
            return failure(Code::Io, "cannot read " + path.string(),
                           "it is a named pipe into which nobody writes");
        }
        if (out.size() > limit) {
            return failure(Code::TooLarge, "cannot read " + path.string(),
                           "it is larger than " + std::to_string(limit) + " bytes");
        }
        if (count == 0) {
            out.shrink_to_fit();  // whoever keeps a small file must not keep the room for a large
                                  // one
            return out;
        }
    }
}

Result<void> write_file_atomically(const fs::path& path, std::string_view bytes, unsigned mode) {
    std::string temporary = path.string() + ".new-XXXXXX";
    const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (file.get() < 0) return system_error("cannot create", temporary, errno);
    auto written = write_all(file.get(), bytes, temporary);
    if (written && ::fchmod(file.get(), static_cast<mode_t>(mode)) != 0) {
        written = system_error("cannot set the mode of", temporary, errno);
    }
    if (written && ::fsync(file.get()) != 0) {
        written = system_error("cannot sync", temporary, errno);
    }
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
        written = system_error("cannot replace", path, errno);
    }
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }
    return sync_directory(folder_of(path));
}

Result<void> make_directories(const fs::path& path, unsigned mode) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) {
        if (S_ISDIR(info.st_mode)) return {};
        return failure(Code::Io, "cannot create " + path.string(), "a file is in its place",
                       "move that file away");
    }
    const fs::path parent = folder_of(path);
    if (parent != path) TRY(make_directories(parent, mode));
    if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) != 0 && errno != EEXIST) {
        return system_error("cannot create", path, errno);
    }
    TRY(sync_directory(path));
    return sync_directory(parent);
}

Result<void> sync_directory(const fs::path& path) {
    return sync_path(path, O_RDONLY | O_DIRECTORY);
}

Result<void> sync_file(const fs::path& path) {
    return sync_path(path, O_RDONLY);
}

Result<FileLock> FileLock::take(const fs::path& path) {
    const Descriptor file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (file.get() < 0 && errno == EISDIR)
        return failure(Code::Io, "cannot open " + path.string(), "a folder stands in its place",
                       "move that folder away");
    if (file.get() < 0 && errno == ELOOP)
        return failure(Code::Io, "cannot open " + path.string(), "a link stands in its place",
                       "move that link away");
    if (file.get() < 0) return system_error("cannot open", path, errno);
    if (!is_regular(file.get())) return failure(Code::Io, path.string() + " is no file");
    // Not on the file: whoever deletes it would let a second process in.
    const int fd = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_error("cannot open the folder of", path, errno);
    FileLock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK) {
        return failure(Code::Unavailable, path.string() + " is locked", "another process holds it",
                       "stop that process first");
    }
    return system_error("cannot lock", path, errno);
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

FileLock::~FileLock() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace dutybook
