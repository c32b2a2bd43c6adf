#include "core/book.h"

#include "core/alarms.h"
#include "core/hosted_space.h"
#include "core/identity.h"
#include "core/keyring.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"
#include "base/log.h"

#include <unistd.h>

#include <fstream>
#include <shared_mutex>

namespace dutybook::core {

namespace {

// The lock, and the pid of whoever holds it for the error message of the next.
Result<FileLock> lock_store(const fs::path& directory) {
    const auto path = directory / "lock";
    auto lock = FileLock::take(path);
    if (!lock) {
        const auto holder = read_file(path, 64);
        Error error = lock.error();
        if (error.code == Code::Unavailable) {
            error.what = "the store " + directory.string() + " is in use";
            error.why = holder && !holder->empty() ? "a daemon runs on it, process " + *holder
                                                   : "another process holds it";
            error.fix = "stop that one first";
        } else if (error.fix.empty()) {
            error.fix = "move what stands there aside; it holds nothing but who has the store";
        }
        return error;
    }
    std::ofstream(path, std::ios::trunc) << ::getpid();
    return lock;
}

}  // namespace

struct Book::State {
    // Constant after open().
    BookOptions options;
    SiteFile file;
    std::optional<FileLock> lock;
    std::shared_ptr<const rules::KindRegistry> kinds;
    rules::NoRules no_rules;
    HostedContext context;
    std::unique_ptr<DiskRoom> room;

    // By `mutex`. A space's thread reads its parent under a shared lock, so that no space goes
    // away under a reader.
    std::shared_mutex mutex;
    std::map<std::string, std::unique_ptr<HostedSpace>> spaces;

    ~State() {
        std::map<std::string, std::unique_ptr<HostedSpace>> closing;
        {
            const std::unique_lock taken(mutex);
            closing.swap(spaces);
        }
        closing.clear();  // their journals ask for room until the end
        room.reset();     // its thread looks at the spaces
    }

    void tell_room(bool full) {
        const std::shared_lock taken(mutex);
        for (const auto& [name, hosted] : spaces) {
            hosted->service->post([full, text = room->refusal().text()](SpaceEngine& engine) {
                const std::string& space = engine.facts().name;
                if (full) return engine.raise({"", "disk-full", space, text, 0});
                engine.close_alarm(alarm_id("disk-full", space));
            });
        }
    }

    Kinship kinship_of(const SpaceRecord& record) {
        Kinship kinship;
        if (!record.parent.empty()) {
            kinship.read_parent =
                [this, parent = record.parent](const SpaceParts::Reading& read) -> Result<bool> {
                const std::shared_lock taken(mutex);
                const auto found = spaces.find(parent);
                if (found == spaces.end()) return false;
                TRY(read(found->second->service->reader()));
                return true;
            };
        }
        kinship.tell_children = [this, name = record.name](const auto& records) {
            tell_children(name, records);
        };
        return kinship;
    }

    // On the thread of the space: what its index shows now is what its children are told of.
    void tell_children(const std::string& name, const std::vector<std::string>& records) {
        const std::shared_lock taken(mutex);
        const auto self = spaces.find(name);
        if (self == spaces.end()) return;
        for (const auto& [child, hosted] : spaces) {
            if (hosted->service->facts().parent != name) continue;
            const auto point = self->second->service->reader().point();
            if (!point)
                return log_warning("core", "a space below is not told of changes",
                                   {{"space", child}, {"error", point.error().text()}});
            hosted->service->post([records, point = *point](SpaceEngine& engine) {
                engine.recheck_for_parent(records, point);
            });
        }
    }

