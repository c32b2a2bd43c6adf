#include "app/daemon.h"

#include "api/api.h"
#include "api/plugin_trial.h"
#include "api/server.h"
#include "api/walls.h"
#include "app/notify.h"
#include "app/options.h"
#include "app/stopping.h"
#include "base/crypto.h"
#include "base/process.h"
#include "core/book.h"
#include "core/identity.h"
#include "core/plugins.h"
#include "sync/service.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace dutybook::app {

namespace {

constexpr const char* version = "0.1.0";

// Connections, SQLite files of several spaces and pipes of children: the usual soft limit of 1024
// is not enough, the hard one is.
void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65536);
    setrlimit(RLIMIT_NOFILE, &limit);
}

// Everything that a daemon is made of. Ends from the last member to the first, so that nothing
// outlives what it uses; the server's loops go last, because late answers are handed to them.
class Daemon {
public:
    explicit Daemon(Options options) : options_(std::move(options)) {}
    ~Daemon() { stop(); }

    Result<void> start(const ServiceManager& manager);
    void stop();
    const api::Server& server() const { return *server_; }

private:
    Result<void> open_book(const ServiceManager& manager);
    Result<void> listen();

    const Options options_;
    SystemClock clock_;
    api::EventHub events_{[this](const core::Change& change, const api::Reader& reader) {
        return api::change_for(services_, change, reader);
    }};
    api::Services services_;  // whole before anybody can listen to events
    std::unique_ptr<api::Server> server_;
    std::unique_ptr<api::Tokens> tokens_;
    std::unique_ptr<api::Accounts> accounts_;
    std::unique_ptr<core::Plugins> plugins_;
    std::unique_ptr<core::Book> book_;
    std::unique_ptr<sync::SyncService> sync_;
    std::unique_ptr<api::Pool> pool_;
    std::unique_ptr<api::Api> api_;
    bool stopped_ = false;
};

Result<void> Daemon::open_book(const ServiceManager& manager) {
    crypto_start();
    TRY(core::heal_store(options_.store));
    core::BookOptions options;
    options.directory = options_.store;
    options.schemas = find_schemas(program_directory());
    if (options.schemas.empty()) {
        return failure(Code::NotFound, "the schemas are not found",
                       "neither beside " + program_directory() + " nor in /usr/share/dutybook",
                       "run the program where it was built, or install it");
    }
    options.clock = &clock_;
    options.plain_spaces = options_.plain_spaces;
    options.listener = [this](const core::Change& change) {
        events_.publish(change);
        plugins_->changed(change);
    };
    options.progress = [&manager](const std::string& line) {
        log_info("start", line);
        // A rebuild may take longer than the manager waits for READY.
        manager.tell("STATUS=" + line + "\nEXTEND_TIMEOUT_USEC=60000000");
    };
    core::PluginsOptions plugins;
    plugins.directory = options_.store;
    plugins.built_in = find_plugins(options.schemas);
    plugins.schemas = options.schemas;
    plugins.worker = program_directory() + "/dutybook-worker";
    plugins.clock = &clock_;
    plugins.zone = core::zone_of(options_.store);
    plugins.listener = [this](const core::Change& change) { events_.publish(change); };
    TRY_ASSIGN(plugins_, core::Plugins::open(std::move(plugins)));
    options.evaluator = &plugins_->host();
    options.kinds = &plugins_->kinds();
    TRY_ASSIGN(book_, core::Book::open(std::move(options)));
    plugins_->attach(*book_);
    return {};
}

Result<void> Daemon::listen() {
    api::ServerOptions options;
    options.handler = api_.get();
    options.socket = book_->directory() / "run" / "dutybook.sock";
    options.shared_socket = options_.socket;
    options.accounts = accounts_.get();
    options.http = options_.http;
    // The gate must know the address before the first request comes.
    options.on_listening = [this](const std::string& address) { api_->listen_on(address); };
    TRY_ASSIGN(server_, api::Server::start(std::move(options)));
    return {};
}

Result<void> Daemon::start(const ServiceManager& manager) {
    TRY(open_book(manager));
    TRY_ASSIGN(tokens_, api::Tokens::open(book_->directory() / "tokens.json"));
    TRY_ASSIGN(accounts_,
               api::Accounts::open(book_->directory() / "accounts.json", options_.group));
    sync::SyncService::Options sync_options;
    sync_options.book = book_.get();
    sync_options.clock = &clock_;
    sync_options.supervise = program_directory() + "/dutybook-supervise";
    sync_options.listener = [this](const core::Change& change) { events_.publish(change); };
    sync_ = std::make_unique<sync::SyncService>(std::move(sync_options));
    pool_ = std::make_unique<api::Pool>(4);
    services_.book = book_.get();
    services_.sync = sync_.get();
    services_.evaluator = &plugins_->host();
    services_.plugins = plugins_.get();
    services_.schemas = find_schemas(program_directory());
    services_.programs = program_directory();
    services_.events = &events_;
    services_.tokens = tokens_.get();
    services_.accounts = accounts_.get();
    services_.pool = pool_.get();
    services_.clock = &clock_;
    services_.version = version;
    plugins_->accept_arrivals([services = services_](const std::filesystem::path& folder) {
        return api::plugin_trial(services, folder.string());
    });
    api_ = std::make_unique<api::Api>(services_);
    return listen();
}

void Daemon::stop() {
    if (std::exchange(stopped_, true)) return;
    // Streams first, or the server would wait for them; then no new requests; then what handlers
    // wait in; then transfers.
    events_.close();
    if (server_) server_->stop();
    pool_.reset();
    sync_.reset();
    api_.reset();
    if (plugins_) plugins_->end_arrivals();
    book_.reset();
    plugins_.reset();
    tokens_.reset();
}

}  // namespace

int run_daemon(int argc, char** argv) {
    const Parsed parsed = parse_options(argc, argv, version);
    if (parsed.exit_code) return *parsed.exit_code;
    if (parsed.options.print_openapi) {
        api::Router router;
        api::add_all_routes(router);
        std::cout << api::openapi_document(router);
        return 0;
    }
    StopSignals signals;  // before any thread is made: they inherit the blocked signals
    set_log_level(parsed.options.log);
    crypto_start();
    raise_file_limit();
    const ServiceManager manager;
    Daemon daemon(parsed.options);
    if (auto started = daemon.start(manager); !started) {
        std::cerr << "dutybookd: " << started.error().text() << "\n";
        return 1;
    }
    if (const std::string& error = daemon.server().http_error(); !error.empty()) {
        log_warning("api", "HTTP is off: only the socket is served", {{"error", error}});
        std::cerr << "dutybookd: " << error << "; going on with the socket alone\n";
    }
    log_info("start", "ready",
             {{"store", parsed.options.store.string()}, {"http", daemon.server().http_address()}});
    std::cout << "ready" << std::endl;
    manager.tell("READY=1\nSTATUS=ready");

    signals.wait(manager.watchdog_ms(), [&] { manager.tell("WATCHDOG=1"); });
    manager.tell("STOPPING=1");
    log_info("stop", "stopping");
    const StopDeadline deadline(std::chrono::milliseconds(4500));
    daemon.stop();
    log_info("stop", "stopped");
    return 0;
}

}  // namespace dutybook::app
