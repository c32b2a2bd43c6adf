#pragma once
// The client as a function of its arguments, and what it needs from the program around it.

#include "base/json.h"
#include "base/result.h"

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace dutybook::cli {

// What works on a store's files while no daemon runs. The client itself knows the API alone;
// the program brings these.
struct Offline {
    struct Init {
        std::filesystem::path store;
        std::string site, space, zone;
    };
    // {"site":{"id","name","zone","public_key"},"space":{"id","name"},"store"}
    std::function<Result<Json>(const Init&)> init;
    // Whether all of an invitation can be joined in the store as it is, or in a new one: what
    // cannot be joined leaves nothing.
    std::function<Result<void>(const std::filesystem::path& store, const Json& invitation)>
        check_invitation;
    // Makes the store of an invitation if there is none, and adds its spaces and remotes.
    // {"site":{...},"spaces":[name...],"remotes":[name...]}
    std::function<Result<Json>(const std::filesystem::path& store, const Json& invitation)> join;
    struct Recover {
        std::filesystem::path store;
        std::string key, remote, site = "recovered", zone, space;
    };
    // Makes a store whose site is an administrator of the space on the remote.
    // {"site":{...},"space":NAME,"store"}
    std::function<Result<Json>(const Recover&)> recover;
    // The sites of the space, as GET /v1/spaces/{space}/members lists them. `space`
    // may be empty if there is only one.
    std::function<Result<Json>(const std::filesystem::path& store, const std::string& space)>
        members;

    // {"items":[line...]} of what doctor can tell from the files alone (schemas/doctor).
    std::function<Json(const std::filesystem::path& store)> doctor;

    // A store as one encrypted file, also while its daemon runs; and a store made from one.
    // {"file","store","files","bytes"}
    struct Backup {
        std::filesystem::path store, file;
        std::string passphrase;
        std::function<void(const std::string& step, std::uint64_t done, std::uint64_t all)>
            progress;
    };
    std::function<Result<Json>(const Backup&)> backup, restore;

    // The tools of those who write plugins. They print, and return the exit code.
    struct PluginTest {
        std::filesystem::path folder, store;
        std::string only;
        bool permute = false, coverage = false, bless = false, json = false;
    };
    struct NewPlugin {
        std::string name, from = "blank", runtime = "lua";
    };
    // store: whose version of the plugin comes before, and whose plugins it may require.
    struct PluginFolder {
        std::filesystem::path folder, store;
        bool json = false;
    };
    std::function<int(const PluginFolder&, std::ostream&out)> lint, bench;
    std::function<int(const PluginTest&, std::ostream& out)> test;
    std::function<Result<void>(const NewPlugin&)> make_plugin;
    // The text of an import mapping: the file, else that of a plugin by its name ("oneroster").
    std::function<Result<std::string>(const std::string& name, const std::string& file)> mapping;
};

// Returns the exit code. `arguments` without the program's name.
int run(const std::vector<std::string>& arguments, const Offline& offline, std::ostream& out,
        std::ostream& err);
// The same for the commands that need the API and nothing else; nothing is done for any other.
// Links no library beyond `base`.
std::optional<int> run_everyday(const std::vector<std::string>& arguments, std::ostream& out,
                                std::ostream& err);

}  // namespace dutybook::cli
