// The whole client: what needs more than the API too, such as making a store, joining, imports and
// the plugin author's tools. People call it by the name of `dutybook`.

#include "app/options.h"
#include "author/bench.h"
#include "author/scaffold.h"
#include "author/tools.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"
#include "care/backup.h"
#include "care/doctor_json.h"
#include "cli/run.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "core/book.h"
#include "core/founding.h"
#include "core/identity.h"
#include "core/invited.h"
#include "core/space_keys.h"
#include "formats/html.h"
#include "sync/git_transfer.h"
#include "sync/remotes.h"

#include <unistd.h>

#include <csignal>
#include <iostream>

namespace {

using namespace dutybook;

Json json_of(const core::Site& site) {
    return {
        {"id", site.id}, {"name", site.name}, {"zone", site.zone}, {"public_key", site.public_key}};
}

std::string text_of(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<Json> init(const cli::Offline::Init& wanted) {
    crypto_start();
    if (!core::valid_space_name(wanted.space)) {
        return failure(Code::Malformed, "'" + wanted.space + "' is no name for a space", {},
                       "use 1 to 64 letters, digits, '.', '_' and '-'");
    }
    const auto zone = wanted.zone.empty() ? system_zone() : wanted.zone;
    TRY_ASSIGN(const core::Site site,
               core::Book::create(wanted.store, wanted.site, zone, SystemClock()));
    TRY_ASSIGN(const auto founded,
               core::found_space(wanted.store, wanted.space, {}, SystemClock().now()));
    return Result<Json>(boost::system::in_place_value,
                        Json{{"site", json_of(site)},
                             {"space", {{"id", founded.space.id}, {"name", founded.space.name}}},
                             {"recovery_key", founded.recovery_key},
                             {"store", wanted.store.string()}});
}

// "22:00-05:00" as the invitation writes it.
void set_window(sync::RemoteConfig& remote, const Json& invited) {
    const auto window = text_of(invited, "window");
    const auto dash = window.find('-');
    if (dash == std::string::npos) return;
    remote.window_from = window.substr(0, dash);
    remote.window_to = window.substr(dash + 1);
    remote.window_zone = text_of(invited, "zone");
}

Result<std::vector<sync::RemoteRecord>> read_remotes(const Json& invited) {
    std::vector<sync::RemoteRecord> remotes;
    for (const auto& one : invited) {
        sync::RemoteRecord remote;
        remote.config.name = text_of(one, "name");
        remote.config.url = text_of(one, "url");
        set_window(remote.config, one);
        remote.added = SystemClock().now();
        TRY(sync::check_remote_config(remote.config));
        remotes.push_back(std::move(remote));
    }
    return remotes;
}

// Whether any of them was missing.
Result<bool> add_remotes(const fs::path& folder, const Json& invited) {
    const auto path = sync::remotes_path(folder);
    TRY_ASSIGN(sync::RemoteFile file, sync::load_remotes(path));
    TRY_ASSIGN(auto remotes, read_remotes(invited));
    const auto before = file.remotes.size();
    for (auto& remote : remotes) {
        if (file.find(remote.config.name) == nullptr) file.remotes.push_back(std::move(remote));
    }
    if (file.remotes.size() == before) return false;
    TRY(sync::save_remotes(path, file));
    return true;
}

// An invited space and its remotes. A join that was cut off goes on; nothing to go on with is an
// error, but of a parent: a sibling's invitation brings the same one.
Result<void> add_space(const fs::path& store, const Json& part, bool parent) {
    const auto joined = core::join_space(store, part);
    const bool here = !joined && (joined.error().code == Code::Exists ||
                                  (parent && joined.error().code == Code::Conflict));
    if (!joined && !here) return joined.error();
    const auto name = text_of(part.value("space", Json::object()), "name");
    TRY_ASSIGN(const bool missing,
               add_remotes(store / "spaces" / name, part.value("remotes", Json::array())));
    return missing || parent || !here ? Result<void>{} : joined.error();
}

Result<void> check_invitation(const fs::path& store, const Json& invitation) {
    crypto_start();
    const auto parent = invitation.find("parent");
    const bool with_parent = parent != invitation.end() && parent->is_object();
    for (const Json* part : {&invitation, with_parent ? &*parent : nullptr}) {
        if (part == nullptr) continue;
        TRY_ASSIGN(const core::Invited invited, core::read_invitation(*part));
        TRY(core::check_free(store, invited.space));
        TRY(read_remotes(part->value("remotes", Json::array())));
    }
    return {};
}

Result<Json> join(const fs::path& store, const Json& invitation) {
    crypto_start();
    const auto parent = invitation.find("parent");
    const bool with_parent = parent != invitation.end() && parent->is_object();
    const Json space = invitation.value("space", Json::object());
    core::Site site;
    if (fs::exists(store / "site.json")) {
        TRY_ASSIGN(const core::SiteFile file, core::read_site(store));
        site = file.site;
    } else {
        const auto zone = text_of(invitation, "zone");
        TRY_ASSIGN(site, core::Book::create(store, text_of(invitation, "site"),
                                            zone.empty() ? system_zone() : zone, SystemClock()));
    }
    TRY_ASSIGN(const FileLock lock, FileLock::take(store / "lock"));
    if (with_parent) TRY(add_space(store, *parent, true));
    TRY(add_space(store, invitation, false));
    return Result<Json>(boost::system::in_place_value, Json{{"site", json_of(site)},
                                                            {"space", text_of(space, "name")},
                                                            {"store", store.string()}});
}

// The control log as the remote shows it, fetched by stock git into a folder that goes again.
Result<store::ControlOffer> fetch_control(const sync::RemoteConfig& remote,
                                          const fs::path& folder) {
    static const SystemClock clock;
    const store::ZstdCodec codec;
    const std::atomic<bool> cancel{false};
    const auto log_git = folder / "log.git";
    TRY_ASSIGN(auto log, store::open_git_log({log_git, "recovering", &codec, nullptr}));
    TRY(sync::write_git_config(folder / "gitconfig", {remote}));
    sync::GitTransfer transfer(
        {log_git, program_directory() + "/dutybook-supervise", folder / "gitconfig", &clock});
    TRY_ASSIGN(const auto listed, transfer.list(remote, cancel));
    const auto tip = listed.find(store::control_ref);
    if (tip == listed.end()) {
        return failure(Code::NotFound, "the remote " + remote.url + " holds no control log",
                       "no space is synced there, or somebody removed it", "try another remote");
    }
    TRY_ASSIGN(const auto quarantine, log->open_quarantine());
    TRY(transfer.fetch(remote, {{tip->first, tip->second, {}}}, *quarantine, cancel));
    return store::read_control_chain(quarantine->path(), tip->second, {});
}

Result<Json> recover(const cli::Offline::Recover& wanted) {
    crypto_start();
    TRY_ASSIGN(const Secret key, secret_from_paper(wanted.key));
    sync::RemoteConfig remote;
    remote.name = "recovered";
    remote.url = wanted.remote;
    TRY(sync::check_remote_config(remote));
    TRY(make_directories(wanted.store));
    const auto scratch = wanted.store / "recovering";
    std::error_code ignored;
    fs::remove_all(scratch, ignored);  // of a run that was killed
    auto found = fetch_control(remote, scratch);
    fs::remove_all(scratch, ignored);
    if (!found) return found.error();
    if (!fs::exists(wanted.store / "site.json")) {
        const auto zone = wanted.zone.empty() ? system_zone() : wanted.zone;
        TRY(core::Book::create(wanted.store, wanted.site, zone, SystemClock()));
    }
    TRY_ASSIGN(const core::SiteFile file, core::read_site(wanted.store));
    TRY_ASSIGN(const FileLock lock, FileLock::take(wanted.store / "lock"));
    TRY_ASSIGN(const auto space,
               core::recover_space(wanted.store, key, *found, wanted.space, SystemClock().now()));
    const Json remotes = Json::array({{{"name", remote.name}, {"url", remote.url}}});
    TRY(add_remotes(wanted.store / "spaces" / space.name, remotes));
    return Result<Json>(boost::system::in_place_value, Json{{"site", json_of(file.site)},
                                                            {"space", space.name},
                                                            {"store", wanted.store.string()}});
}

Json doctor(const fs::path& store) {
    crypto_start();
    const SystemClock clock;
    care::DoctorOptions options;
    options.store = store;
    options.supervise = program_directory() + "/dutybook-supervise";
    options.clock = &clock;
    return care::to_json(care::doctor(options));
}

Result<Json> backup_json(const cli::Offline::Backup& wanted, const Result<care::BackupDone>& done) {
    TRY(done);
    return Result<Json>(boost::system::in_place_value, Json{{"file", wanted.file.string()},
                                                            {"store", wanted.store.string()},
                                                            {"files", done->files},
                                                            {"bytes", done->bytes}});
}

Result<Json> backup(const cli::Offline::Backup& wanted) {
    return backup_json(
        wanted,
        care::make_backup({wanted.store, wanted.file, wanted.passphrase, {}, wanted.progress}));
}

Result<Json> restore(const cli::Offline::Backup& wanted) {
    return backup_json(wanted, care::restore_backup({wanted.file, wanted.store, wanted.passphrase,
                                                     wanted.progress}));
}

Result<Json> members(const fs::path& store, const std::string& wanted) {
    crypto_start();
    std::string space = wanted;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(store / "spaces", failed)) {
        if (!wanted.empty() || !fs::exists(entry.path() / "space.json")) continue;
        if (!space.empty()) {
            return cli::usage_error("the store has several spaces", "name one with --space");
        }
        space = entry.path().filename();
    }
    if (space.empty() || !core::valid_space_name(space)) {
        return cli::usage_error("there is no space in " + store.string(),
                                "name a site's store with --store");
    }
    return core::members_offline(store, space);
}

author::Surroundings surroundings(const fs::path& store = {}) {
    std::signal(SIGPIPE, SIG_IGN);  // a worker that dies is told of, it does not end us
    crypto_start();
    const auto schemas = app::find_schemas(program_directory());
    return {schemas, app::find_plugins(schemas), program_directory() + "/dutybook-worker",
            store.empty() ? fs::path() : store / "plugins"};
}

int lint(const cli::Offline::PluginFolder& wanted, std::ostream& out) {
    return author::run_lint(wanted.folder, surroundings(wanted.store), wanted.json, out);
}

Result<std::string> render(const Json& blocks, const std::string& language) {
    formats::Report report;
    report.language = language;
    TRY_ASSIGN(report.blocks, formats::check_blocks(blocks));
    return formats::render_html(report,
                                formats::ChartMaker(program_directory() + "/dutybook-supervise"));
}

int test(const cli::Offline::PluginTest& wanted, std::ostream& out) {
    author::TestOptions options;
    options.permute = wanted.permute;
    options.coverage = wanted.coverage;
    options.bless = wanted.bless;
    options.json = wanted.json;
    options.only = wanted.only;
    return author::run_tests(wanted.folder, surroundings(wanted.store), options, render, out);
}

int bench(const cli::Offline::PluginFolder& wanted, std::ostream& out) {
    return author::run_bench(wanted.folder, surroundings(wanted.store), wanted.json, out);
}

Result<void> make_plugin(const cli::Offline::NewPlugin& wanted) {
    fs::path folder = fs::path(wanted.name).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // "bus_duty/"
    return author::make_plugin(
        {folder, wanted.from, wanted.runtime == "native", surroundings().plugins});
}

// Mappings ship with the plugins: plugins/<id>/imports/<name>.json.
Result<std::string> mapping(const std::string& name, const std::string& file) {
    if (!file.empty()) return read_file(file);
    std::error_code failed;
    std::string known;
    for (const auto& plugin : fs::directory_iterator(surroundings().plugins, failed)) {
        for (const auto& entry : fs::directory_iterator(plugin.path() / "imports", failed)) {
            if (entry.path().extension() != ".json") continue;
            if (entry.path().stem() == name) return read_file(entry.path());
            known += (known.empty() ? "" : ", ") + entry.path().stem().string();
        }
    }
    return failure(Code::NotFound, "no mapping is called " + name, {},
                   "name one of " + known + ", or a file with --mapping");
}

}  // namespace

int main(int argc, char** argv) {
    // A reader of our output that goes away (`| head`) ends us, as it ends any filter.
    std::signal(SIGPIPE, SIG_DFL);
    std::ios::sync_with_stdio(false);
    const cli::TerminalGuard out(std::cout, STDOUT_FILENO), err(std::cerr, STDERR_FILENO, "\n\t\r");
    const cli::Offline offline{init,   check_invitation, join,    recover, members,
                               doctor, backup,           restore, lint,    bench,
                               test,   make_plugin,      mapping};
    return cli::run(std::vector<std::string>(argv + 1, argv + argc), offline, std::cout, std::cerr);
}
