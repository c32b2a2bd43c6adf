#pragma once
// The plugins of a site: which are installed, in which spaces they are on, with which settings.
// Owns the host and the kinds in use. Thread-safe.
//
// Where plugins come from, later wins: built in (beside the program), the site's own
// (DIR/plugins/<id>/, put there by `plugin install`), a space's (plugin_records.h, which ride in
// the space and are tried before they run: plugin_arrivals.h). A plugin that only a space brings is
// on in that space and in those whose parent it is. DIR/plugins.json remembers what is turned off:
//   {"format": 1, "off": [["<space>", "<plugin>"], ...]}
//
// An installed folder is written twice (package_folder.h) and replaced by renaming; the one before
// is kept as DIR/plugins/.before/<id>, so that `rollback` is one command.

#include "core/book.h"
#include "core/plugin_arrivals.h"
#include "rules/plugin_host.h"

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace dutybook::core {

struct PluginsOptions {
    std::filesystem::path directory;  // the store's
    std::filesystem::path built_in;   // folder with a folder for each plugin; may be missing
    std::filesystem::path schemas;
    std::string worker;  // path of dutybook-worker
    const Clock* clock = nullptr;
    std::string zone;
    SpaceService::Listener listener;  // told of states that change, type "plugin"
};

class Plugins {
public:
    // Reads everything. A plugin that is broken is left out and told of in problems(); only the
    // core's own kinds must be right.
    static Result<std::unique_ptr<Plugins>> open(PluginsOptions options);
    ~Plugins();

    rules::PluginHost& host();
    const rules::Kinds& kinds() const;
    const std::filesystem::path& built_in() const;

    // From now on spaces are known: settings are read, and what changes in them is followed.
    void attach(Book& book);
    // A record changed (the book's listener, any thread): settings and packages are read again.
    void changed(const Change& change);

    // From now on packages that came with a space are tried and taken into use. `trial` lints,
    // tests and runs a folder in the shadow; it is called on a thread of its own.
    void accept_arrivals(std::function<Result<std::string>(const std::filesystem::path&)> trial);
    // Before the book and what `trial` uses end.
    void end_arrivals();

    // Copies a checked package into the store and swaps it in. The caller has linted and tested.
    Result<void> install(const rules::PluginPackage& package);
    Result<void> remove(const std::string& plugin);    // only what was installed
    Result<void> rollback(const std::string& plugin);  // to the version before
    // The same for a whole space. The caller has linted and tested.
    Result<void> install_in(SpaceService& space, const rules::PluginPackage& package,
                            const Caller& caller);
    Result<void> remove_from(SpaceService& space, const std::string& plugin, const Caller& caller);
    Result<void> rollback_in(SpaceService& space, const std::string& plugin, const Caller& caller);
    // The space that a plugin came with; null if it did not come with one.
    SpaceService* home_of(const std::string& plugin);
    Result<void> turn(const std::string& space, const std::string& plugin, bool on);

    struct Listed {
        rules::PluginStatus status;
        std::string title;
        std::set<std::string> off;  // spaces
        bool migrates = false;      // records of an older shape
    };
    // Came with a space and are not in use, each with the reason.
    std::vector<PluginArrivals::Waiting> waiting() const;
    std::vector<Listed> list() const;
    std::vector<Error> problems() const;

private:
    struct State;
    explicit Plugins(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace dutybook::core
