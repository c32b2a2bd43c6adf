#include "base/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace dutybook {

void fill_standard_streams() {
    // A new descriptor is the lowest free one.
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) continue;
        static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
}

}  // namespace dutybook
