// Two stores of one space, made by founding and invitation, judged and healed.

#include "core/circle.h"
#include "core/founding.h"
#include "core/identity.h"

#include "base/file.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::testing;

namespace {

const SystemClock system_clock;

// A store with its space opened: circle and log, no engine.
struct Opened {
    std::filesystem::path store;
    std::shared_ptr<core::Keyring> ring;
    const store::CommitSigner* signer = nullptr;  // the first pair's
    std::unique_ptr<core::Circle> circle;
    std::unique_ptr<store::Log> log;

    std::filesystem::path folder() const { return store / "spaces" / "school"; }

    void open() {
        circle.reset();
        log.reset();
        const auto site = core::read_site(store);
        const auto record = core::read_space(folder());
        REQUIRE(site.has_value());
        REQUIRE(record.has_value());
        const auto keys = core::Keyring::read(store, site->site.id);
        REQUIRE_MESSAGE(keys.has_value(), (keys ? "" : keys.error().text()));
        ring = *keys;
        signer = ring->first()->signer.get();
        auto opened = core::Circle::open({folder(), *record, site->site, ring, &system_clock});
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().text()));
        circle = std::move(*opened);
        auto held = store::open_git_log(
            {folder() / "log.git", record->id, &circle->codec(), signer, circle.get()});
        REQUIRE(held.has_value());
        log = std::move(*held);
        const auto attached = circle->attach(*log);
        REQUIRE_MESSAGE(attached.has_value(), (attached ? "" : attached.error().text()));
    }
};

struct Two {
    Scratch scratch;
    Opened north, south;
    std::string recovery_key;

    Two() {
        north.store = scratch.path("north");
        REQUIRE(core::Book::create(north.store, "North", "UTC", system_clock).has_value());
        const auto founded = core::found_space(north.store, "school", {}, 1000);
        REQUIRE_MESSAGE(founded.has_value(), (founded ? "" : founded.error().text()));
        recovery_key = founded->recovery_key;
        north.open();
        const auto invitation = north.circle->invite("South", domain::Role::Writes);
        REQUIRE_MESSAGE(invitation.has_value(), (invitation ? "" : invitation.error().text()));
        south.store = scratch.path("south");
        REQUIRE(core::Book::create(south.store, "South", "UTC", system_clock).has_value());
        REQUIRE(core::join_space(south.store, *invitation).has_value());
        south.open();
    }

    store::SegmentHeader first_header(const Opened& by) const {
        store::SegmentHeader header;
        header.space = north.circle->membership()->space;
        header.writer = by.circle->site().id + "-aaaaaaaa";
        header.last = 1;
        header.introduction = by.circle->introduction(header.writer);
        return header;
    }
    static Result<void> judged(const Opened& at, const store::SegmentHeader& header,
                               const store::CommitSigner& signer,
                               const std::string& bytes = "tree x\n\nsegment 1-1\n") {
        const auto signature = signer.sign(bytes);
        return at.circle->judge(header, bytes, *signature, std::string(40, 'c'));
    }
};

}  // namespace

TEST_CASE("an invited site is a member by its first segment; a stranger and a forger are not") {
    Two two;
    CHECK(two.north.circle->membership()->find(two.south.circle->site().id) == nullptr);
    auto silent = two.first_header(two.south);
    silent.introduction.clear();
    CHECK_FALSE(Two::judged(two.north, silent, *two.south.signer));
    CHECK_FALSE(Two::judged(two.south, two.first_header(two.north), *two.south.signer));
    CHECK(Two::judged(two.south, two.first_header(two.north), *two.north.signer).has_value());
    REQUIRE(Two::judged(two.north, two.first_header(two.south), *two.south.signer));
    const auto* member = two.north.circle->membership()->find(two.south.circle->site().id);
    REQUIRE(member != nullptr);
    CHECK(member->name == "South");
    // It is still known after a restart, without its segment.
    two.north.open();
    CHECK(two.north.circle->membership()->find(two.south.circle->site().id) != nullptr);
}

TEST_CASE("a removed site is refused, and gets no key of the new epoch") {
    Two two;
    REQUIRE(Two::judged(two.north, two.first_header(two.south), *two.south.signer));
    const auto before = two.north.circle->codec().current_epoch();
    const auto south = two.north.circle->find("South");
    REQUIRE(south);
    REQUIRE(two.north.circle->remove(*south));
    CHECK(two.north.circle->codec().current_epoch() > before);
    const auto refused = Two::judged(two.north, two.first_header(two.south), *two.south.signer);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::Denied);
    CHECK(refused.error().what.find("South") != std::string::npos);
    CHECK(refused.error().what.find("refs/heads/log/") != std::string::npos);
    // Who does not hold the pen appends nothing.
    const auto other = two.south.circle->invite("East", domain::Role::Writes);
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Code::Forbidden);
}

TEST_CASE("the control log is healed from its copy, and the copy from the log") {
    Two two;
    const auto head = two.north.circle->head();
    two.north.circle.reset();
    two.north.log.reset();
    std::filesystem::remove_all(two.north.folder() / "log.git");
    two.north.open();
    CHECK(two.north.circle->head() == head);
    REQUIRE(two.north.circle->membership());
    two.north.circle.reset();
    two.north.log.reset();
    std::filesystem::remove(two.north.folder() / "control.json");
    two.north.open();
    CHECK(two.north.circle->head() == head);
    CHECK(std::filesystem::exists(two.north.folder() / "control.json"));
}

TEST_CASE("the recovery key takes the pen, another key does not") {
    Two two;
    const auto wrong = two.south.circle->recover(Secret::random());
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == Code::Forbidden);
    const auto key = secret_from_paper(two.recovery_key);
    REQUIRE(key);
    REQUIRE(two.south.circle->recover(*key));
    CHECK(two.south.circle->holds_pen());
    CHECK(two.south.circle->membership()->administrators() == 2);
    CHECK(two.south.circle->invite("East", domain::Role::Writes).has_value());
}

TEST_CASE("a changed entry of an invitation's control log is refused") {
    Two two;
    const auto invitation = two.north.circle->invite("West", domain::Role::Writes);
    REQUIRE(invitation);
    Json changed = *invitation;
    auto& piece = changed["control"]["pieces"][0][0].get_ref<std::string&>();
    piece[piece.size() / 2] = piece[piece.size() / 2] == 'A' ? 'B' : 'A';
    const auto store = two.scratch.path("west");
    REQUIRE(core::Book::create(store, "West", "UTC", system_clock).has_value());
    CHECK_FALSE(core::join_space(store, changed));
    CHECK(core::join_space(store, *invitation).has_value());
}
