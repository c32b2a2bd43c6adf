#include "sync/service.h"

#include "store_fixture.h"

#include <condition_variable>
#include <future>
#include <mutex>

using namespace sync_test;
using sync::Outcome;
using sync::RemoteConfig;
using sync::SyncService;

namespace {

// A remote that waits until it is let go; then it is an empty one that takes everything.
struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = true;
    int lists = 0, contacts = 0;
    std::optional<Error> fails;
    sync::Transfer::Refs refs;

    void wait_for_lists(int count) {
        std::unique_lock lock(mutex);
        REQUIRE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return lists >= count; }));
    }
    void let_go() {
        const std::lock_guard lock(mutex);
        open = true;
        changed.notify_all();
    }
};

class GatedTransfer final : public sync::Transfer {
public:
    explicit GatedTransfer(Gate& gate) : gate_(gate) {
        const std::lock_guard lock(gate_.mutex);
        ++gate_.contacts;
    }
    Result<Refs> list(const RemoteConfig&, const std::atomic<bool>& cancel) override {
        std::unique_lock lock(gate_.mutex);
        ++gate_.lists;
        gate_.changed.notify_all();
        while (!gate_.open && !cancel) gate_.changed.wait_for(lock, std::chrono::milliseconds(10));
        if (cancel) return failure(Code::Unavailable, "cancelled");
        if (gate_.fails) return *gate_.fails;
        return gate_.refs;
    }
    Result<void> fetch(const RemoteConfig&, const std::vector<sync::Wanted>&, store::Quarantine&,
                       const std::atomic<bool>&) override {
        return {};
    }
    Result<sync::PushOutcome> push(const RemoteConfig&, const std::vector<sync::Offered>& offered,
                                   const std::atomic<bool>&) override {
        const std::lock_guard lock(gate_.mutex);
        sync::PushOutcome outcome;
        for (const auto& one : offered) {
            gate_.refs[one.ref] = one.tip;
            outcome.refs[one.ref] = sync::Pushed::Done;
        }
        return outcome;
    }
    sync::Moved moved() const override { return {}; }

private:
    Gate& gate_;
};

struct Daemon {
    Folder folder;
    std::unique_ptr<Store> store = make_store(folder, "a", make_space());
    Gate gate;
    bool real_git = false;
    std::mutex told_mutex;
    std::vector<std::string> told;
    std::unique_ptr<SyncService> service;

    void start() {
        SyncService::Options options;
        options.book = &store->book();
        options.clock = &store->clock;
        options.supervise = supervise;
        options.look_every = 20;
        options.listener = [this](const core::Change& change) {
            const std::lock_guard lock(told_mutex);
            told.push_back(change.type + " " + change.id);
        };
        if (!real_git)
            options.transfer = [this](const std::string&) {
                return std::make_unique<GatedTransfer>(gate);
            };
        service = std::make_unique<SyncService>(std::move(options));
    }
    std::future<std::vector<Outcome>> sync(const std::string& remote = {}) {
        auto promise = std::make_shared<std::promise<std::vector<Outcome>>>();
        auto future = promise->get_future();
        service->sync_now("school", remote, {}, [promise](std::vector<Outcome> outcomes) {
            promise->set_value(std::move(outcomes));
        });
        return future;
    }
    sync::RemoteStatus status(const std::string& remote = "hub") {
        const auto statuses = service->remotes("school");
        REQUIRE(statuses);
        for (const auto& one : *statuses)
            if (one.config.name == remote) return one;
        REQUIRE(false);
        return {};
    }
    template <class Condition>
    bool becomes(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (std::chrono::steady_clock::now() < end) {
            if (condition()) return true;
            std::this_thread::yield();
        }
        return condition();
    }
};

