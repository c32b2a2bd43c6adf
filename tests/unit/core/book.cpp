#include "core/book.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"
#include "rules/schema_validator.h"
#include "site_fixture.h"
#include "support/source_dir.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

using namespace dutybook;
using namespace dutybook::testing;
using core::Action;
using core::Book;

namespace {

class Store {
public:
    explicit Store(const std::string& name = "store") : directory_(scratch_.path(name)) {
        const auto site = Book::create(directory_, "North School", "America/New_York", clock_);
        REQUIRE_MESSAGE(site.has_value(), site.error().text());
        REQUIRE(core::write_space_folder(directory_, {random_base32(16), "north", ""}).has_value());
    }

    Result<std::unique_ptr<Book>> try_open(core::SpaceService::Listener listener = nullptr) {
        core::BookOptions options;
        options.directory = directory_;
        options.schemas = dutybook::tests::source_dir() / "schemas";
        options.clock = &clock_;
        options.listener = std::move(listener);
        options.plain_spaces = true;
        return Book::open(std::move(options));
    }

    Result<std::unique_ptr<Book>> open_as_shipped() {
        core::BookOptions options;
        options.directory = directory_;
        options.schemas = dutybook::tests::source_dir() / "schemas";
        options.clock = &clock_;
        return Book::open(std::move(options));
    }

    std::unique_ptr<Book> open(core::SpaceService::Listener listener = nullptr) {
        auto book = try_open(std::move(listener));
        REQUIRE_MESSAGE(book.has_value(), book.error().text());
        return std::move(*book);
    }

    const std::filesystem::path& directory() const { return directory_; }
    std::filesystem::path folder() const { return directory_ / "spaces" / "north"; }

private:
    Scratch scratch_;
    SystemClock clock_;
    std::filesystem::path directory_;
};

core::Written write(core::SpaceService& space, core::WriteRequest request) {
    auto results = space.write_and_wait({std::move(request)});
    REQUIRE_MESSAGE(results.at(0).has_value(), results.at(0).error().text());
    return std::move(*results.at(0));
}

std::string title(core::SpaceService& space, const std::string& id) {
    const auto record = space.reader().get(id);
    REQUIRE(record.has_value());
    return *record ? (**record).state.fields.at("title") : "";
}

domain::Writer writer_of(core::SpaceService& space) {
    return space.run([](core::SpaceEngine& engine) { return engine.writer(); });
}

void check_schema(const std::string& schema, const std::filesystem::path& file) {
    const auto text = read_file(dutybook::tests::source_dir() / "schemas" / schema);
    REQUIRE(text.has_value());
    const auto compiled = rules::Schema::compile(Json::parse(*text));
    REQUIRE_MESSAGE(compiled.has_value(), compiled.error().text());
    const auto errors = compiled->validate(Json::parse(*read_file(file)));
    CHECK_MESSAGE(errors.empty(), errors.front().text());
}

}  // namespace

