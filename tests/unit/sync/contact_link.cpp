#include "world.h"

#include <thread>

using namespace sync_test;

TEST_CASE("an unreachable remote is told and leaves everything as it was") {
    World world;
    world.a->add(3);
    const auto outcome = world.a->meet(world.folder.path / "nowhere" / "hub.git");
    CHECK_FALSE(outcome.ok);
    REQUIRE(outcome.error);
    CHECK(outcome.error->text().find("remote hub") != std::string::npos);
    CHECK(world.a->records() == 3);
    CHECK_WENT_WELL(world.a->meet(world.hub));
}

namespace {

// Real git, whose link drops after so many calls that move something.
class DroppingLink final : public sync::Transfer {
public:
    DroppingLink(std::unique_ptr<sync::Transfer> git, int calls)
        : git_(std::move(git)), left_(calls) {}
    Result<Refs> list(const sync::RemoteConfig& remote, const std::atomic<bool>& cancel) override {
        return git_->list(remote, cancel);
    }
    Result<void> fetch(const sync::RemoteConfig& remote, const std::vector<sync::Wanted>& wanted,
                       store::Quarantine& quarantine, const std::atomic<bool>& cancel) override {
        if (left_-- <= 0) return dropped();
        return git_->fetch(remote, wanted, quarantine, cancel);
    }
    Result<sync::PushOutcome> push(const sync::RemoteConfig& remote,
                                   const std::vector<sync::Offered>& offered,
                                   const std::atomic<bool>& cancel) override {
        if (left_-- <= 0) return dropped();
        return git_->push(remote, offered, cancel);
    }
    sync::Moved moved() const override { return git_->moved(); }

private:
    static Error dropped() { return failure(Code::Unavailable, "remote hub", "the link dropped"); }
    std::unique_ptr<sync::Transfer> git_;
    int left_;
};

}  // namespace

TEST_CASE("each slice that got through is kept when the link drops later") {
    World world;
    const sync::RemoteConfig remote{"hub", world.hub.string(), {}, {}, {}, 10'000, false};
    // Noise, so that it fills several volumes.
    for (int part = 0; part < 6; ++part) {
        std::vector<core::WriteRequest> requests;
        for (int number = 0; number < 100; ++number) {
            core::WriteRequest request;
            request.kind = "core.duty";
            std::string noise(5000, ' ');
            std::vector<std::uint8_t> bytes(noise.size());
            random_bytes(bytes);
            for (std::size_t at = 0; at < noise.size(); ++at)
                noise[at] = static_cast<char>('!' + bytes[at] % 90);
            request.fields = duty("noise");
            request.fields["goal"] = noise;
            request.caller.by = "test";
            requests.push_back(std::move(request));
        }
        for (const auto& written : world.a->space().write_and_wait(std::move(requests)))
            REQUIRE(written);
        world.a->space().run([](core::SpaceEngine& engine) {
            core::SpaceEngine::Seal how;
            how.force = true;
            REQUIRE(engine.seal(how));
        });
    }
    const std::size_t volumes = world.a->log().volumes()->size();
    REQUIRE(volumes >= 3);

    // Push: the constant and one slice a try, then the next.
    std::uint64_t sent = 0;
    for (int tries = 0; tries < 20; ++tries) {
        DroppingLink link(world.a->transfer(remote), 1);
        const auto outcome = world.a->meet(remote, link);
        sent += outcome.operations_out;
        if (outcome.ok) break;
        CHECK(refs_of(world.hub).size() == static_cast<std::size_t>(tries) + 1);
    }
    CHECK(sent == 600);
    CHECK(refs_of(world.hub).size() == volumes + 1);

    std::uint64_t came = 0;
    int tries = 0;
    for (; tries < 20; ++tries) {
        DroppingLink link(world.b->transfer(remote), 1);
        const auto outcome = world.b->meet(remote, link);
        came += outcome.operations_in;
        if (outcome.ok) break;
    }
    CHECK(came == 600);
    CHECK(tries >= 2);
    CHECK(world.b->digest() == world.a->digest());
}

TEST_CASE("cancelling ends a contact soon and the next goes on") {
    World world;
    world.a->add(3);
    std::ofstream(world.folder.path / "home" / ".gitconfig")
        << "[core]\n\tsshCommand = \"sleep 60; true\"\n";
    const sync::RemoteConfig remote{"hub", "git@example.invalid:x", {}, {}, {}, 60'000, false};
    std::atomic<bool> cancel{false};
    std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        cancel = true;
    });
    const auto begin = std::chrono::steady_clock::now();
    const auto git = world.a->transfer(remote);
    const auto outcome = world.a->meet(remote, *git, cancel);
    other.join();
    CHECK_FALSE(outcome.ok);
    CHECK(elapsed_since(begin) < 2000);
    CHECK_WENT_WELL(world.a->meet(world.hub));
}