RemoteConfig hub(const std::string& url = "/srv/hub.git") {
    return {"hub", url, {}, {}, {}, 10'000, false};
}

std::vector<Outcome> get(std::future<std::vector<Outcome>> future) {
    REQUIRE(future.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
    return future.get();
}

}  // namespace

TEST_CASE("remotes are added, changed, listed and removed, and outlive the daemon") {
    Daemon daemon;
    daemon.start();
    REQUIRE(daemon.service->add("school", hub()));
    CHECK(daemon.service->add("school", hub()).error().code == Code::Exists);
    CHECK(daemon.service->add("nowhere", hub()).error().code == Code::NotFound);
    auto wrong = hub("ext::sh -c true");
    wrong.name = "other";
    CHECK(daemon.service->add("school", wrong).error().code == Code::Malformed);
    auto changed = hub();
    changed.window_from = "22:00";
    changed.window_to = "05:00";
    REQUIRE(daemon.service->change("school", changed));
    CHECK(daemon.status().config.window_zone == "America/Detroit");
    CHECK(daemon.status().next_window.has_value());
    daemon.service.reset();
    daemon.start();
    CHECK(daemon.status().config.window_from == "22:00");
    REQUIRE(daemon.service->remove("school", "hub"));
    CHECK(daemon.service->remove("school", "hub").error().code == Code::NotFound);
    CHECK(daemon.service->remotes("school")->empty());
}

TEST_CASE("syncing tells what was delivered, and status what was not") {
    Daemon daemon;
    daemon.start();
    REQUIRE(daemon.service->add("school", hub()));
    daemon.store->add(7);
    CHECK(daemon.status().undelivered == 7);
    const auto outcomes = get(daemon.sync());
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].ok);
    CHECK(outcomes[0].space == "school");
    CHECK(outcomes[0].operations_out == 7);
    CHECK(daemon.status().undelivered == 0);
    CHECK(daemon.status().last_success == daemon.store->clock.now());
    daemon.store->add(2);
    CHECK(daemon.status().undelivered == 2);

    daemon.gate.fails = failure(Code::Timeout, "remote hub", "it does not answer");
    const Millis success = daemon.status().last_success;
    daemon.store->clock.advance(1000);
    CHECK_FALSE(get(daemon.sync("hub"))[0].ok);
    const auto status = daemon.status();
    CHECK(status.undelivered == 2);
    CHECK(status.last_success == success);
    CHECK(status.last_attempt == success + 1000);
    CHECK(status.error.find("does not answer") != std::string::npos);
    const std::lock_guard lock(daemon.told_mutex);
    CHECK(daemon.told == std::vector<std::string>{"sync hub", "sync hub"});
}

TEST_CASE("a space without remotes, an unknown remote and an unknown space are answered") {
    Daemon daemon;
    daemon.start();
    CHECK(get(daemon.sync()).empty());
    const auto unknown = get(daemon.sync("nobody"));
    REQUIRE(unknown.size() == 1);
    CHECK(unknown[0].error->code == Code::NotFound);
    std::vector<Outcome> nowhere;
    daemon.service->sync_now("nowhere", "", {},
                             [&](std::vector<Outcome> o) { nowhere = std::move(o); });
    REQUIRE(nowhere.size() == 1);
    CHECK_FALSE(nowhere[0].ok);
}

TEST_CASE("a second sync joins the one under way") {
    Daemon daemon;
    daemon.gate.open = false;
    daemon.start();
    REQUIRE(daemon.service->add("school", hub()));
    auto first = daemon.sync();
    daemon.gate.wait_for_lists(1);
    CHECK(daemon.status().under_way.has_value());
    auto second = daemon.sync("hub");
    auto third = daemon.sync();
    daemon.gate.let_go();
    for (auto* one : {&first, &second, &third}) CHECK(get(std::move(*one))[0].ok);
    CHECK(daemon.gate.contacts == 1);
    CHECK_FALSE(daemon.status().under_way.has_value());
}

TEST_CASE("reads and writes go on while a remote is silent, and a stop does not wait for it") {
    Daemon daemon;
    daemon.gate.open = false;
    daemon.start();
    REQUIRE(daemon.service->add("school", hub()));
    auto waiting = daemon.sync();
    daemon.gate.wait_for_lists(1);
    daemon.store->add(10);
    CHECK(daemon.store->records() == 10);
    CHECK(daemon.status().undelivered == 10);
    const auto begin = std::chrono::steady_clock::now();
    daemon.service.reset();
    CHECK(elapsed_since(begin) < 2000);
    const auto outcomes = get(std::move(waiting));
    REQUIRE(outcomes.size() == 1);
    CHECK_FALSE(outcomes[0].ok);
}

