#include "git_fixture.h"

using namespace sync_test;

namespace {

const std::string ref_a = "refs/heads/log/a/00000001";

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

TEST_CASE("a stick that is not plugged in, and a folder of something else, are left alone") {
    Fixture test;
    test.remote.create = true;
    test.remote.url = (test.folder.path / "stick" / "book.git").string();
    auto transfer = test.transfer();
    const auto absent = transfer.list(test.remote, never);
    REQUIRE_FALSE(absent);
    CHECK(absent.error().code == Code::NotFound);
    CHECK_FALSE(fs::exists(test.folder.path / "stick"));

    fs::create_directories(test.folder.path / "photos");
    std::ofstream(test.folder.path / "photos" / "cat.jpg") << "x";
    test.remote.url = (test.folder.path / "photos").string();
    const auto foreign = transfer.list(test.remote, never);
    REQUIRE_FALSE(foreign);
    CHECK(names_in(test.folder.path / "photos") == std::vector<std::string>{"cat.jpg"});
}

TEST_CASE("a repository is made only where that was asked for") {
    Fixture test;
    test.remote.url = (test.folder.path / "new.git").string();
    auto transfer = test.transfer();
    const auto without = transfer.list(test.remote, never);
    REQUIRE_FALSE(without);
    CHECK(without.error().text().find("--create") != std::string::npos);
    CHECK_FALSE(fs::exists(test.remote.url));

    test.remote.create = true;
    const auto listed = transfer.list(test.remote, never);
    REQUIRE(listed);
    CHECK(listed->empty());
    CHECK(git({"--git-dir=" + test.remote.url, "symbolic-ref", "HEAD"}) == "refs/heads/dutybook");
    const auto a = commit(test.log, ref_a, "1");
    CHECK(transfer.push(test.remote, {{ref_a, a, {}}}, never));
    CHECK(git({"--git-dir=" + test.remote.url, "fsck", "--strict"}).find("error") ==
          std::string::npos);
}

TEST_CASE("a sound directory is left as it is") {
    Fixture test;
    commit(test.hub, ref_a, "1");
    git({"--git-dir=" + test.hub.string(), "pack-refs", "--all"});
    git({"--git-dir=" + test.hub.string(), "repack", "-adq"});
    commit(test.hub, "refs/heads/log/b/00000001", "2");
    CHECK(sync::look_at_directory(test.hub).state == sync::DirectoryState::Good);
    auto transfer = test.transfer();
    REQUIRE(transfer.list(test.remote, never));
    const auto mended = transfer.mend(test.remote, never);
    REQUIRE(mended);
    CHECK(mended->empty());
}

TEST_CASE("damage of an unplugged stick: what is whole is read first, then it is made anew") {
    Fixture test;
    const auto a = commit(test.hub, ref_a, "1");
    const std::string broken = "refs/heads/log/b/00000001";
    commit(test.hub, broken, "2");
    std::string blob = git({"--git-dir=" + test.hub.string(), "rev-parse", broken + ":segment"});
    SUBCASE("an empty ref") {
        std::ofstream(test.hub / broken, std::ios::trunc);
    }
    SUBCASE("a ref of rubbish") {
        std::ofstream(test.hub / broken) << std::string(41, '\0');
    }
    SUBCASE("an empty object") {
        const auto object = test.hub / "objects" / blob.substr(0, 2) / blob.substr(2);
        fs::permissions(object, fs::perms::owner_write, fs::perm_options::add);
        std::ofstream(object, std::ios::trunc);
    }
    auto transfer = test.transfer();
    const auto listed = transfer.list(test.remote, never);
    REQUIRE(listed);
    CHECK(listed->at(ref_a) == a);
    const auto mended = transfer.mend(test.remote, never);
    REQUIRE(mended);
    CHECK(mended->find("remote hub") != std::string::npos);
    CHECK(mended->find("hub.git.damaged-") != std::string::npos);
    const auto after = transfer.list(test.remote, never);
    REQUIRE(after);
    CHECK(after->empty());
    CHECK(transfer.mend(test.remote, never)->empty());
    std::size_t aside = 0;
    for (const auto& name : names_in(test.folder.path))
        aside += name.starts_with("hub.git.damaged-");
    CHECK(aside == 1);
}

TEST_CASE("a repository that git will not open is made anew at the list") {
    Fixture test;
    commit(test.hub, ref_a, "1");
    SUBCASE("HEAD of nothing") {
        std::ofstream(test.hub / "HEAD", std::ios::trunc);
    }
    SUBCASE("no HEAD") {
        fs::remove(test.hub / "HEAD");
    }
    SUBCASE("no refs") {
        fs::remove_all(test.hub / "refs");
    }
    auto transfer = test.transfer();
    const auto listed = transfer.list(test.remote, never);
    REQUIRE(listed);
    CHECK(listed->empty());
    CHECK(transfer.mend(test.remote, never)->find("damaged") != std::string::npos);
    CHECK(transfer.mend(test.remote, never)->empty());
}
