// Plugins that come and go with a space.

#include "base/log.h"
#include "core/circle.h"
#include "core/plugins_state.h"

namespace dutybook::core {

// Administrators of the space's circle. One who has left since chose while it was one: its log
// counts no further than that. Without a control log nobody is known, so nobody may.
bool Plugins::State::may_install(const std::string& space, const std::string& site) const {
    Circle* const circle = book->circle(space);
    const auto members = circle != nullptr ? circle->membership() : nullptr;
    const auto* const member = members ? members->find(site) : nullptr;
    return member != nullptr && member->role == domain::Role::Administers;
}

void Plugins::accept_arrivals(
    std::function<Result<std::string>(const std::filesystem::path&)> trial) {
    PluginArrivals::Options options;
    options.directory = state_->installed();
    options.trial = std::move(trial);
    options.may_install = [state = state_.get()](const std::string& space,
                                                 const std::string& site) {
        return state->may_install(space, site);
    };
    options.accepted = [state = state_.get()] {
        const std::lock_guard lock(state->mutex);
        if (const auto read = state->read_again(); !read) {
            log_error("plugin", "plugins are as they were", {{"error", read.error().text()}});
        }
    };
    options.tell = [state = state_.get()](const std::string& plugin, const Json& what) {
        if (state->options.listener) {
            state->options.listener({"", "plugin", plugin, canonical(what)});
        }
    };
    const std::lock_guard lock(state_->mutex);
    state_->arrivals = std::make_unique<PluginArrivals>(std::move(options), *state_->book);
}

void Plugins::end_arrivals() {
    std::unique_ptr<PluginArrivals> ended;
    {
        const std::lock_guard lock(state_->mutex);
        ended = std::move(state_->arrivals);
    }
}

Result<void> Plugins::install_in(SpaceService& space, const rules::PluginPackage& package,
                                 const Caller& caller) {
    if (!state_->may_install(space.facts().name, space.facts().site)) {
        return failure(Code::Forbidden,
                       "this site is no administrator of space " + space.facts().name);
    }
    TRY(write_package(space, package, caller));
    return state_->arrivals->take(space, package.manifest.id);
}

Result<void> Plugins::remove_from(SpaceService& space, const std::string& plugin,
                                  const Caller& caller) {
    TRY(write_removal(space, plugin, caller));
    return state_->arrivals->take(space, plugin);
}

Result<void> Plugins::rollback_in(SpaceService& space, const std::string& plugin,
                                  const Caller& caller) {
    TRY(write_rollback(space, plugin, caller));
    return state_->arrivals->take(space, plugin);
}

SpaceService* Plugins::home_of(const std::string& plugin) {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->plugins.find(plugin);
    constexpr std::string_view came_with = "space ";
    if (found == state_->plugins.end() || !found->second.origin.starts_with(came_with)) {
        return nullptr;
    }
    return state_->book->space(found->second.origin.substr(came_with.size()));
}

std::vector<PluginArrivals::Waiting> Plugins::waiting() const {
    const std::lock_guard lock(state_->mutex);
    return state_->arrivals ? state_->arrivals->waiting() : std::vector<PluginArrivals::Waiting>{};
}

}  // namespace dutybook::core
