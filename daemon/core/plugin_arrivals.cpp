#include "core/plugin_arrivals.h"

#include "base/file.h"
#include "base/log.h"
#include "core/package_folder.h"

#include <pthread.h>

namespace dutybook::core {

namespace {

// Every choice of a space.
Result<std::vector<PackageRecord>> choices(store::IndexReader& reader) {
    std::vector<PackageRecord> all;
    store::Query query;
    query.kind = std::string(package_kind);
    query.limit = 500;
    do {
        TRY_ASSIGN(const store::Page page, reader.list(query));
        for (const auto& stored : page.records) {
            if (auto record = read_package_record(stored)) all.push_back(std::move(*record));
        }
        query.after = page.next;
    } while (!query.after.empty());
    return all;
}

// A plugin may not come under another's name.
Result<void> check_name(const PackageRecord& record, const rules::PackageFiles& files) {
    const auto manifest = files.find("plugin.json");
    constexpr JsonLimits limits{.depth = 32, .bytes = 1u << 20};  // as a manifest is read
    const auto json = parse_json(manifest == files.end() ? "" : manifest->second, limits);
    if (json && json->is_object() && json->value("id", Json()) == record.plugin) return {};
    return malformed("its manifest is not that of plugin " + record.plugin);
}

// Empty if there is none that can be read.
std::string digest_in(const fs::path& folder) {
    const auto files = rules::read_package_files(folder);
    return files && !files->empty() ? rules::digest_of(*files) : std::string();
}

}  // namespace

PluginArrivals::PluginArrivals(Options options, Book& book)
    : options_(std::move(options)), book_(book), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "plugins");
}

PluginArrivals::~PluginArrivals() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void PluginArrivals::look() {
    {
        const std::lock_guard lock(mutex_);
        look_ = true;
    }
    wake_.notify_one();
}

void PluginArrivals::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || look_; });
        if (stopping_) return;
        look_ = false;
        lock.unlock();
        for (SpaceService* space : book_.spaces()) look_into(*space);
        lock.lock();
    }
}

fs::path PluginArrivals::folder_of(SpaceService& space, const std::string& plugin) const {
    return options_.directory / ".spaces" / space.facts().name / plugin;
}

void PluginArrivals::look_into(SpaceService& space) {
    const auto records = choices(space.reader());
    if (!records) {
        log_warning("plugin", "the space's plugins cannot be read",
                    {{"space", space.facts().name}, {"error", records.error().text()}});
        return;
    }
    std::set<std::string> chosen;
    for (const PackageRecord& record : *records) {
        chosen.insert(record.plugin);
        consider(space, record);
    }
    drop_what_left(space, chosen);
}

void PluginArrivals::consider(SpaceService& space, const PackageRecord& record) {
    const std::pair key{space.facts().name, record.plugin};
    {
        const std::lock_guard places(places_);
        const bool here = digest_in(folder_of(space, record.plugin)) == record.now.digest;
        const std::lock_guard lock(mutex_);
        const auto held = waiting_.find(key);
        if (here) {
            if (held != waiting_.end()) waiting_.erase(held);
            return;
        }
        // Failed before; nothing but another choice changes that.
        if (held != waiting_.end() && held->second.digest == record.now.digest &&
            !held->second.why.ends_with(" has not come yet")) {
            return;
        }
    }
    std::string said;
    const auto accepted = [&]() -> Result<void> {
        TRY(check_chooser(space, record));
        TRY_ASSIGN(const auto files, read_parts(space.reader(), record.now));
        TRY(check_name(record, files));
        TRY_ASSIGN(said, try_out(record, files));
        return place(space, record, files);
    }();
    if (accepted) {
        log_info("plugin", "a plugin came with the space",
                 {{"plugin", record.plugin},
                  {"version", record.now.version},
                  {"space", key.first},
                  {"shadow", said}});
        const std::lock_guard lock(mutex_);
        waiting_.erase(key);
        return;
    }
    const std::string why = accepted.error().text();
    log_error("plugin", "a plugin that came with the space is not used",
              {{"plugin", record.plugin},
               {"version", record.now.version},
               {"space", key.first},
               {"why", why}});
    {
        const std::lock_guard lock(mutex_);
        waiting_[key] = {key.first, record.plugin, record.now.version, record.now.digest, why};
    }
    options_.tell(record.plugin, {{"plugin", record.plugin},
                                  {"version", record.now.version},
                                  {"state", "waiting"},
                                  {"why", why}});
}

Result<void> PluginArrivals::check_chooser(SpaceService& space, const PackageRecord& record) const {
    TRY_ASSIGN(const auto sites, who_chose(space.reader(), record));
    for (const std::string& site : sites) {
        if (options_.may_install(space.facts().name, site)) return {};
    }
    return failure(Code::Forbidden, "it was not put there by an administrator of the space", {},
                   "let an administrator install it");
}

Result<std::string> PluginArrivals::try_out(const PackageRecord& record,
                                            const rules::PackageFiles& files) {
    // The folder bears the plugin's name, so that mistakes are told by it.
    const auto folder = options_.directory / ".trial" / record.plugin;
    TRY(write_package_folder(folder, files));
    auto said = options_.trial(folder);
    std::error_code failed;
    fs::remove_all(folder, failed);
    return said;
}

Result<void> PluginArrivals::place(SpaceService& space, const PackageRecord& record,
                                   const rules::PackageFiles& files) {
    const auto folder = folder_of(space, record.plugin);
    {
        const std::lock_guard places(places_);
        TRY(put_package(folder, files));
    }
    options_.accepted();
    return {};
}

void PluginArrivals::drop_what_left(SpaceService& space, const std::set<std::string>& chosen) {
    bool any = false;
    {
        const std::lock_guard places(places_);
        std::error_code failed;
        const auto below = options_.directory / ".spaces" / space.facts().name;
        std::vector<fs::path> gone;
        for (const auto& entry : fs::directory_iterator(below, failed)) {
            if (!entry.is_directory(failed)) continue;
            if (chosen.count(entry.path().filename().string()) == 0) gone.push_back(entry.path());
        }
        for (const fs::path& folder : gone) {
            remove_package(folder);
            any = any || folder.filename().string().front() != '.';
        }
        const std::lock_guard lock(mutex_);
        for (auto held = waiting_.begin(); held != waiting_.end();) {
            const bool left =
                held->first.first == space.facts().name && chosen.count(held->first.second) == 0;
            held = left ? waiting_.erase(held) : std::next(held);
        }
    }
    if (any) options_.accepted();
}

Result<void> PluginArrivals::take(SpaceService& space, const std::string& plugin) {
    TRY_ASSIGN(const auto stored, space.reader().get(package_record_id(plugin)));
    const auto record = stored ? read_package_record(*stored) : std::nullopt;
    if (!record) {
        drop_what_left(space, [&] {
            std::set<std::string> chosen;
            if (const auto all = choices(space.reader())) {
                for (const auto& one : *all) chosen.insert(one.plugin);
            }
            return chosen;
        }());
        return {};
    }
    TRY_ASSIGN(const auto files, read_parts(space.reader(), record->now));
    TRY(place(space, *record, files));
    const std::lock_guard lock(mutex_);
    waiting_.erase({space.facts().name, plugin});
    return {};
}

std::vector<PluginArrivals::Waiting> PluginArrivals::waiting() const {
    const std::lock_guard lock(mutex_);
    std::vector<Waiting> all;
    for (const auto& [key, one] : waiting_) all.push_back(one);
    return all;
}

}  // namespace dutybook::core
