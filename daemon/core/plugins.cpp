#include "core/plugins_state.h"

#include "base/file.h"
#include "base/kept_file.h"
#include "base/log.h"
#include "core/package_folder.h"

#include <algorithm>

namespace dutybook::core {

namespace {

using Off = PluginsOff;

std::vector<fs::path> folders_below(const fs::path& parent) {
    std::vector<fs::path> folders;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(parent, failed)) {
        // Those with a dot are being written, or belong to somebody else.
        if (entry.path().filename().string().front() == '.') continue;
        if (fs::exists(entry.path() / "plugin.json", failed)) folders.push_back(entry.path());
    }
    std::sort(folders.begin(), folders.end());
    return folders;
}

Off read_off(const fs::path& path) {
    Off off;
    const auto text = read_file(path, 1u << 20);
    const auto json = text ? parse_json(*text, {8, 1u << 20}) : Result<Json>(text.error());
    if (!json || !json->is_object()) return off;
    for (const Json& pair : json->value("off", Json::array())) {
        if (pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string()) {
            off.emplace(pair[0], pair[1]);
        }
    }
    return off;
}

Result<void> write_off(const fs::path& path, const Off& off) {
    Json pairs = Json::array();
    for (const auto& [space, plugin] : off) pairs.push_back({space, plugin});
    return write_kept(path, Json{{"format", 1}, {"off", pairs}}.dump(2) + "\n");
}

}  // namespace

void Plugins::State::read_folder(const fs::path& folder, const Origin& origin) {
    auto reading = rules::read_package_folder(folder, *reader);
    if (!reading.errors.empty()) {
        for (Error& error : reading.errors) {
            log_error("plugin", "a plugin is left out", {{"error", error.text()}});
            problems.push_back(std::move(error));
        }
        return;
    }
    const std::string id = reading.package.manifest.id;
    if (origin.space.empty()) {
        only_of.erase(id);
    } else if (plugins.count(id) == 0 || only_of.count(id) != 0) {
        only_of[id] = origin.space;
    }
    reading.package.files.clear();  // their digest is known, and nothing here reads them again
    plugins[id] = {std::move(reading.package), {}, origin.name};
}

void Plugins::State::read_all() {
    plugins.clear();
    only_of.clear();
    problems.clear();
    for (const auto& folder : folders_below(options.built_in)) {
        read_folder(folder, {"built in", ""});
    }
    for (const auto& folder : folders_below(installed())) read_folder(folder, {"site", ""});
    std::vector<fs::path> spaces;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(installed() / ".spaces", failed)) {
        spaces.push_back(entry.path());
    }
    std::sort(spaces.begin(), spaces.end());
    for (const auto& space : spaces) {
        const std::string name = space.filename().string();
        for (const auto& folder : folders_below(space)) {
            read_folder(folder, {"space " + name, name});
        }
    }
}

Result<void> Plugins::State::read_again() {
    read_all();
    TRY(swap_in());
    if (book != nullptr) {
        for (SpaceService* space : book->spaces()) read_settings(*space);
    }
    recheck_everywhere();
    return {};
}

std::set<std::string> Plugins::State::spaces_of(const std::string& plugin) const {
    std::set<std::string> spaces;
    if (book == nullptr) return spaces;
    for (SpaceService* space : book->spaces()) {
        const std::string& name = space->facts().name;
        const auto only = only_of.find(plugin);
        const bool reaches =
            only == only_of.end() || only->second == name || only->second == space->facts().parent;
        if (reaches && off.count({name, plugin}) == 0) spaces.insert(name);
    }
    return spaces;
}

// Kinds first: a plugin whose kinds clash with another's is left out whole. Compiling all schemas
// is most of a start and of the memory, so it is done once for a set of plugins, and one by one
// only to find out who clashes.
Result<void> Plugins::State::adopt_kinds() {
    std::string wanted;
    for (const auto& [id, activation] : plugins) wanted += id + activation.package.digest + "\n";
    if (kinds && wanted == adopted) return {};
    TRY_ASSIGN(auto sources, rules::read_kind_folder(options.schemas / "kinds", "core"));
    clashing.clear();
    auto registry = registry_with(sources);
    if (!registry) {
        for (const auto& [id, activation] : plugins) {
            auto more = sources;
            more.insert(more.end(), activation.package.kinds.begin(),
                        activation.package.kinds.end());
            const auto fits = rules::KindRegistry::build(more);
            if (fits) {
                sources = std::move(more);
                continue;
            }
            clashing.emplace(id, fits.error());
            log_error("plugin", "a plugin is left out", {{"error", fits.error().text()}});
        }
        TRY_ASSIGN(sources, rules::read_kind_folder(options.schemas / "kinds", "core"));
        registry = registry_with(sources);
        TRY(registry);
    }
    if (kinds) {
        kinds->replace(std::move(*registry));
    } else {
        kinds = std::make_unique<rules::LiveKinds>(std::move(*registry));
    }
    adopted = std::move(wanted);
    return {};
}

