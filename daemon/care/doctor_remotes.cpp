// Whether each remote answers, all at once and each within a deadline.

#include "care/doctor.h"

#include "sync/directory_remote.h"
#include "sync/git_transfer.h"
#include "sync/remote_url.h"
#include "sync/remotes.h"

#include <future>

namespace dutybook::care {

namespace fs = std::filesystem;

namespace {

struct Asked {
    std::string space;
    sync::RemoteConfig remote;
};

Line directory_line(const std::string& name, const sync::RemoteConfig& remote,
                    const std::string& directory) {
    const auto look = sync::look_at_directory(directory);
    switch (look.state) {
        case sync::DirectoryState::Missing:
            return {name, Level::Warn, "there is no folder " + directory,
                    "plug the stick in, or mount the share"};
        case sync::DirectoryState::Creatable:
            if (remote.create) {
                return {name, Level::Ok, "no repository yet; the first sync makes it", ""};
            }
            return {name, Level::Fail, "there is no repository at " + directory,
                    "add the remote with --create to have one made"};
        case sync::DirectoryState::Foreign:
            return {name, Level::Fail, directory + " holds something else than a repository",
                    "name another folder"};
        case sync::DirectoryState::Unusable:
        case sync::DirectoryState::Damaged:
            return {name, Level::Warn, "the repository is damaged: " + look.why,
                    "the next sync moves it aside and makes a new one"};
        case sync::DirectoryState::Unsafe:
            return {name, Level::Fail, "the repository's own settings are not safe: " + look.why,
                    "find out who wrote there, and remove what is named or make a new repository"};
        case sync::DirectoryState::Good:
            break;
    }
    return {name, Level::Ok, "the repository is there", ""};
}

Line ask(const Asked& asked, const DoctorOptions& options) {
    const std::string name = "remote " + asked.remote.name;
    const auto url = sync::parse_remote_url(asked.remote.url);
    if (!url) return {name, Level::Fail, url.error().text(), "remove it and add it again"};
    if (url->kind == sync::RemoteKind::Directory) {
        return directory_line(name, asked.remote, url->directory);
    }
    auto remote = asked.remote;
    remote.timeout = std::min(remote.timeout, options.remote_deadline);
    sync::GitTransfer transfer({(options.store / "spaces" / asked.space / "log.git").string(),
                                options.supervise, options.store / "gitconfig", options.clock});
    const std::atomic<bool> never{false};
    const auto listed = transfer.list(remote, never);
    if (listed) return {name, Level::Ok, "it answers", ""};
    return {name, Level::Warn, listed.error().text(),
            "try: dutybook remote check " + asked.remote.name +
                "; without a link this is normal, and work goes on"};
}

}  // namespace

Lines check_remotes(const DoctorOptions& options) {
    Lines lines;
    std::vector<Asked> all;
    std::error_code failed;
    for (const auto& space : fs::directory_iterator(options.store / "spaces", failed)) {
        const auto file = sync::load_remotes(sync::remotes_path(space.path()));
        if (!file) {
            lines.push_back({"remotes", Level::Fail, file.error().text(), file.error().fix});
            continue;
        }
        const std::string name = space.path().filename();
        if (file->remotes.empty()) {
            lines.push_back({"remotes", Level::Warn,
                             "the space " + name +
                                 " has none: it is kept "
                                 "on this machine alone",
                             "dutybook remote add NAME URL"});
        }
        for (const auto& record : file->remotes) all.push_back({name, record.config});
    }
    std::vector<std::future<Line>> answers;
    answers.reserve(all.size());
    for (const auto& one : all) {
        answers.push_back(
            std::async(std::launch::async, [&one, &options] { return ask(one, options); }));
    }
    for (auto& answer : answers) lines.push_back(answer.get());
    return lines;
}

}  // namespace dutybook::care
