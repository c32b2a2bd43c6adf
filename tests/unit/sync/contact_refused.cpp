#include "world.h"

#include "store/ssh_signature.h"

using namespace sync_test;

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
