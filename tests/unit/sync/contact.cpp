#include "store_fixture.h"

#include "store/ssh_signature.h"

#include <set>
#include <thread>

using namespace sync_test;

namespace {

struct World {
    Folder folder;
    std::string space = make_space();
    fs::path hub = bare(folder.path / "hub.git");
    std::unique_ptr<Store> a = make_store(folder, "a", space);
    std::unique_ptr<Store> b = make_store(folder, "b", space);
};

std::set<std::string> refs_of(const fs::path& repository) {
    std::set<std::string> refs;
    const std::string text =
        git({"--git-dir=" + repository.string(), "for-each-ref", "--format=%(refname)"});
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        refs.insert(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return refs;
}

#define CHECK_WENT_WELL(...)                                                               \
    do {                                                                                   \
        const auto outcome_ = (__VA_ARGS__);                                               \
        CHECK_MESSAGE(outcome_.ok, (outcome_.error ? outcome_.error->text() : "no word")); \
    } while (false)

}  // namespace

TEST_CASE("two stores that wrote apart hold the same after A, B, A") {
    World world;
    world.a->add(300, "from a");
    world.b->add(200, "from b");
    const auto first = world.a->meet(world.hub);
    CHECK_WENT_WELL(first);
    CHECK(first.operations_out == 300);
    CHECK(first.operations_in == 0);
    CHECK(first.bytes_out > 1000);
    const auto second = world.b->meet(world.hub);
    CHECK_WENT_WELL(second);
    CHECK(second.operations_in == 300);
    CHECK(second.operations_out == 200);
    CHECK(second.bytes_in > 1000);
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK(world.a->records() == 500);
    CHECK(world.b->records() == 500);
    CHECK(world.a->digest() == world.b->digest());
    CHECK(world.a->operations_digest() == world.b->operations_digest());
    for (const std::string& ref : refs_of(world.hub)) {
        CAPTURE(ref);
        CHECK((ref == sync::readme_ref || store::VolumeName::parse(ref).has_value()));
    }
    CHECK(git({"--git-dir=" + world.hub.string(), "fsck", "--strict"}).empty());
    for (Store* store : {world.a.get(), world.b.get()})
        CHECK(git({"--git-dir=" + (store->book().space_directory("school") / "log.git").string(),
                   "fsck", "--strict"})
                  .empty());
    // Nothing new: nothing moves.
    const auto idle = world.a->meet(world.hub);
    CHECK_WENT_WELL(idle);
    CHECK(idle.operations_in + idle.operations_out == 0);
    CHECK(idle.objects_in == 0);
    CHECK(idle.bytes_out == 0);
}

TEST_CASE("the first push makes the readme the default branch's tip") {
    World world;
    world.a->add(1);
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK(git({"--git-dir=" + world.hub.string(), "symbolic-ref", "HEAD"}) == sync::readme_ref);
    CHECK(tip(world.hub, sync::readme_ref) == *world.a->log().readme_commit());
    CHECK(world.b->log().readme_commit().value() == world.a->log().readme_commit().value());
}

TEST_CASE("a stick carries everybody's logs to a hub that their authors never meet") {
    World world;
    auto c = make_store(world.folder, "c", world.space);
    sync::RemoteConfig stick{
        "stick", (world.folder.path / "stick.git").string(), {}, {}, {}, 10'000, true};
    world.a->add(20, "from a");
    CHECK_WENT_WELL(world.a->meet(stick));
    CHECK_WENT_WELL(world.b->meet(stick));
    CHECK(world.b->records() == 20);
    CHECK_WENT_WELL(world.b->meet(world.hub));
    CHECK_WENT_WELL(c->meet(world.hub));
    CHECK(c->records() == 20);
    CHECK(c->digest() == world.a->digest());
}

TEST_CASE("a relay that another already made is success") {
    World world;
    auto c = make_store(world.folder, "c", world.space);
    const fs::path other = bare(world.folder.path / "other.git");
    world.a->add(5);
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK_WENT_WELL(world.b->meet(world.hub));
    world.a->add(5, "more");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK_WENT_WELL(c->meet(world.hub));
    CHECK_WENT_WELL(c->meet(other));        // holds all ten of A
    CHECK_WENT_WELL(world.b->meet(other));  // knew five of them
    CHECK(world.b->records() == 10);
}

TEST_CASE("twenty stores that push at once to an empty remote all succeed at the first try") {
    World world;
    std::vector<std::unique_ptr<Store>> stores;
    for (int number = 0; number < 20; ++number) {
        stores.push_back(make_store(world.folder, "s" + std::to_string(number), world.space));
        stores.back()->add(3, "s" + std::to_string(number));
    }
    const auto round = [&] {
        std::vector<sync::Outcome> outcomes(stores.size());
        std::vector<std::thread> threads;
        for (std::size_t at = 0; at < stores.size(); ++at)
            threads.emplace_back([&, at] { outcomes[at] = stores[at]->meet(world.hub); });
        for (auto& thread : threads) thread.join();
        for (const auto& outcome : outcomes) CHECK_WENT_WELL(outcome);
    };
    round();
    CHECK(refs_of(world.hub).size() == 21);
    round();
    for (const auto& store : stores) CHECK(store->digest() == stores[0]->digest());
    CHECK(stores[0]->records() == 60);
}

TEST_CASE(
    "a remote replaced by an older copy gets back what it lost, and the alarm closes itself") {
    World world;
    world.a->add(10);
    CHECK_WENT_WELL(world.a->meet(world.hub));
    fs::copy(world.hub, world.folder.path / "old.git", fs::copy_options::recursive);
    world.a->add(10, "later");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK_WENT_WELL(world.b->meet(world.hub));
    const auto refs = refs_of(world.hub);
    fs::remove_all(world.hub);
    fs::copy(world.folder.path / "old.git", world.hub, fs::copy_options::recursive);

    const auto outcome = world.b->meet(world.hub);
    CHECK_WENT_WELL(outcome);
    REQUIRE_FALSE(outcome.notes.empty());
    CHECK(outcome.notes[0].find("has lost") != std::string::npos);
    CHECK(refs_of(world.hub) == refs);
    CHECK(world.b->alarmed("gone-back"));
    CHECK_WENT_WELL(world.b->meet(world.hub));
    CHECK_FALSE(world.b->alarmed("gone-back"));
    const auto again = world.a->meet(world.hub);
    CHECK_WENT_WELL(again);
    CHECK(world.a->digest() == world.b->digest());
}

TEST_CASE("the alarm of a remote that went back stands while it lacks what it had") {
    World world;
    world.a->add(10);
    CHECK_WENT_WELL(world.a->meet(world.hub));
    fs::remove_all(world.hub);
    bare(world.hub);
    // It takes nothing new.
    git({"--git-dir=" + world.hub.string(), "config", "receive.maxInputSize", "1"});
    const auto outcome = world.a->meet(world.hub);
    CHECK_FALSE(outcome.ok);
    REQUIRE(outcome.error);
    CHECK(outcome.error->text().find("remote hub") != std::string::npos);
    CHECK(world.a->alarmed("gone-back"));
    git({"--git-dir=" + world.hub.string(), "config", "--unset", "receive.maxInputSize"});
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK(world.a->alarmed("gone-back"));
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK_FALSE(world.a->alarmed("gone-back"));
}

TEST_CASE("a store restored from an older copy goes on under a new writer, nothing is lost") {
    World world;
    world.a->add(10, "before");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    const std::string old_writer = world.a->writer();
    const fs::path folder = world.a->directory / "spaces" / "school";
    world.a->close();
    fs::copy(folder, world.folder.path / "backup", fs::copy_options::recursive);
    world.a->open();
    world.a->add(10, "lost with the disk, but delivered");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    world.a->close();
    // The store's own folder stays, so that only the remote can tell.
    fs::remove_all(folder);
    fs::copy(world.folder.path / "backup", folder, fs::copy_options::recursive);
    world.a->open();
    CHECK(world.a->writer() == old_writer);
    world.a->add(5, "after the restore");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK(world.a->writer() != old_writer);
    CHECK(world.a->records() == 25);
    CHECK_WENT_WELL(world.b->meet(world.hub));
    CHECK(world.b->records() == 25);
    CHECK(world.b->digest() == world.a->digest());
    CHECK_FALSE(world.b->alarmed("fork"));
}

TEST_CASE("a store restored, whose tail was sealed already, leaves no fork behind") {
    World world;
    world.a->add(10, "before");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    world.a->close();
    fs::copy(world.a->directory / "spaces" / "school", world.folder.path / "backup",
             fs::copy_options::recursive);
    world.a->open();
    world.a->add(3, "delivered");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    world.a->close();
    fs::remove_all(world.a->directory / "spaces" / "school");
    fs::copy(world.folder.path / "backup", world.a->directory / "spaces" / "school",
             fs::copy_options::recursive);
    world.a->open();
    world.a->add(4, "sealed apart");
    world.a->space().run([](core::SpaceEngine& engine) {
        core::SpaceEngine::Seal how;
        how.force = true;
        REQUIRE(engine.seal(how));
    });
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK_WENT_WELL(world.b->meet(world.hub));
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK(world.a->records() == 17);
    CHECK(world.b->records() == 17);
    CHECK(world.a->digest() == world.b->digest());
    CHECK_FALSE(world.b->alarmed("fork"));
}

TEST_CASE("a restored store whose two histories went to two remotes loses neither") {
    World world;
    const fs::path stick = bare(world.folder.path / "stick.git");
    auto only_hub = make_store(world.folder, "c", world.space);
    auto only_stick = make_store(world.folder, "d", world.space);
    world.a->add(5, "shared");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK_WENT_WELL(world.a->meet(stick));
    world.a->close();
    fs::copy(world.a->directory / "spaces" / "school", world.folder.path / "backup",
             fs::copy_options::recursive);
    world.a->open();
    world.a->add(3, "delivered to the hub");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    world.a->close();
    fs::remove_all(world.a->directory / "spaces" / "school");
    fs::copy(world.folder.path / "backup", world.a->directory / "spaces" / "school",
             fs::copy_options::recursive);
    world.a->open();
    world.a->add(4, "delivered to the stick");
    CHECK_WENT_WELL(world.a->meet(stick));
    CHECK_WENT_WELL(world.b->meet(world.hub));
    CHECK_WENT_WELL(world.b->meet(stick));
    CHECK(world.b->alarmed("fork"));  // until the author has seen to it

    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK_WENT_WELL(world.a->meet(stick));
    CHECK_WENT_WELL(world.a->meet(world.hub));
    for (Store* store : {world.b.get(), only_hub.get()}) CHECK_WENT_WELL(store->meet(world.hub));
    for (Store* store : {world.b.get(), only_stick.get()}) CHECK_WENT_WELL(store->meet(stick));
    for (Store* store : {world.a.get(), world.b.get(), only_hub.get(), only_stick.get()}) {
        CAPTURE(store->directory);
        CHECK(store->records() == 12);
    }
    CHECK(world.a->digest() == world.b->digest());
    CHECK(world.a->operations_digest() == world.b->operations_digest());
    CHECK_FALSE(world.a->alarmed("fork"));
    CHECK_FALSE(world.b->alarmed("fork"));
    // Once: nothing is issued again at later meetings.
    const std::string writer = world.a->writer();
    CHECK_WENT_WELL(world.a->meet(stick));
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK(world.a->writer() == writer);
}

TEST_CASE("a remote that lists rubbish under our name changes nothing here") {
    World world;
    world.a->add(3);
    CHECK_WENT_WELL(world.a->meet(world.hub));
    const std::string writer = world.a->writer();
    const std::string ref = store::VolumeName{writer, 1}.ref();
    commit(world.hub, ref, "not a segment");
    const auto outcome = world.a->meet(world.hub);
    CHECK_FALSE(outcome.ok);
    CHECK(world.a->writer() == writer);
    CHECK(world.a->alarmed("refused"));
    CHECK(world.a->records() == 3);
}

TEST_CASE("what was refused is not transferred again until it changes") {
    World world;
    world.a->add(3);
    CHECK_WENT_WELL(world.a->meet(world.hub));
    const std::string ref =
        "refs/heads/log/" + std::string(26, 'a') + "-" + std::string(8, 'b') + "/00000001";
    commit(world.hub, ref, "not a segment");
    const auto first = world.b->meet(world.hub);
    CHECK(first.objects_in > 0);
    CHECK(world.b->alarmed("refused"));
    const auto second = world.b->meet(world.hub);
    CHECK(second.objects_in == 0);
    CHECK(world.b->alarmed("refused"));
    commit(world.hub, ref, "another that is none");
    CHECK(world.b->meet(world.hub).objects_in > 0);
}

TEST_CASE("a refused volume holds up no earlier one of its log, and is judged again behind it") {
    World world;
    world.a->add(3);
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK_WENT_WELL(world.b->meet(world.hub));
    commit(world.hub, store::VolumeName{world.a->writer(), 2}.ref(), "not a segment");
    CHECK(world.b->meet(world.hub).objects_in > 0);
    CHECK(world.b->alarmed("refused"));
    CHECK(world.b->meet(world.hub).objects_in == 0);
    world.a->add(2);
    (void)world.a->meet(world.hub);
    (void)world.b->meet(world.hub);
    CHECK(world.b->records() == 5);
    CHECK(world.b->alarmed("refused"));
}

TEST_CASE("a volume of rubbish does not hold up the others") {
    World world;
    world.a->add(3);
    CHECK_WENT_WELL(world.a->meet(world.hub));
    commit(world.hub,
           "refs/heads/log/" + std::string(26, 'a') + "-" + std::string(8, 'b') + "/00000001",
           "not a segment");
    const auto outcome = world.b->meet(world.hub);
    CHECK(world.b->records() == 3);
    CHECK(world.b->alarmed("refused"));
    CHECK_WENT_WELL(outcome);
}

TEST_CASE("a damaged stick is made anew by the sync that meets it, and that is said") {
    World world;
    sync::RemoteConfig stick{
        "stick", (world.folder.path / "stick.git").string(), {}, {}, {}, 10'000, true};
    world.a->add(5);
    CHECK_WENT_WELL(world.a->meet(stick));
    SUBCASE("an empty ref") {
        std::ofstream(fs::path(stick.url) / store::VolumeName{world.a->writer(), 1}.ref(),
                      std::ios::trunc);
    }
    SUBCASE("HEAD of nothing") {
        std::ofstream(fs::path(stick.url) / "HEAD", std::ios::trunc);
    }
    const auto outcome = world.a->meet(stick);
    CHECK_WENT_WELL(outcome);
    bool said = false;
    for (const auto& note : outcome.notes)
        said = said || note.find("made anew") != std::string::npos;
    CHECK(said);
    CHECK_WENT_WELL(world.b->meet(stick));
    CHECK(world.b->records() == 5);
}

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

TEST_CASE("a log that its site did not sign is refused with an alarm; the others go on merging") {
    World world;
    world.a->add(5, "from a");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    // Somebody with the remote's password, but without a's key, writes under a's name: once
    // without a signature, once with a key of their own.
    const std::string site = world.a->book().site().id;
    store::SigningSeed seed{};
    seed.fill(9);
    const store::SshSigner stranger(seed);
    const store::ZstdCodec codec;
    std::vector<std::string> forged;
    for (const store::CommitSigner* signer : {static_cast<const store::CommitSigner*>(nullptr),
                                              static_cast<const store::CommitSigner*>(&stranger)}) {
        const std::string writer = site + (signer == nullptr ? "-unsigned" : "-stranger");
        const auto path = world.folder.path / (writer + ".git");
        auto log = store::open_git_log({path.string(), world.space, &codec, signer});
        REQUIRE(log);
        store::SealRow row;
        row.header.space = world.space;
        row.header.writer = writer;
        row.header.last = 1;
        row.header.time = 1'780'000'000'000;
        REQUIRE((*log)->append(row, std::vector<std::string>{"{}"}));
        forged.push_back(store::VolumeName{writer, 1}.ref());
        git({"--git-dir=" + path.string(), "push", "-q", world.hub.string(), forged.back()});
    }
    CHECK_WENT_WELL(world.b->meet(world.hub));
    CHECK(world.b->records() == 5);
    for (const std::string& ref : forged) {
        CAPTURE(ref);
        CHECK(world.b->log().refs()->count(ref) == 0);
        bool named = false;
        for (const auto& alarm : world.b->alarms())
            named = named || (alarm.kind == "refused" && alarm.subject.ends_with(ref) &&
                              alarm.message.find("by site " + site) != std::string::npos);
        CHECK(named);
    }
    world.a->add(3, "later");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    CHECK_WENT_WELL(world.b->meet(world.hub));
    CHECK(world.b->records() == 8);
}
