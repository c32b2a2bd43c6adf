#include "sync/remote_check.h"

#include "base/file.h"
#include "store/control_log.h"

#include <algorithm>

#include <unistd.h>

namespace dutybook::sync {
namespace {

constexpr Millis local_deadline = 10'000;  // of programs that contact nobody

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        if (end > begin) lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

class Check {
public:
    Check(const RemoteConfig& remote, const GitTransfer::Options& options,
          core::SpaceService& space, const std::atomic<bool>& cancel)
        : remote_(remote),
          space_(space),
          log_(space.log()),
          cancel_(cancel),
          transfer_(options),
          git_({options.supervise, options.config}) {}

    SyncService::CheckResult run() {
        const auto url = parse_remote_url(remote_.url);
        if (!url) return failed(url.error());
        if (url->kind == RemoteKind::Directory && !directory(*url)) return std::move(result_);
        if (url->kind == RemoteKind::Ssh) find_key(*url);
        const auto listed = transfer_.list(remote_, cancel_);
        if (!listed) return failed(listed.error());
        said_list(*listed);
        if (of_another_space(*listed)) {
            say("It holds another space: each space has a remote of its own; see its URL with "
                "`dutybook remote list`.");
            return std::move(result_);
        }
        const auto readme = log_.readme_commit();
        if (!readme) return failed(readme.error());
        const auto writable = transfer_.try_push(remote_, {readme_ref, *readme, {}}, cancel_);
        if (!writable) return failed(writable.error());
        say("This account may write there.");
        result_.ok = true;
        return std::move(result_);
    }

private:
    void say(std::string sentence) { result_.lines.push_back(std::move(sentence)); }

    SyncService::CheckResult failed(const Error& error) {
        say(error.text());
        return std::move(result_);
    }

    // False: there is nothing more to try.
    bool directory(const RemoteUrl& url) {
        const DirectoryLook look = look_at_directory(url.directory);
        switch (look.state) {
            case DirectoryState::Missing:
                say("There is no folder " + url.directory +
                    "; plug the stick in, or mount the share.");
                return false;
            case DirectoryState::Creatable:
                say(remote_.create ? "There is no repository yet at " + url.directory +
                                         "; the first sync makes it."
                                   : "There is no repository at " + url.directory +
                                         "; add the remote with --create to have one made.");
                result_.ok = remote_.create;
                return false;
            case DirectoryState::Foreign:
                say(url.directory + " holds something else than a repository.");
                return false;
            case DirectoryState::Unusable:
            case DirectoryState::Damaged:
                say("The repository is damaged (" + look.why +
                    "); the next sync moves it aside and makes a new one.");
                return false;
            case DirectoryState::Unsafe:
                say("The repository is not used: " + look.why + ".");
                return false;
            case DirectoryState::Good:
                break;
        }
        say("The repository is there.");
        const fs::path objects = fs::path(url.directory) / "objects";
        std::error_code ignored;
        if (fs::exists(objects, ignored) && ::access(objects.c_str(), W_OK) != 0) {
            say("This account may not write to " + url.directory + ".");
            return false;
        }
        constexpr std::uintmax_t a_volume = 1 << 20;
        const auto room = fs::space(objects, ignored);
        if (!ignored && room.available < a_volume) {
            say("The disk there is full: less than 1 MiB is free; make room.");
            return false;
        }
        return true;
    }

    // The key that ssh would offer first: of the agent, else the first identity file that is there.
    void find_key(const RemoteUrl& url) {
        std::vector<std::string> words = {"ssh", "-G"};
        if (!url.port.empty()) words.insert(words.end(), {"-p", url.port});
        words.push_back(url.user_host);
        const auto settings = git_.run_other(words, local_deadline, cancel_);
        const auto agent = git_.run_other({"ssh-add", "-L"}, local_deadline, cancel_);
        if (agent && agent->status == 0 && !lines_of(agent->out).empty())
            result_.public_key = lines_of(agent->out).front();
        const std::string home = git_environment({})["HOME"];
        for (const std::string& line : lines_of(settings ? settings->out : std::string())) {
            if (!result_.public_key.empty()) break;
            if (!line.starts_with("identityfile ")) continue;
            std::string file = line.substr(13);
            if (file.starts_with("~/")) file.replace(0, 1, home);
            const auto key = read_file(file.append(".pub"), 1 << 16);
            if (key && !lines_of(*key).empty()) result_.public_key = lines_of(*key).front();
        }
        if (result_.public_key.empty())
            say("No ssh key was found for this account; make one with: ssh-keygen -t ed25519");
        else
            say("Register this public key there, with write access: " + result_.public_key);
    }

    void said_list(const Transfer::Refs& listed) {
        const auto logs = std::count_if(listed.begin(), listed.end(), [](const auto& ref) {
            return store::VolumeName::parse(ref.first).has_value();
        });
        say("It answers; it holds " + std::to_string(logs) +
            (logs == 1 ? " volume of a log." : " volumes of logs."));
    }

    // As its control log says, which is fetched for it and thrown away. What cannot be fetched or
    // read now is left to the sync, which tells more.
    bool of_another_space(const Transfer::Refs& listed) {
        const auto control = listed.find(store::control_ref);
        if (control == listed.end()) return false;
        auto quarantine = log_.open_quarantine();
        if (!quarantine) return false;
        const Wanted wanted{control->first, control->second, {}};
        bool another = false;
        if (transfer_.fetch(remote_, {wanted}, **quarantine, cancel_)) {
            const auto chain =
                store::read_control_chain((*quarantine)->path(), wanted.tip, space_.facts().id);
            another = chain && chain->refused && chain->refused->pointer == "/space";
        }
        static_cast<void>((*quarantine)->clear());
        return another;
    }

    const RemoteConfig& remote_;
    core::SpaceService& space_;
    store::Log& log_;
    const std::atomic<bool>& cancel_;
    GitTransfer transfer_;
    GitCommand git_;
    SyncService::CheckResult result_;
};

}  // namespace

SyncService::CheckResult check_remote(const RemoteConfig& remote,
                                      const GitTransfer::Options& options,
                                      core::SpaceService& space, const std::atomic<bool>& cancel) {
    return Check(remote, options, space, cancel).run();
}

}  // namespace dutybook::sync
