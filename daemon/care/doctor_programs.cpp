// What the daemon stands on: libraries, git, and what the kernel offers to confine plugins.

#include "care/doctor.h"

#include "base/file.h"
#include "base/process.h"
#include "store/versions.h"
#include "sync/git_command.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <sstream>

namespace dutybook::care {

namespace {

using Version = std::array<int, 3>;

Version parsed(const std::string& text) {
    Version version{};
    std::istringstream in(text);
    char dot = '.';
    in >> version[0] >> dot >> version[1] >> dot >> version[2];
    return version;
}

Line at_least(const std::string& name, const std::string& found, const std::string& lowest,
              const std::string& why) {
    if (parsed(found) >= parsed(lowest)) return {"versions", Level::Ok, name + " " + found, ""};
    return {"versions", Level::Fail,
            name + " " + (found.empty() ? "is missing" : found) + "; needed is " + lowest +
                " or newer: " + why,
            "update " + name + " with the system's packages"};
}

std::string git_version(const std::string& supervise) {
    ProcessRequest request;
    request.arguments = {"git", "--version"};
    request.environment = sync::git_environment({});
    request.directory = "/";
    request.limits.total = 5'000;
    const std::atomic<bool> never{false};
    const auto ran = run_process(request, supervise, never);
    if (!ran || ran->status != 0) return {};
    const auto at = ran->out.find_first_of("0123456789");  // "git version 2.39.5"
    if (at == std::string::npos) return {};
    return ran->out.substr(at, ran->out.find_first_of(" \n", at) - at);
}

Line confinement() {
    const long landlock =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    const auto actions = read_file("/proc/sys/kernel/seccomp/actions_avail", 4096);
    const bool seccomp = actions && actions->find("kill_process") != std::string::npos;
    const std::string found = std::string("seccomp ") + (seccomp ? "yes" : "no") + ", Landlock " +
                              (landlock > 0 ? "ABI " + std::to_string(landlock) : "no");
    if (!seccomp) {
        return {"sandbox", Level::Fail, found + ": no plugin can run",
                "use a kernel with seccomp filters"};
    }
    if (landlock <= 0) {
        return {"sandbox", Level::Warn,
                found + ": a native plugin could read this user's files while it is loaded",
                "use a kernel of 5.13 or newer with Landlock turned on (lsm=landlock)"};
    }
    return {"sandbox", Level::Ok, found, ""};
}

}  // namespace

Lines check_programs(const std::string& supervise) {
    const auto versions = store::library_versions();
    return {at_least("libgit2", versions.git, "1.5.1", "its fixes of 2024 are needed"),
            at_least("SQLite", versions.sqlite, "3.38.0", "the JSON functions"),
            at_least("git", git_version(supervise), "2.34.0", "signed commits, protocol v2"),
            confinement()};
}

}  // namespace dutybook::care
