#include "world.h"

#include <thread>

using namespace sync_test;

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
