#pragma once
// What Plugins is made of; only plugins*.cpp include it.

#include "core/plugins.h"

#include <map>
#include <mutex>
#include <optional>
#include <set>

namespace dutybook::core {

using PluginsOff = std::set<std::pair<std::string, std::string>>;  // space, plugin

struct Plugins::State {
    PluginsOptions options;
    std::optional<rules::ManifestReader> reader;
    std::unique_ptr<rules::LiveKinds> kinds;
    std::unique_ptr<rules::PluginHost> host;
    std::mutex mutex;  // for all below
    Book* book = nullptr;
    PluginsOff off;
    std::map<std::string, rules::PluginHost::Activation> plugins;  // by id
    std::map<std::string, std::string> only_of;  // plugins that a space alone brings: its name
    std::vector<Error> problems;
    std::string adopted;                    // the plugins whose kinds are registered
    std::map<std::string, Error> clashing;  // those of them that are left out, and why
    std::unique_ptr<PluginArrivals> arrivals;

    std::filesystem::path installed() const { return options.directory / "plugins"; }
    std::filesystem::path before() const { return installed() / ".before"; }
    std::filesystem::path off_file() const { return options.directory / "plugins.json"; }

    void read_all();
    struct Origin {
        std::string name, space;  // space: empty unless it came with one
    };
    void read_folder(const std::filesystem::path& folder, const Origin& origin);
    Result<void> adopt_kinds();
    Result<std::shared_ptr<const rules::KindRegistry>> registry_with(
        std::vector<rules::KindSource> sources) const;
    Result<void> swap_in();
    void read_settings(SpaceService& space);
    void recheck_everywhere();
    Result<void> read_again();  // folders changed
    bool may_install(const std::string& space, const std::string& site) const;
    std::set<std::string> spaces_of(const std::string& plugin) const;
};

}  // namespace dutybook::core
