/* A disk that refuses, for tests: preloaded into a program, it makes system calls on files below a
 * folder fail while a control file says so.
 *
 *   REFUSE_BELOW    folder whose files are meant
 *   REFUSE_CONTROL  file with one line: "<errno name> <call> [<part of the path>]", for example
 *                   "ENOSPC write", "EIO fsync journal.db"; absent or empty: nothing is refused
 *
 * "LIE fsync" answers well and does nothing, as a disk that keeps its cache does not say.
 *
 * Calls: write (write, pwrite, fallocate), fsync (fsync, fdatasync), open (that may create).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int next_open(const char* path, int flags, mode_t mode) {
    static int (*real)(const char*, int, ...);
    if (!real) real = (int (*)(const char*, int, ...))dlsym(RTLD_NEXT, "open64");
    return real(path, flags, mode);
}

#define LIE (-1)

/* The errno to fail with, LIE, or 0. */
static int refused(const char* call, const char* path) {
    const char* below = getenv("REFUSE_BELOW");
    const char* control = getenv("REFUSE_CONTROL");
    char text[256], name[32] = "", wanted[32] = "", part[128] = "";
    ssize_t count;
    int fd;
    if (!below || !control || strncmp(path, below, strlen(below)) != 0) return 0;
    fd = next_open(control, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return 0;
    count = read(fd, text, sizeof text - 1);
    close(fd);
    if (count <= 0) return 0;
    text[count] = 0;
    if (sscanf(text, "%31s %31s %127s", name, wanted, part) < 2) return 0;
    if (strcmp(wanted, call) != 0 || (part[0] && !strstr(path, part))) return 0;
    if (strcmp(name, "LIE") == 0) return LIE;
    return strcmp(name, "EIO") == 0 ? EIO : ENOSPC;
}

static int refused_fd(const char* call, int fd) {
    char link[64], path[4096];
    ssize_t count;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    count = readlink(link, path, sizeof path - 1);
    if (count <= 0) return 0;
    path[count] = 0;
    return refused(call, path);
}

#define REAL(type, name, parameters) \
    static type(*real) parameters;   \
    int fault;                       \
    if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, name);

#define FAIL_IF(condition)      \
    fault = condition;          \
    if (fault == LIE) return 0; \
    if (fault) {                \
        errno = fault;          \
        return -1;              \
    }

ssize_t write(int fd, const void* data, size_t count) {
    REAL(ssize_t, "write", (int, const void*, size_t))
    FAIL_IF(refused_fd("write", fd))
    return real(fd, data, count);
}
ssize_t writev(int fd, const struct iovec* data, int count) {
    REAL(ssize_t, "writev", (int, const struct iovec*, int))
    FAIL_IF(refused_fd("write", fd))
    return real(fd, data, count);
}
ssize_t pwrite64(int fd, const void* data, size_t count, off64_t at) {
    REAL(ssize_t, "pwrite64", (int, const void*, size_t, off64_t))
    FAIL_IF(refused_fd("write", fd))
    return real(fd, data, count, at);
}
ssize_t pwrite(int fd, const void* data, size_t count, off_t at) {
    return pwrite64(fd, data, count, at);
}
int posix_fallocate64(int fd, off64_t at, off64_t count) {
    REAL(int, "posix_fallocate64", (int, off64_t, off64_t))
    fault = refused_fd("write", fd);
    return fault ? fault : real(fd, at, count);
}
int posix_fallocate(int fd, off_t at, off_t count) {
    return posix_fallocate64(fd, at, count);
}
int fsync(int fd) {
    REAL(int, "fsync", (int))
    FAIL_IF(refused_fd("fsync", fd))
    return real(fd);
}
int fdatasync(int fd) {
    REAL(int, "fdatasync", (int))
    FAIL_IF(refused_fd("fsync", fd))
    return real(fd);
}
int open64(const char* path, int flags, ...) {
    mode_t mode = 0;
    int fault;
    if (flags & O_CREAT) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
        FAIL_IF(refused("open", path))
    }
    return next_open(path, flags, mode);
}
int open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    return open64(path, flags, mode);
}
