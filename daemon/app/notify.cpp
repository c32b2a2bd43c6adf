#include "app/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace dutybook::app {

ServiceManager::ServiceManager() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    const char* pid = std::getenv("WATCHDOG_PID");
    const char* usec = std::getenv("WATCHDOG_USEC");
    const bool watched = usec && (!pid || std::atol(pid) == ::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t length = path ? std::strlen(path) : 0;
    if (length > 1 && length < sizeof address.sun_path && (path[0] == '/' || path[0] == '@')) {
        std::memcpy(address.sun_path, path, length);
        if (path[0] == '@') address.sun_path[0] = '\0';
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
        if (socket_ >= 0 &&
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
            ::close(socket_);
            socket_ = -1;
        }
        if (watched && std::atol(usec) >= 2000)
            watchdog_ms_ = static_cast<int>(std::atol(usec) / 2000);
    }
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}) ::unsetenv(name);
}

ServiceManager::~ServiceManager() {
    if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::tell(const std::string& state) const {
    if (socket_ >= 0) (void)!::send(socket_, state.data(), state.size(), MSG_NOSIGNAL);
}

}  // namespace dutybook::app
