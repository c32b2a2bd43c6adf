#pragma once
// What the service manager is told (sd_notify). The protocol is one datagram to $NOTIFY_SOCKET;
// libsystemd would be a second copy of it with 20 dependencies.

#include <optional>
#include <string>

namespace dutybook::app {

class ServiceManager {
public:
    ServiceManager();  // reads the environment, and takes it from children
    ~ServiceManager();
    ServiceManager(const ServiceManager&) = delete;
    ServiceManager& operator=(const ServiceManager&) = delete;

    // "READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=..."; nothing happens without a manager.
    void tell(const std::string& state) const;
    // Milliseconds between two signs of life, half of what is asked for; nothing if none is.
    std::optional<int> watchdog_ms() const { return watchdog_ms_; }

private:
    int socket_ = -1;
    std::optional<int> watchdog_ms_;
};

}  // namespace dutybook::app
