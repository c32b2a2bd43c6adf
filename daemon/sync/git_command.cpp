#include "sync/git_command.h"

#include "base/file.h"
#include "sync/remote_url.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include <pwd.h>
#include <unistd.h>

namespace dutybook::sync {
namespace {

constexpr std::array<const char*, 27> kept_variables = {"HOME",
                                                        "PATH",
                                                        "USER",
                                                        "LOGNAME",
                                                        "SSH_AUTH_SOCK",
                                                        "TMPDIR",
                                                        "GNUPGHOME",
                                                        "KRB5CCNAME",
                                                        "XDG_CONFIG_HOME",
                                                        "XDG_CACHE_HOME",
                                                        "XDG_DATA_HOME",
                                                        "XDG_RUNTIME_DIR",
                                                        "DBUS_SESSION_BUS_ADDRESS",
                                                        "http_proxy",
                                                        "https_proxy",
                                                        "HTTPS_PROXY",
                                                        "all_proxy",
                                                        "ALL_PROXY",
                                                        "no_proxy",
                                                        "NO_PROXY",
                                                        "SSL_CERT_FILE",
                                                        "SSL_CERT_DIR",
                                                        "GIT_SSL_CAINFO",
                                                        "GIT_SSL_CAPATH",
                                                        "CURL_CA_BUNDLE",
                                                        "TZ",
                                                        "MALLOC_ARENA_MAX"};

std::string home_of_account() {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0) return {};
    return found == nullptr ? std::string() : std::string(found->pw_dir);
}

// A value of git's configuration language, always quoted.
std::string quoted(const std::string& value) {
    std::string out = "\"";
    for (const char c : value) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

// The paths under which git may know a directory: as written, without links, and its .git.
std::set<std::string> spellings(const std::string& directory) {
    std::set<std::string> paths;
    std::error_code ignored;
    const fs::path written(directory);
    for (const fs::path& path :
         {written, written.lexically_normal(), fs::weakly_canonical(written, ignored)}) {
        std::string text = path.string();
        while (text.size() > 1 && text.ends_with('/')) text.pop_back();
        if (text.empty()) continue;
        paths.insert(text);
        paths.insert(text + "/.git");
    }
    return paths;
}

// A word of a shell's command.
std::string in_shell(const std::string& word) {
    std::string out = "'";
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

// What `git credential-store` reads; git takes out of it what a host refuses.
Result<void> write_sign_ins(const fs::path& file, const std::set<std::string>& lines) {
    std::error_code ignored;
    if (lines.empty()) {
        fs::remove(file, ignored);
        return {};
    }
    std::string text;
    for (const std::string& line : lines) text += line;
    const auto there = read_file(file);
    if (there && *there == text) return {};
    return write_file_atomically(file, text);
}

std::vector<std::string> settings(Millis stall) {
    const auto seconds = std::to_string(std::max<Millis>(1, stall / 1000));
    std::vector<std::string> words = {"git"};
    for (const std::string& setting :
         {std::string("core.hooksPath=/dev/null"), std::string("core.fsmonitor=false"),
          std::string("gc.auto=0"), std::string("maintenance.auto=false"),
          std::string("protocol.version=2"), std::string("http.lowSpeedLimit=1"),
          "http.lowSpeedTime=" + seconds, std::string("fetch.fsckObjects=true"),
          // Always a pack, never loose objects: one file to check, and its size is known.
          std::string("fetch.unpackLimit=1"),
          // Larger blobs are streamed: a bomb costs no memory, and the checks refuse it.
          std::string("core.bigFileThreshold=8m"), std::string("pack.threads=1"),
          // Parts of packs that are mapped at a time; the default is all of a pack.
          std::string("core.packedGitWindowSize=4m"), std::string("core.packedGitLimit=32m"),
          std::string("core.deltaBaseCacheLimit=16m"),
          // Nothing is fetched from where a remote points to instead of from the remote.
          std::string("http.followRedirects=initial"), std::string("transfer.bundleURI=false"),
          // Segments are compressed already: looking for deltas finds nothing.
          std::string("pack.window=0"),
          // Only what we name is negotiated; the refs of the log would be offered otherwise.
          std::string("core.alternateRefsCommand=true"), std::string("push.negotiate=false"),
          std::string("push.gpgSign=false"), std::string("push.followTags=false"),
          std::string("fetch.recurseSubmodules=false"), std::string("submodule.recurse=false"),
          std::string("fetch.writeCommitGraph=false"), std::string("color.ui=false"),
          std::string("advice.pushUpdateRejected=false"),
          std::string("transfer.advertiseSID=false")}) {
        words.emplace_back("-c");
        words.push_back(setting);
    }
    return words;
}

}  // namespace

Environment git_environment(const std::filesystem::path& config) {
    Environment environment;
    for (const char* name : kept_variables)
        if (const char* value = std::getenv(name)) environment[name] = value;
    if (!environment.contains("HOME")) environment["HOME"] = home_of_account();
    if (!environment.contains("PATH")) environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
    environment["LC_ALL"] = "C";
    environment["GIT_TERMINAL_PROMPT"] = "0";
    environment["GIT_ALLOW_PROTOCOL"] = "ssh:https:file";
    environment["GIT_OPTIONAL_LOCKS"] = "0";
    environment["GIT_CONFIG_GLOBAL"] = config.string();
    return environment;
}

Result<void> write_git_config(const std::filesystem::path& config,
                              const std::vector<RemoteConfig>& remotes) {
    const Environment environment = git_environment(config);
    const auto value = [&](const char* name) {
        const auto at = environment.find(name);
        return at == environment.end() ? std::string() : at->second;
    };
    const std::string home = value("HOME");
    const std::string xdg = value("XDG_CONFIG_HOME");
    std::string text =
        "# Written by dutybookd for its transfers; changes here are lost. Put your own settings\n"
        "# into the service user's git configuration, which is included.\n[include]\n";
    text += "\tpath = " + quoted((xdg.empty() ? home + "/.config" : xdg) + "/git/config") + "\n";
    text += "\tpath = " + quoted(home + "/.gitconfig") + "\n";
    // A directory remote tidies itself up, but never behind the back of whoever pulls the stick.
    text += "[gc]\n\tautoDetach = false\n[safe]\n";
    std::set<std::string> directories, sign_ins;
    const fs::path credentials = config.parent_path() / "git-credentials";
    std::string signs;
    for (const RemoteConfig& remote : remotes) {
        const auto url = parse_remote_url(remote.url);
        if (!url) continue;
        if (url->kind == RemoteKind::Directory) directories.merge(spellings(url->directory));
        // The arguments of a process are read by every account: a password reaches git in a file.
        if (!url->sign_in.empty() && sign_ins.insert(url->sign_in + "\n").second)
            signs += "[credential " + quoted(url->url) +
                     "]\n\tuseHttpPath = true\n\thelper =\n\thelper = " +
                     quoted("store --file=" + in_shell(credentials.string())) + "\n";
    }
    for (const std::string& directory : directories)
        text += "\tdirectory = " + quoted(directory) + "\n";
    text += signs;
    TRY(write_sign_ins(credentials, sign_ins));
    const auto there = read_file(config);
    if (there && *there == text) return {};
    return write_file_atomically(config, text);
}

GitCommand::GitCommand(Options options)
    : options_(std::move(options)), environment_(git_environment(options_.config)) {}

Result<void> GitCommand::choose_ssh(Millis stall, const std::atomic<bool>& cancel) {
    if (!ssh_chosen_) {
        ProcessRequest request;
        request.arguments = {"git", "config", "--get", "core.sshCommand"};
        request.environment = environment_;
        request.directory = "/";
        request.limits.total = 10'000;
        TRY_ASSIGN(const ProcessResult found, run_process(request, options_.supervise, cancel));
        ssh_of_administrator_ = found.status == 0 && found.out.size() > 1;
        ssh_chosen_ = true;
    }
    if (ssh_of_administrator_) return {};
    // Half of the stall: ssh's own sentence says more than our deadline.
    const auto connect = std::to_string(std::clamp<Millis>(stall / 2000, 1, 30));
    environment_["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=" + connect +
                                      " -o ServerAliveInterval=15 -o ServerAliveCountMax=3";
    return {};
}

Result<ProcessResult> GitCommand::run(const Run& run, const std::atomic<bool>& cancel) {
    TRY(choose_ssh(run.stall, cancel));
    ProcessRequest request;
    request.arguments = settings(run.stall);
    if (!run.directory.empty()) request.arguments.push_back("--git-dir=" + run.directory);
    request.arguments.insert(request.arguments.end(), run.arguments.begin(), run.arguments.end());
    request.environment = environment_;
    request.directory = run.directory.empty() ? "/" : run.directory;
    request.input = run.input;
    request.limits.stall = run.stall;
    request.limits.total = run.total;
    request.limits.file_size = run.file_size;
    request.limits.memory = run.memory;
    request.on_stderr = run.on_stderr;
    return run_process(request, options_.supervise, cancel);
}

Result<ProcessResult> GitCommand::run_other(std::vector<std::string> arguments, Millis total,
                                            const std::atomic<bool>& cancel) {
    ProcessRequest request;
    request.arguments = std::move(arguments);
    request.environment = environment_;
    request.directory = "/";
    request.limits.stall = request.limits.total = total;
    return run_process(request, options_.supervise, cancel);
}

}  // namespace dutybook::sync