TEST_CASE("a store is made once, private, and its files are what the schemas say") {
    Store store;
    SystemClock clock;
    CHECK(Book::create(store.directory(), "Other", "UTC", clock).error().code == Code::Exists);
    struct stat found {};
    REQUIRE(::stat((store.directory() / "keys" / "sign.key").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    REQUIRE(::stat(store.directory().c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0700);
    check_schema("site.schema.json", store.directory() / "site.json");
    check_schema("space.schema.json", store.folder() / "space.json");
    Scratch other;
    CHECK_FALSE(Book::create(other.path("x"), "Other", "Nowhere/Land", clock).has_value());
}

TEST_CASE("a space whose whole folder is gone is told at every start, with what to do") {
    Store store;
    store.open();
    std::filesystem::remove_all(store.folder());
    for (int start = 0; start < 2; ++start) {
        const auto told = healed_files().size();
        CHECK(store.open()->spaces().empty());
        const auto all = healed_files();
        REQUIRE(all.size() == told + 1);
        CHECK(all.back().lost);
        CHECK(all.back().file == store.folder());
        CHECK(all.back().how.find("backup") != std::string::npos);
    }
}

TEST_CASE("a log or a journal that was lost is told, and the store goes on") {
    Store store;
    {
        auto book = store.open();
        write(*book->space("north"), create("core.duty", duty("x"), "d1"));
        core::SpaceEngine::Seal all;
        all.force = true;
        REQUIRE(book->space("north")->run(
            [&](core::SpaceEngine& engine) { return engine.seal(all).has_value(); }));
    }
    std::string lost;
    SUBCASE("the log") {
        std::filesystem::remove_all(store.folder() / "log.git");
        lost = "log.git";
    }
    SUBCASE("the journal with all that is beside it") {
        for (const char* name : {"journal.db", "journal.db.head", "journal.db.clean"})
            std::filesystem::remove(store.folder() / name);
        lost = "journal.db";
    }
    auto book = store.open();
    const auto told = healed_files();
    REQUIRE_FALSE(told.empty());
    CHECK(told.back().file.filename() == lost);
    CHECK(told.back().lost == (lost == "journal.db"));
    CHECK_FALSE(told.back().how.empty());
    const auto alarms =
        book->space("north")->run([](core::SpaceEngine& engine) { return engine.alarms(); });
    const bool raised =
        std::ranges::any_of(alarms, [](const auto& alarm) { return alarm.kind == "log-lost"; });
    CHECK(raised == (lost == "log.git"));
    CHECK(title(*book->space("north"), "d1") == R"("x")");
    write(*book->space("north"), create("core.duty", duty("after"), "d2"));
}

TEST_CASE("a space without its space.json is refused with what to do, not passed over") {
    Store store;
    store.open();
    std::filesystem::remove(store.folder() / "space.json");
    std::filesystem::remove(store.folder() / "space.json.kept");
    const auto opened = store.try_open();
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Code::Corrupt);
    CHECK(opened.error().text().find("space.json") != std::string::npos);
    CHECK(opened.error().fix.find("backup") != std::string::npos);
}

TEST_CASE("what was acknowledged is there after the book was closed and opened") {
    Store store;
    auto book = store.open();
    CHECK(book->site().id.size() == 26);
    CHECK(book->site().public_key.rfind("ssh-ed25519 AAAA", 0) == 0);
    const auto writer = writer_of(*book->space("north"));
    CHECK(writer.rfind(book->site().id + "-", 0) == 0);
    write(*book->space("north"), create("core.duty", duty("x"), "d1"));
    book.reset();
    book = store.open();
    CHECK(title(*book->space("north"), "d1") == R"("x")");
    CHECK(writer_of(*book->space("north")) == writer);
    CHECK(book->space("south") == nullptr);
}

TEST_CASE("a second daemon on one store is refused and told who holds it") {
    Store store;
    const auto book = store.open();
    const auto second = store.try_open();
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == Code::Unavailable);
    CHECK(second.error().why.find(std::to_string(::getpid())) != std::string::npos);
}

TEST_CASE("open doors are closed at start") {
    Store store;
    ::chmod(store.directory().c_str(), 0755);
    ::chmod((store.directory() / "keys" / "sign.key").c_str(), 0644);
    const auto book = store.open();
    struct stat found {};
    ::stat(store.directory().c_str(), &found);
    CHECK((found.st_mode & 0777) == 0700);
    ::stat((store.directory() / "keys" / "sign.key").c_str(), &found);
    CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("a damaged index is built again, whatever the damage") {
    Store store;
    write(*store.open()->space("north"), create("core.duty", duty("x"), "d1"));
    const auto index = store.folder() / "index.db";
    const auto digest = *store.open()->space("north")->reader().digest();
    for (const std::string damage : {"deleted", "truncated", "rubbish"}) {
        CAPTURE(damage);
        if (damage == "deleted") std::filesystem::remove(index);
        if (damage == "truncated") std::filesystem::resize_file(index, 4096);
        if (damage == "rubbish") {
            std::ofstream(index, std::ios::trunc) << std::string(50'000, 'x');
        }
        const auto book = store.open();
        CHECK(*book->space("north")->reader().digest() == digest);
    }
}

TEST_CASE("a log that cannot be opened stops neither writes nor reads") {
    Store store;
    write(*store.open()->space("north"), create("core.duty", duty("x"), "d1"));
    std::filesystem::remove_all(store.folder() / "log.git");
    std::ofstream(store.folder() / "log.git") << "not a repository";
    auto book = store.open();
    auto& space = *book->space("north");
    write(space, patch("d1", {{"title", "y"}}));
    CHECK(title(space, "d1") == R"("y")");
    core::SpaceEngine::Seal all;
    all.force = true;
    CHECK_FALSE(space.run([&](core::SpaceEngine& engine) { return engine.seal(all); }).has_value());
    CHECK_FALSE(space.run([](core::SpaceEngine& engine) { return engine.alarms(); }).empty());

    const auto repaired = space.run([](core::SpaceEngine& engine) {
        return engine.log().repair(false, engine.journal(), [](const store::SealRow&) {
            return Result<std::vector<std::string>>(std::vector<std::string>{});
        });
    });
    REQUIRE_MESSAGE(repaired.has_value(), repaired.error().text());
    const auto sealed = space.run([&](core::SpaceEngine& engine) { return engine.seal(all); });
    CHECK_MESSAGE(sealed.has_value(), sealed.error().text());
}

TEST_CASE("a copied store writes under a new name, a store that stayed does not") {
    Store store;
    auto book = store.open();
    const auto writer = writer_of(*book->space("north"));
    write(*book->space("north"), create("core.duty", duty("x"), "d1"));
    book.reset();
    const auto aside = store.directory().string() + ".copy";
    std::filesystem::copy(store.directory(), aside, std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(store.directory());
    std::filesystem::rename(aside, store.directory());
    book = store.open();
    const auto fresh = writer_of(*book->space("north"));
    CHECK(fresh != writer);
    CHECK(title(*book->space("north"), "d1") == R"("x")");
    book.reset();
    CHECK(writer_of(*store.open()->space("north")) == fresh);
}

TEST_CASE("a reference into the parent is stored with the parent's name") {
    Store store;
    auto book = store.open();
    const auto add = [&](const std::string& name, const std::string& parent) {
        const auto made =
            core::write_space_folder(store.directory(), {random_base32(16), name, parent});
        return made ? book->open_space(name) : made.error();
    };
    REQUIRE(add("district", "").has_value());
    REQUIRE(add("child", "district").has_value());
    CHECK_FALSE(add("child", "").has_value());
    CHECK_FALSE(add("a/b", "").has_value());
    write(*book->space("district"), create("core.duty", duty("x"), "p1"));
    auto& child = *book->space("child");
    write(child, create("core.duty", duty("y"), "own"));
    const auto assignee = [&](const char* to) {
        auto fields = duty("z");
        fields["assignee"] = to;
        return write(child, create("core.duty", fields)).record.state.fields.at("assignee");
    };
    CHECK(assignee("p1") == R"("district/p1")");
    CHECK(assignee("own") == R"("own")");
    CHECK(assignee("nobody") == R"("nobody")");
    const auto id = write(child, create("core.duty", duty("w"))).id;
    CHECK(write(child, patch(id, {{"assignee", "p1"}})).record.state.fields.at("assignee") ==
          R"("district/p1")");
}

TEST_CASE("writes of many threads are all answered, kept and told") {
    Store store;
    std::mutex mutex;
    std::condition_variable told;
    std::size_t records = 0;
    auto book = store.open([&](const core::Change& change) {
        if (change.type != "record") return;
        const std::lock_guard lock(mutex);
        ++records;
        told.notify_all();
    });
    auto& space = *book->space("north");
    std::atomic<int> answered = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                auto results = space.write_and_wait(
                    {create("core.duty", duty("x"), std::to_string(t) + "-" + std::to_string(i))});
                if (results.at(0).has_value()) ++answered;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(answered == 200);
    {
        std::unique_lock lock(mutex);
        CHECK(told.wait_for(lock, std::chrono::seconds(10), [&] { return records == 200; }));
    }
    book.reset();
    CHECK(store.open()->space("north")->reader().counts()->records == 200);
}

TEST_CASE("what was accepted before the end is answered") {
    Store store;
    auto book = store.open();
    std::atomic<int> answered = 0;
    for (int i = 0; i < 20; ++i) {
        book->space("north")->write({create("core.duty", duty("x"), "r" + std::to_string(i))},
                                    [&](auto results) { answered += results.at(0).has_value(); });
    }
    book.reset();
    CHECK(answered == 20);
}

TEST_CASE("a space that says that it is not encrypted is refused") {
    Store store;
    const auto opened = store.open_as_shipped();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Code::Forbidden);
    CHECK(opened.error().text().find("not encrypted") != std::string::npos);
}

TEST_CASE("sealed commits bear the site's signature, which stock git verifies") {
    Store store;
    const auto book = store.open();
    auto& space = *book->space("north");
    write(space, create("core.duty", duty("x"), "d1"));
    core::SpaceEngine::Seal all;
    all.force = true;
    REQUIRE(space.run([&](core::SpaceEngine& engine) { return engine.seal(all); }).has_value());
    const auto verify = [&](const std::string& key) {
        const auto signers = store.directory() / "allowed_signers";
        std::ofstream(signers, std::ios::trunc) << "site@north namespaces=\"git\" " << key << "\n";
        const std::string command =
            "git -C " + (store.folder() / "log.git").string() +
            " -c gpg.format=ssh -c gpg.ssh.allowedSignersFile=" + signers.string() +
            " verify-commit " + space.log().volumes()->front().tip + " >/dev/null 2>&1";
        return std::system(command.c_str()) == 0;
    };
    CHECK(verify(book->site().public_key));
    Store other;
    CHECK_FALSE(verify(other.open()->site().public_key));
}