TEST_CASE("at night it syncs by itself, tries again after a failure, and tells a missed night") {
    Daemon daemon;
    auto remote = hub();
    remote.window_from = "22:00";
    remote.window_to = "05:00";
    daemon.store->clock.set(*parse_instant("2026-06-10T16:00:00Z"));
    daemon.start();
    REQUIRE(daemon.service->add("school", remote));
    daemon.store->add(1);
    CHECK_FALSE(daemon.status().missed_night);
    CHECK(daemon.gate.lists == 0);

    daemon.gate.fails = failure(Code::Unavailable, "remote hub", "no network");
    daemon.store->clock.set(*parse_instant("2026-06-11T02:31:00Z"));
    REQUIRE(daemon.becomes([&] { return !daemon.status().error.empty(); }));
    CHECK(daemon.status().last_attempt == daemon.store->clock.now());
    {
        const std::lock_guard lock(daemon.gate.mutex);
        daemon.gate.fails.reset();
    }
    daemon.store->clock.advance(61'000);
    REQUIRE(daemon.becomes([&] { return daemon.status().last_success != 0; }));
    CHECK(daemon.status().undelivered == 0);
    CHECK(daemon.status().error.empty());

    daemon.service.reset();
    daemon.store->clock.set(*parse_instant("2026-06-12T15:00:00Z"));  // off for a night
    daemon.start();
    CHECK(daemon.status().missed_night);
    CHECK(get(daemon.sync())[0].ok);
    CHECK_FALSE(daemon.status().missed_night);
}

TEST_CASE("what a remote listed is remembered over a restart, and its loss is told") {
    Daemon daemon;
    daemon.start();
    REQUIRE(daemon.service->add("school", hub()));
    daemon.store->add(3);
    CHECK(get(daemon.sync())[0].ok);
    daemon.service.reset();
    daemon.gate.refs.clear();
    daemon.start();
    CHECK(daemon.status().undelivered == 0);
    const auto outcomes = get(daemon.sync());
    REQUIRE(outcomes[0].ok);
    REQUIRE_FALSE(outcomes[0].notes.empty());
    CHECK(outcomes[0].notes[0].find("has lost") != std::string::npos);
    CHECK(daemon.store->alarmed("gone-back"));
    CHECK(get(daemon.sync())[0].ok);
    CHECK_FALSE(daemon.store->alarmed("gone-back"));
}

TEST_CASE("with real git: a directory is made, found good by a check, and synced") {
    Daemon daemon;
    daemon.real_git = true;
    daemon.start();
    auto remote = hub((daemon.folder.path / "share" / "hub.git").string());
    remote.create = true;
    REQUIRE(daemon.service->add("school", remote));
    auto checked = daemon.service->check("school", "hub");
    REQUIRE(checked);
    CHECK_FALSE(checked->ok);  // no such folder: not plugged in
    fs::create_directories(daemon.folder.path / "share");
    checked = daemon.service->check("school", "hub");
    REQUIRE(checked);
    CHECK(checked->ok);
    CHECK_FALSE(fs::exists(remote.url));  // a check changes nothing
    daemon.store->add(4);
    CHECK(get(daemon.sync())[0].ok);
    checked = daemon.service->check("school", "hub");
    REQUIRE(checked);
    CHECK(checked->ok);
    CHECK(checked->lines.back() == "This account may write there.");
    CHECK(read_file(daemon.store->directory / "gitconfig")->find(remote.url) != std::string::npos);
}

TEST_CASE("a check names what is wrong and the key to register") {
    Daemon daemon;
    daemon.real_git = true;
    daemon.start();
    auto remote = hub("ssh://git@127.0.0.1:1/book.git");
    remote.timeout = 5'000;
    REQUIRE(daemon.service->add("school", remote));
    const auto checked = daemon.service->check("school", "hub");
    REQUIRE(checked);
    CHECK_FALSE(checked->ok);
    REQUIRE_FALSE(checked->lines.empty());
    CHECK(checked->lines.back().find("refused the connection") != std::string::npos);
    CHECK(daemon.service->check("school", "nobody").error().code == Code::NotFound);
}
