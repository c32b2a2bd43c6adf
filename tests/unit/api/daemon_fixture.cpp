#include "unit/api/daemon_fixture.h"

#include "base/crypto.h"
#include "core/founding.h"
#include "support/source_dir.h"

#include <doctest/doctest.h>

#include <sstream>

namespace dutybook::test {

RunningDaemon::RunningDaemon() {
    crypto_start();
    const auto store = folder_.path() / "store";
    socket_ = folder_.path() / "sock";
    REQUIRE(core::Book::create(store, "North", "America/New_York", clock_));
    REQUIRE(core::found_space(store, "north", "", clock_.now()));
    core::BookOptions book_options;
    book_options.directory = store;
    book_options.schemas = dutybook::tests::source_dir() / "schemas";
    book_options.clock = &clock_;
    book_options.evaluator = &no_rules_;
    book_options.listener = [this](const core::Change& change) { events_.publish(change); };
    auto book = core::Book::open(std::move(book_options));
    if (!book) FAIL(book.error().text());
    book_ = std::move(*book);
    auto tokens = api::Tokens::open(store / "tokens.json");
    REQUIRE(tokens);
    tokens_ = std::move(*tokens);
    auto accounts = api::Accounts::open(store / "accounts.json", "");
    REQUIRE(accounts);
    accounts_ = std::move(*accounts);
    sync::SyncService::Options sync_options;
    sync_options.book = book_.get();
    sync_options.clock = &clock_;
    sync_ = std::make_unique<sync::SyncService>(std::move(sync_options));
    pool_ = std::make_unique<api::Pool>(2);
    api::Services services;
    services.book = book_.get();
    services.sync = sync_.get();
    services.evaluator = &no_rules_;
    services.events = &events_;
    services.tokens = tokens_.get();
    services.accounts = accounts_.get();
    services.pool = pool_.get();
    services.clock = &clock_;
    services.version = "test";
    api_ = std::make_unique<api::Api>(std::move(services));
    api::ServerOptions options;
    options.handler = api_.get();
    options.socket = socket_;
    options.http = "127.0.0.1:0";
    options.on_listening = [this](const std::string& address) { api_->listen_on(address); };
    auto server = api::Server::start(std::move(options));
    if (!server) FAIL(server.error().text());
    server_ = std::move(*server);
}

RunningDaemon::~RunningDaemon() {
    events_.close();
    if (server_) server_->stop();
    pool_.reset();
    sync_.reset();
    api_.reset();
    book_.reset();
}

Json duty_fields(const std::string& title) {
    return {{"title", title},
            {"category", "supervision"},
            {"priority", "normal"},
            {"state", "open"},
            {"due", "2026-05-04T12:00:00Z"}};
}

std::string duty_body(const std::string& title, const std::string& id) {
    Json json = {{"kind", "core.duty"}, {"fields", duty_fields(title)}};
    if (!id.empty()) json["id"] = id;
    return json.dump();
}

std::string request_text(const std::string& method, const std::string& target,
                         const std::string& host, const std::string& body,
                         const RunningDaemon::Headers& headers) {
    std::ostringstream out;
    out << method << ' ' << target << " HTTP/1.1\r\nHost: " << host << "\r\n";
    bool typed = false;
    for (const auto& [name, value] : headers) {
        out << name << ": " << value << "\r\n";
        typed = typed || name == "Content-Type";
    }
    if (!body.empty()) {
        if (!typed) out << "Content-Type: application/json\r\n";
        out << "Content-Length: " << body.size() << "\r\n";
    }
    out << "\r\n" << body;
    return out.str();
}

Answer RunningDaemon::ask(const std::string& method, const std::string& target,
                          const std::string& body, const Headers& headers) {
    return connect().ask(request_text(method, target, "local", body, headers));
}

Answer RunningDaemon::ask_tcp(const std::string& method, const std::string& target,
                              const std::string& body, const Headers& headers) {
    return RawClient::tcp(http_address())
        .ask(request_text(method, target, http_address(), body, headers));
}

std::string RunningDaemon::add_duty(const std::string& title, const std::string& id) {
    const Answer answer = ask("POST", "/v1/spaces/north/records", duty_body(title, id));
    INFO(answer.body);
    REQUIRE(answer.status == 201);
    return json_of(answer)["id"].get<std::string>();
}

Json json_of(const Answer& answer) {
    const Json json = Json::parse(answer.body, nullptr, false);
    REQUIRE_FALSE(json.is_discarded());
    return json;
}

std::vector<Json> lines_of(const Answer& answer) {
    std::vector<Json> out;
    std::istringstream in(answer.body);
    for (std::string line; std::getline(in, line);) {
        out.push_back(Json::parse(line, nullptr, false));
        REQUIRE_FALSE(out.back().is_discarded());
    }
    return out;
}

}  // namespace dutybook::test
