#include "sync/git_transfer.h"

#include "base/file.h"
#include "base/log.h"

#include <algorithm>
#include <fstream>

namespace dutybook::sync {
namespace {

// A volume closes at about 1 MiB; a last segment of up to 1 MiB may stand on top, and packing adds
// little. What is beyond this is not what was asked for.
constexpr std::uint64_t volume_allowance = 4u << 20;
constexpr std::uint64_t fetch_allowance = 16u << 20;
constexpr Millis shortest_total = 600'000;  // of a transfer whose bytes keep coming

struct Packs {
    std::uint64_t bytes = 0, objects = 0;
};

// Bytes and objects of a quarantine's packs, half-written ones (of a killed fetch) included.
Packs packs_in(const fs::path& repository) {
    Packs packs;
    std::error_code error;
    for (fs::directory_iterator at(repository / "objects" / "pack", error), end;
         !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename().string();
        const bool whole = name.ends_with(".pack");
        if (!whole && !name.starts_with("tmp_pack")) continue;
        const auto size = at->file_size(error);
        if (error) break;
        packs.bytes += size;
        if (!whole) continue;
        std::ifstream file(at->path(), std::ios::binary);
        std::array<unsigned char, 12> head{};
        if (!file.read(reinterpret_cast<char*>(head.data()), head.size())) continue;
        for (const std::size_t byte : {8u, 9u, 10u, 11u})
            packs.objects += std::uint64_t{head[byte]} << (8 * (11 - byte));
    }
    return packs;
}

std::string quarantine_ref(const std::string& ref) {
    return "refs/quarantine/" + ref.substr(std::string_view("refs/heads/").size());
}

std::string refspecs(const std::vector<Wanted>& wanted, bool by_name) {
    std::string lines;
    for (const Wanted& one : wanted)
        lines += "+" + (by_name ? one.ref : one.tip) + ":" + quarantine_ref(one.ref) + "\n";
    return lines;
}

// Servers that hand out only what they list now; the tip may have moved since our list.
bool refuses_commit_ids(const std::string& said) {
    for (const char* text : {"not our ref", "unadvertised object", "not valid",
                             "no such remote ref", "couldn't find remote ref"})
        if (said.find(text) != std::string::npos) return true;
    return false;
}

// The other end of a directory remote is git as well, run here by this account: without these, the
// hooks and settings that lie on somebody's stick would be programs that this account runs. On the
// command line they count before the repository's own configuration.
std::string other_end(const char* program) {
    return std::string(
               "git -c core.hooksPath=/dev/null -c core.alternateRefsCommand=true "
               "-c core.fsmonitor=false -c receive.autogc=false -c gc.auto=0 "
               "-c core.bigFileThreshold=8m ") +
           program;
}

void guard_other_end(std::vector<std::string>& arguments, const RemoteUrl& url, bool push) {
    if (url.kind != RemoteKind::Directory) return;
    arguments.insert(arguments.begin() + 1, push ? "--receive-pack=" + other_end("receive-pack")
                                                 : "--upload-pack=" + other_end("upload-pack"));
}

// Of each process that git starts; what it maps to read (packs) does not count. git reads commits
// and trees whole, whatever size they claim: this is what stops a bomb that is no blob. Credential
// helpers, which only https has, are programs of any size; and what is pushed is ours.
std::uint64_t memory_of(Step step, const RemoteUrl& url) {
    if (step == Step::Push) return 1u << 30;
    return url.kind == RemoteKind::Https ? 512u << 20 : 96u << 20;
}

Millis total_of(const RemoteConfig& remote) {
    return std::max(shortest_total, 10 * remote.timeout);
}

}  // namespace

GitTransfer::GitTransfer(Options options)
    : options_(std::move(options)), git_({options_.supervise, options_.config}) {}

Result<ProcessResult> GitTransfer::run(GitCommand::Run run, Step step, const RemoteConfig& remote,
                                       const RemoteUrl& url, const std::atomic<bool>& cancel,
                                       const std::set<int>& accept) {
    run.memory = memory_of(step, url);
    auto result = git_.run(run, cancel);
    if (!result) {
        Error error = result.error();
        if (error.code == Code::Timeout) {
            error.why = "it does not answer: " + error.why;
            error.fix = "see that the host is up and the link is good; `dutybook remote set " +
                        remote.name + " --timeout S` waits longer";
        }
        error.what = name_of_remote(remote.name, remote.url);
        return error;
    }
    if (accept.contains(result->status)) return result;
    Error error = sort_out(result->err, step, remote.name, url);
    if (error.code == Code::Corrupt && url.kind == RemoteKind::Directory) damaged_ = error.why;
    return error;
}

Result<std::string> GitTransfer::make_anew(const RemoteConfig& remote, const RemoteUrl& url,
                                           const std::string& why,
                                           const std::atomic<bool>& cancel) {
    TRY_ASSIGN(const fs::path aside, move_aside(url.directory, options_.clock->now()));
    TRY(create_directory_remote(url.directory, git_, cancel));
    damaged_.clear();
    std::string sentence = name_of_remote(remote.name, remote.url) + " was damaged (" + why +
                           "); it was moved to " + aside.string() + " and made anew";
    log_warning("sync", sentence);
    return sentence;
}

Result<void> GitTransfer::prepare_directory(const RemoteConfig& remote, const RemoteUrl& url,
                                            const std::atomic<bool>& cancel) {
    const DirectoryLook look = look_at_directory(url.directory);
    const auto error = [&](Code code, std::string why, std::string fix) {
        return failure(code, name_of_remote(remote.name, remote.url), std::move(why),
                       std::move(fix));
    };
    switch (look.state) {
        case DirectoryState::Missing:
            return error(Code::NotFound, "there is no such folder",
                         "plug the stick in, or mount the share");
        case DirectoryState::Creatable:
            if (!remote.create)
                return error(Code::NotFound, "there is no repository",
                             "plug the right stick in, or add the remote with --create");
            return create_directory_remote(url.directory, git_, cancel);
        case DirectoryState::Foreign:
            return error(Code::NotFound, "the folder holds something else than a repository",
                         "choose an empty folder, or one that is not there yet");
        case DirectoryState::Unusable: {
            TRY_ASSIGN(said_, make_anew(remote, url, look.why, cancel));
            return {};
        }
        case DirectoryState::Unsafe:
            return error(Code::Forbidden, look.why,
                         "find out who did that; take it out, or do not use this folder");
        case DirectoryState::Damaged:
            damaged_ = look.why;
            break;
        case DirectoryState::Good:
            break;
    }
    remove_stale_locks(url.directory);
    return {};
}

Result<Transfer::Refs> GitTransfer::list(const RemoteConfig& remote,
                                         const std::atomic<bool>& cancel) {
    TRY_ASSIGN(const RemoteUrl url, parse_remote_url(remote.url));
    if (url.kind == RemoteKind::Directory) TRY(prepare_directory(remote, url, cancel));
    GitCommand::Run command;
    command.arguments = {"ls-remote", "--refs", "--", url.url, "refs/heads/*"};
    guard_other_end(command.arguments, url, false);
    command.stall = command.total = remote.timeout;
    TRY_ASSIGN(const ProcessResult result, run(command, Step::List, remote, url, cancel));
    moved_.bytes_in += result.out.size();
    return read_listing(result.out);
}

Result<void> GitTransfer::fetch(const RemoteConfig& remote, const std::vector<Wanted>& wanted,
                                store::Quarantine& quarantine, const std::atomic<bool>& cancel) {
    TRY_ASSIGN(const RemoteUrl url, parse_remote_url(remote.url));
    GitCommand::Run command;
    command.directory = quarantine.path();
    command.arguments = {"fetch",
                         "--no-tags",
                         "--no-write-fetch-head",
                         "--no-auto-maintenance",
                         "--no-recurse-submodules",
                         "--no-show-forced-updates",
                         "--refmap=",
                         "--progress"};
    for (const Wanted& one : wanted)
        if (!one.have.empty()) command.arguments.push_back("--negotiation-tip=" + one.have);
    command.arguments.insert(command.arguments.end(), {"--stdin", "--", url.url});
    guard_other_end(command.arguments, url, false);
    command.stall = remote.timeout;
    command.total = total_of(remote);
    command.file_size = fetch_allowance + volume_allowance * wanted.size();

    const Packs before = packs_in(quarantine.path());
    command.input = refspecs(wanted, false);
    auto result = run(command, Step::Fetch, remote, url, cancel, {0, 1, 128});
    if (result && result->status != 0 && refuses_commit_ids(result->err)) {
        command.input = refspecs(wanted, true);
        result = run(command, Step::Fetch, remote, url, cancel, {0, 1, 128});
    }
    const Packs after = packs_in(quarantine.path());
    moved_.bytes_in += after.bytes - std::min(before.bytes, after.bytes);
    moved_.objects_in += after.objects - std::min(before.objects, after.objects);
    if (!result) return result.error();
    if (result->status == 0) return {};
    Error error = sort_out(result->err, Step::Fetch, remote.name, url);
    if (error.code == Code::Corrupt && url.kind == RemoteKind::Directory) damaged_ = error.why;
    return error;
}

Result<PushOutcome> GitTransfer::push(const RemoteConfig& remote,
                                      const std::vector<Offered>& offered,
                                      const std::atomic<bool>& cancel) {
    TRY_ASSIGN(const RemoteUrl url, parse_remote_url(remote.url));
    GitCommand::Run command;
    command.directory = options_.log;
    command.arguments = {"push",
                         "--porcelain",
                         "--progress",
                         "--no-verify",
                         "--no-follow-tags",
                         "--no-signed",
                         "--recurse-submodules=no"};
    for (const Offered& one : offered)
        if (one.replace)
            command.arguments.push_back("--force-with-lease=" + one.ref + ":" + one.expected);
    command.arguments.insert(command.arguments.end(), {"--", url.url});
    for (const Offered& one : offered) command.arguments.push_back(one.tip + ":" + one.ref);
    guard_other_end(command.arguments, url, true);
    command.stall = remote.timeout;
    command.total = total_of(remote);
    std::string progress;
    command.on_stderr = [&](std::string_view text) { progress += text; };
    // Status 1: some refs were refused; which ones the lines say.
    auto result = run(command, Step::Push, remote, url, cancel, {0, 1});
    moved_.bytes_out += written_bytes(progress);
    if (!result) return result.error();
    PushOutcome outcome = read_porcelain(result->out);
    if (outcome.refs.empty()) return sort_out(result->err, Step::Push, remote.name, url);
    const std::string words = words_of_host(result->err);
    for (auto& [ref, reason] : outcome.reasons) {
        // It could keep nothing of what came, and would not a second time.
        if (reason.find("unpacker error") != std::string::npos)
            return sort_out(words.empty() ? result->err : words, Step::Push, remote.name, url);
        if (!words.empty()) reason += ": " + words;
    }
    return outcome;
}

Result<void> GitTransfer::try_push(const RemoteConfig& remote, const Offered& offered,
                                   const std::atomic<bool>& cancel) {
    TRY_ASSIGN(const RemoteUrl url, parse_remote_url(remote.url));
    GitCommand::Run command;
    command.directory = options_.log;
    command.arguments = {
        "push",        "--dry-run", "--porcelain", "--no-verify",
        "--no-signed", "--",        url.url,       offered.tip + ":" + offered.ref};
    guard_other_end(command.arguments, url, true);
    command.stall = command.total = remote.timeout;
    // Status 1: refused as not fast-forward, which is no matter of rights.
    TRY_ASSIGN(const ProcessResult result, run(command, Step::Push, remote, url, cancel, {0, 1}));
    if (result.status == 1 && read_porcelain(result.out).refs.empty())
        return sort_out(result.err, Step::Push, remote.name, url);
    return {};
}

Result<std::string> GitTransfer::mend(const RemoteConfig& remote, const std::atomic<bool>& cancel) {
    std::string sentence = std::exchange(said_, {});
    TRY_ASSIGN(const RemoteUrl url, parse_remote_url(remote.url));
    if (damaged_.empty() || url.kind != RemoteKind::Directory) return sentence;
    return make_anew(remote, url, std::exchange(damaged_, {}), cancel);
}

}  // namespace dutybook::sync