// The kinds of `sources` and of all plugins that do not clash, indexed as their rules look.
Result<std::shared_ptr<const rules::KindRegistry>> Plugins::State::registry_with(
    std::vector<rules::KindSource> sources) const {
    rules::Lookups lookups;
    for (const auto& [id, activation] : plugins) {
        if (clashing.contains(id)) continue;
        const auto& more = activation.package.kinds;
        sources.insert(sources.end(), more.begin(), more.end());
        rules::add_lookups(activation.package.manifest, lookups);
    }
    return rules::KindRegistry::build(sources, lookups);
}

Result<void> Plugins::State::swap_in() {
    TRY(adopt_kinds());
    std::vector<rules::PluginHost::Activation> active;
    for (auto& [id, activation] : plugins) {
        if (const auto clash = clashing.find(id); clash != clashing.end()) {
            problems.push_back(clash->second);
            continue;
        }
        activation.spaces = spaces_of(id);
        active.push_back(activation);
    }
    if (!host) {
        rules::PluginHost::Options with;
        with.worker = options.worker;
        with.clock = options.clock;
        with.kinds = kinds.get();
        with.zone = options.zone;
        if (options.listener) {
            with.changed = [tell = options.listener](const std::string& plugin,
                                                     const rules::SlotStatus& status) {
                const std::string word(rules::name_of(status.state));
                if (status.state == rules::SlotState::Quarantined) {
                    log_error("plugin", "quarantined",
                              {{"plugin", plugin}, {"why", status.last_fault}});
                }
                tell(
                    {"", "plugin", plugin,
                     canonical({{"plugin", plugin}, {"state", word}, {"why", status.last_fault}})});
            };
        }
        host = std::make_unique<rules::PluginHost>(std::move(with));
    }
    host->activate(std::move(active));
    host->warm_up();
    return {};
}

// Settings of a space: its own records over its parent's.
void Plugins::State::read_settings(SpaceService& space) {
    std::map<std::string, Json> settings;
    const auto collect = [&](SpaceService* from) {
        if (from == nullptr) return;
        store::Query query;
        query.kind = settings_kind;
        query.limit = 1000;
        const auto page = from->reader().list(query);
        if (!page) return;
        // Oldest first: where two records set one thing, the newest holds.
        for (auto record = page->records.rbegin(); record != page->records.rend(); ++record) {
            const auto& fields = record->state.fields;
            const auto plugin = fields.find("plugin");
            if (plugin == fields.end() || record->state.status == domain::Status::Retracted)
                continue;
            const Json name_of_plugin = Json::parse(plugin->second);
            if (!name_of_plugin.is_string()) continue;  // another site may have written anything
            Json& all = settings[name_of_plugin];
            for (const auto& [name, value] : fields) {
                if (name != "plugin") all[name] = Json::parse(value);
            }
        }
    };
    collect(book->space(space.facts().parent));
    collect(&space);
    for (const auto& [plugin, values] : settings) {
        host->configure(space.facts().name, plugin, values);
    }
}

void Plugins::State::recheck_everywhere() {
    if (book == nullptr) return;
    for (SpaceService* space : book->spaces()) {
        space->post([](SpaceEngine& engine) {
            const auto noted = engine.recheck_missing();
            if (!noted) {
                log_warning("plugin", "rules are not run again", {{"error", noted.error().text()}});
            }
        });
    }
}

Plugins::Plugins(std::unique_ptr<State> state) : state_(std::move(state)) {}
Plugins::~Plugins() = default;

Result<std::unique_ptr<Plugins>> Plugins::open(PluginsOptions options) {
    auto state = std::make_unique<State>();
    state->options = std::move(options);
    TRY_ASSIGN(auto reader, rules::ManifestReader::open(state->options.schemas));
    state->reader.emplace(std::move(reader));
    state->off = read_off(state->off_file());
    state->read_all();
    TRY(state->swap_in());
    return std::unique_ptr<Plugins>(new Plugins(std::move(state)));
}

rules::PluginHost& Plugins::host() {
    return *state_->host;
}