    Result<SpaceService*> open_space(const fs::path& folder, bool moved) {
        TRY_ASSIGN(const SpaceRecord record, read_space(folder));
        TRY_ASSIGN(auto hosted,
                   HostedSpace::open(context, folder, record, kinship_of(record), moved));
        auto* service = hosted->service.get();
        const std::unique_lock taken(mutex);
        spaces[record.name] = std::move(hosted);
        return service;
    }
};

Result<Site> Book::create(const fs::path& directory, const std::string& site_name,
                          const std::string& zone, const Clock&) {
    TRY(check_site_name(site_name));
    if (!zone_exists(zone)) {
        return malformed("no such time zone: " + zone + " (for example Europe/Berlin)");
    }
    if (fs::exists(directory / "site.json")) {
        return failure(Code::Exists, directory.string() + " is a store already", "",
                       "choose another directory");
    }
    TRY(make_directories(directory));
    TRY(check_directory(directory));
    TRY(make_directories(directory / "spaces"));
    TRY_ASSIGN(const PublicKey sign, Keyring::make(directory, site_name));
    const Site site{domain::site_id_of(sign), site_name, zone,
                    store::ssh_public_key(sign) + " " + site_name};
    TRY_ASSIGN(const Place place, place_of(directory));
    TRY(write_site(directory, {site, place, {}}));  // last: only now it is a store
    return site;
}

Book::Book(std::unique_ptr<State> state) : state_(std::move(state)) {}
Book::~Book() = default;

Result<std::unique_ptr<Book>> Book::open(BookOptions options) {
    crypto_start();
    auto state = std::make_unique<State>();
    state->options = std::move(options);
    const auto& directory = state->options.directory;
    TRY(check_directory(directory));
    TRY_ASSIGN(state->file, read_site(directory));
    TRY_ASSIGN(FileLock lock, lock_store(directory));
    state->lock.emplace(std::move(lock));
    if (state->options.kinds == nullptr) {
        TRY_ASSIGN(state->kinds,
                   rules::KindRegistry::load(std::vector{state->options.schemas / "kinds"}));
    }
    // First of all: on a full disk the start itself needs what is kept in reserve.
    state->room = std::make_unique<DiskRoom>(
        directory, [raw = state.get()](bool full) { raw->tell_room(full); });
    TRY(make_directories(directory / "spaces"));
    TRY(make_directories(directory / "run"));

    auto& context = state->context;
    context.room = state->room.get();
    context.site = state->file.site;
    context.clock = state->options.clock;
    context.kinds = state->options.kinds ? state->options.kinds : state->kinds.get();
    context.evaluator = state->options.evaluator ? state->options.evaluator : &state->no_rules;
    context.listener = state->options.listener;
    context.progress = state->options.progress;
    context.plain_spaces = state->options.plain_spaces;
    TRY_ASSIGN(context.ring, Keyring::read(directory, context.site.id));

    TRY_ASSIGN(const Place place, place_of(directory));
    const bool moved = !place.same_as(state->file.place);
    if (moved) log_info("core", "the store was moved, copied or restored: new writers are opened");
    std::vector<fs::path> folders;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(directory / "spaces", failed)) {
        if (fs::exists(entry.path() / "space.json")) {
            folders.push_back(entry.path());
        } else if (fs::exists(entry.path() / "journal.db")) {  // else a join that was cut off
            return failure(Code::Corrupt, (entry.path() / "space.json").string() + " is missing",
                           "the space's records are there, but not what space it is",
                           "restore that file, or the store, from a backup");
        }
    }
    for (const auto& missing : missing_spaces(directory, state->file))
        note_healed({directory / "spaces" / missing.name, "the space's folder is missing",
                     missing.fix, true});
    std::sort(folders.begin(), folders.end());
    auto file = state->file;
    for (const auto& folder : folders) {
        TRY(state->open_space(folder, moved));
        file.spaces.insert(folder.filename());
    }
    // Only after every space has its new writer: a crash before this does it all again.
    if (moved) file.place = place;
    if (moved || file.spaces != state->file.spaces) {
        state->file = file;
        TRY(write_site(directory, state->file));
    }
    return std::unique_ptr<Book>(new Book(std::move(state)));
}

const Site& Book::site() const {
    return state_->file.site;
}

const fs::path& Book::directory() const {
    return state_->options.directory;
}

const rules::Kinds& Book::kinds() const {
    return *state_->context.kinds;
}

std::vector<SpaceService*> Book::spaces() {
    const std::shared_lock taken(state_->mutex);
    std::vector<SpaceService*> out;
    for (const auto& [name, hosted] : state_->spaces) out.push_back(hosted->service.get());
    return out;
}

SpaceService* Book::space(const std::string& name) {
    const std::shared_lock taken(state_->mutex);
    const auto found = state_->spaces.find(name);
    return found == state_->spaces.end() ? nullptr : found->second->service.get();
}

Circle* Book::circle(const std::string& space) {
    const std::shared_lock taken(state_->mutex);
    const auto found = state_->spaces.find(space);
    return found == state_->spaces.end() ? nullptr : found->second->circle.get();
}

Result<SpaceService*> Book::open_space(const std::string& name) {
    return state_->open_space(space_directory(name), false);
}

Result<void> Book::renew_keys() {
    TRY(state_->context.ring->renew(site().name));
    Result<void> followed;
    for (SpaceService* space : spaces()) {
        space->run([&](SpaceEngine& engine) {
            const auto done = engine.follow_circle();
            if (!done) followed = done;
        });
    }
    return followed;
}

fs::path Book::space_directory(const std::string& name) const {
    return directory() / "spaces" / name;
}

Result<void> write_space_folder(const fs::path& directory, const SpaceRecord& record) {
    if (!valid_space_name(record.name)) {
        return malformed("a space's name has 1 to 64 letters, digits, '.', '_' and '-'");
    }
    if (!record.parent.empty() && !valid_space_name(record.parent)) {
        return malformed("the parent's name has 1 to 64 letters, digits, '.', '_' and '-'");
    }
    if (record.parent == record.name) return malformed("a space is not its own parent");
    const auto folder = directory / "spaces" / record.name;
    if (fs::exists(folder / "space.json")) {
        return failure(Code::Exists, "the space " + record.name + " is here already");
    }
    TRY(make_directories(folder));
    TRY(write_space(folder, record));
    // Last: one that is not listed yet is listed at the next start.
    TRY_ASSIGN(SiteFile file, read_site(directory));
    if (!file.spaces.insert(record.name).second) return {};
    return write_site(directory, file);
}

std::string zone_of(const fs::path& directory) {
    const auto file = read_site(directory);
    return file ? file->site.zone : "UTC";
}

}  // namespace dutybook::core
