#include "world.h"

using namespace sync_test;

namespace {

// The space of A, by hand, as no backup of ours would.
void back_up(World& world) {
    world.a->close();
    fs::copy(world.a->directory / "spaces" / "school", world.folder.path / "backup",
             fs::copy_options::recursive);
    world.a->open();
}

void put_back(World& world) {
    world.a->close();
    fs::remove_all(world.a->directory / "spaces" / "school");
    fs::copy(world.folder.path / "backup", world.a->directory / "spaces" / "school",
             fs::copy_options::recursive);
    world.a->open();
}

}  // namespace

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
    back_up(world);
    world.a->add(3, "delivered");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    put_back(world);
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
    back_up(world);
    world.a->add(3, "delivered to the hub");
    CHECK_WENT_WELL(world.a->meet(world.hub));
    put_back(world);
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
