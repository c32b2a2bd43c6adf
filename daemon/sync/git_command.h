#pragma once
// How stock git is run: its environment, configuration, deadlines and limits.
//
// The environment is scrubbed: only what finds programs, keys, credential helpers and proxies is
// kept (HOME, PATH, USER, SSH_AUTH_SOCK, XDG_*, DBUS_SESSION_BUS_ADDRESS, proxies, certificate
// files). No GIT_* of ours reaches the child. The system's configuration is read, since
// administrators put credential helpers and certificate authorities there; GIT_CONFIG_GLOBAL is a
// file of the daemon that includes the service user's own. What must hold whatever these say is
// given with -c.

#include "base/process.h"
#include "sync/transfer.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::sync {

using Environment = std::map<std::string, std::string>;

// From this process's own environment; HOME from the user database if it is not set.
// `config` is the path of the file that write_git_config makes.
Environment git_environment(const std::filesystem::path& config);

// The file for GIT_CONFIG_GLOBAL. Directory remotes are listed as safe: they may belong to another
// user (a USB stick), and only a global configuration file can say so. Written only if it differs.
Result<void> write_git_config(const std::filesystem::path& config,
                              const std::vector<RemoteConfig>& remotes);

class GitCommand {
public:
    struct Options {
        std::string supervise;         // path of dutybook-supervise
        std::filesystem::path config;  // GIT_CONFIG_GLOBAL
    };
    explicit GitCommand(Options options);

    struct Run {
        std::vector<std::string> arguments;  // after `git -c ...`
        std::string directory;               // --git-dir, empty = none
        std::string input;
        Millis stall = 60'000, total = 60'000;
        std::uint64_t file_size = 0;       // RLIMIT_FSIZE
        std::uint64_t memory = 96u << 20;  // RLIMIT_DATA of each process
        std::function<void(std::string_view)> on_stderr;
    };
    Result<ProcessResult> run(const Run& run, const std::atomic<bool>& cancel);
    // Any other program in the same environment (ssh for `remote check`).
    Result<ProcessResult> run_other(std::vector<std::string> arguments, Millis total,
                                    const std::atomic<bool>& cancel);

private:
    // ssh without questions and with deadlines, unless the administrator chose a command.
    Result<void> choose_ssh(Millis stall, const std::atomic<bool>& cancel);

    Options options_;
    Environment environment_;
    bool ssh_chosen_ = false, ssh_of_administrator_ = false;
};

}  // namespace dutybook::sync
