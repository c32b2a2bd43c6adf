#pragma once
// Plugins that came with a space: tried before they run. A thread of its own looks at the package
// records of every space when something changed; a package that is new here is put together,
// linted, tested and run in the shadow (the trial), and only then takes the place of the one
// before, which goes on running until then, and for good if the trial fails.
//
// Accepted packages lie in DIR/plugins/.spaces/<space>/<plugin>, so that a start tries nothing
// again. A package that failed is tried again at the next start and when its record changes.

#include "core/book.h"
#include "core/plugin_records.h"

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace dutybook::core {

class PluginArrivals {
public:
    struct Options {
        std::filesystem::path directory;  // DIR/plugins
        // Lint, tests, shadow run of a folder; what the shadow run says.
        std::function<Result<std::string>(const std::filesystem::path& folder)> trial;
        // Whether a site may choose plugins for a space. Its operations are signed, so that the
        // site is known for certain; who may is for the circle of members to say.
        std::function<bool(const std::string& space, const std::string& site)> may_install;
        std::function<void()> accepted;  // folders changed: read them again. Any thread.
        // What is told to people: plugin, canonical JSON.
        std::function<void(const std::string& plugin, const Json& what)> tell;
    };
    PluginArrivals(Options options, Book& book);
    ~PluginArrivals();  // waits for a trial that runs
    PluginArrivals(const PluginArrivals&) = delete;
    PluginArrivals& operator=(const PluginArrivals&) = delete;

    void look();  // soon, on the thread
    // What the space's record chose takes its place now, untried: it was tried here before.
    Result<void> take(SpaceService& space, const std::string& plugin);

    struct Waiting {
        std::string space, plugin, version, digest, why;
    };
    std::vector<Waiting> waiting() const;  // not accepted here

private:
    void run();
    void look_into(SpaceService& space);
    void consider(SpaceService& space, const PackageRecord& record);
    Result<void> check_chooser(SpaceService& space, const PackageRecord& record) const;
    Result<std::string> try_out(const PackageRecord& record, const rules::PackageFiles& files);
    Result<void> place(SpaceService& space, const PackageRecord& record,
                       const rules::PackageFiles& files);
    void drop_what_left(SpaceService& space, const std::set<std::string>& chosen);
    std::filesystem::path folder_of(SpaceService& space, const std::string& plugin) const;

    const Options options_;
    Book& book_;
    mutable std::mutex mutex_;  // for all below
    std::condition_variable wake_;
    bool look_ = true, stopping_ = false;
    std::map<std::pair<std::string, std::string>, Waiting> waiting_;  // by space and plugin
    std::mutex places_;  // held while folders are changed
    std::thread thread_;
};

}  // namespace dutybook::core