const rules::Kinds& Plugins::kinds() const {
    return *state_->kinds;
}

const fs::path& Plugins::built_in() const {
    return state_->options.built_in;
}

void Plugins::attach(Book& book) {
    const std::lock_guard lock(state_->mutex);
    state_->book = &book;
    if (const auto swapped = state_->swap_in(); !swapped) {
        log_error("plugin", "plugins are off", {{"error", swapped.error().text()}});
    }
    for (SpaceService* space : book.spaces()) state_->read_settings(*space);
    state_->recheck_everywhere();
}

void Plugins::changed(const Change& change) {
    // Too much changed at once to be told record by record.
    const bool many = change.type == "sync";
    if (change.type != "record" && !many) return;
    const std::lock_guard lock(state_->mutex);
    if (state_->book == nullptr) return;
    SpaceService* space = state_->book->space(change.space);
    if (space == nullptr) return;
    if (many) {
        for (SpaceService* each : state_->book->spaces()) state_->read_settings(*each);
        state_->recheck_everywhere();
        if (state_->arrivals) state_->arrivals->look();
        return;
    }
    // Most records are of no interest here, and this runs behind every write.
    if (change.kind == settings_kind) {
        for (SpaceService* each : state_->book->spaces()) state_->read_settings(*each);
        state_->recheck_everywhere();
    } else if (change.kind == package_kind || change.kind == part_kind) {
        if (state_->arrivals) state_->arrivals->look();
    }
}

Result<void> Plugins::install(const rules::PluginPackage& package) {
    const std::lock_guard lock(state_->mutex);
    const std::string& id = package.manifest.id;
    const auto place = state_->installed() / id;
    TRY(make_directories(state_->before()));
    if (fs::exists(place)) TRY(move_package(place, state_->before() / id));
    TRY(put_package(place, package.files));
    return state_->read_again();
}

Result<void> Plugins::remove(const std::string& plugin) {
    const std::lock_guard lock(state_->mutex);
    std::error_code failed;
    const auto place = state_->installed() / plugin;
    if (plugin.empty() || plugin.front() == '.' || !fs::exists(place / "plugin.json", failed)) {
        return failure(Code::NotFound, "no plugin " + plugin + " is installed on this site",
                       state_->plugins.count(plugin) != 0 ? "it came with the program" : "",
                       "`dutybook plugin disable` turns one off");
    }
    TRY(make_directories(state_->before()));
    TRY(move_package(place, state_->before() / plugin));
    return state_->read_again();
}

Result<void> Plugins::rollback(const std::string& plugin) {
    const std::lock_guard lock(state_->mutex);
    std::error_code failed;
    const auto place = state_->installed() / plugin;
    const auto before = state_->before() / plugin;
    if (plugin.empty() || plugin.front() == '.' || !fs::exists(before / "plugin.json", failed)) {
        return failure(Code::NotFound, "there is no version of " + plugin + " before this one");
    }
    const auto aside = state_->before() / (".swap-" + plugin);
    if (fs::exists(place)) TRY(move_package(place, aside));
    TRY(move_package(before, place));
    if (fs::exists(aside)) TRY(move_package(aside, before));
    return state_->read_again();
}

Result<void> Plugins::turn(const std::string& space, const std::string& plugin, bool on) {
    const std::lock_guard lock(state_->mutex);
    if (state_->plugins.count(plugin) == 0) {
        return failure(Code::NotFound, "no plugin " + plugin, {},
                       "`dutybook plugin list` shows all");
    }
    if (on) {
        state_->off.erase({space, plugin});
    } else {
        state_->off.emplace(space, plugin);
    }
    TRY(write_off(state_->off_file(), state_->off));
    state_->host->forgive(plugin).has_value();
    TRY(state_->swap_in());
    state_->recheck_everywhere();
    return {};
}

std::vector<Plugins::Listed> Plugins::list() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<Listed> all;
    for (auto& status : state_->host->statuses()) {
        Listed one{std::move(status), {}, {}};
        if (const auto active = state_->host->find(one.status.id)) {
            one.title = rules::text_in(active->package.manifest.title, "en");
            one.migrates = !active->package.manifest.migrated_kinds().empty();
        }
        for (const auto& [space, plugin] : state_->off) {
            if (plugin == one.status.id) one.off.insert(space);
        }
        all.push_back(std::move(one));
    }
    return all;
}

std::vector<Error> Plugins::problems() const {
    const std::lock_guard lock(state_->mutex);
    return state_->problems;
}

}  // namespace dutybook::core
