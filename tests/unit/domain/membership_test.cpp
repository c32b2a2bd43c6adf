// The control log's fold: who belongs, in every order of arrival.

#include "membership_space.h"

using namespace dutybook;
using namespace dutybook::domain;
using namespace dutybook::domain::membership_test;

TEST_CASE("an entry is read back as it was written, and no other way") {
    Space space;
    const std::string line = write_entry(space.entries[0].entry);
    const auto read = read_entry(line);
    REQUIRE(read);
    CHECK(write_entry(*read) == line);
    CHECK(open_act(*read, space.keys.at(1))->space_name == "north");
    CHECK_FALSE(open_act(*read, Secret::random()));
    ControlEntry moved = *read;
    moved.at += 1;
    CHECK_FALSE(open_act(moved, space.keys.at(1)));
    CHECK_FALSE(read_entry(" " + line));
    CHECK_FALSE(read_entry(line.substr(0, line.size() / 2)));
    CHECK(line.find("north") == std::string::npos);  // a host reads no names
}

TEST_CASE("only the founder whose key makes the space's id founds it") {
    Space space;
    SiteKeys thief;
    ControlAct found = Space::act_of(ControlKind::Found, thief);
    found.salt = std::string(16, 's');
    found.space_name = "north";
    const SignedEntry stolen = space.make(found, thief.sign, 1, "", 0);
    CHECK(space.membership({stolen, space.entries[0]}).founder == space.admin.id);
    CHECK_FALSE(fold_membership(space.id, {stolen}, {}, [&](auto) { return &space.keys.at(1); }));
}

TEST_CASE("an invited site is a member by its own introduction alone") {
    Space space;
    const SiteKeys invite = space.invite("South");
    SiteKeys south;
    CHECK(space.membership().find(south.id) == nullptr);
    space.introduce(invite, south);
    const Membership after = space.membership();
    REQUIRE(after.find(south.id) != nullptr);
    CHECK(after.find(south.id)->name == "South");
    CHECK(may(after, south, writer_of(south), 1, 5, segment('a')));
    CHECK(after.sites.size() == 2);  // the used invite is gone

    SiteKeys forger;
    Introduction forged{forger.id,
                        forger.sign.public_key(),
                        forger.box.public_key(),
                        invite.sign.public_key(),
                        "x",
                        {},
                        {}};
    space.introductions.insert(forged);
    CHECK(space.membership().find(forger.id) == nullptr);
}

TEST_CASE("an invite that two sites use is told, and a person settles it") {
    Space space;
    const SiteKeys invite = space.invite("South");
    SiteKeys a, b;
    space.introduce(invite, a);
    space.introduce(invite, b);
    CHECK(space.membership().find(a.id)->invite_used_twice);
    CHECK(space.membership().find(b.id)->invite_used_twice);
    space.append(Space::act_of(ControlKind::Confirm, a), space.admin.sign);
    CHECK_FALSE(space.membership().find(a.id)->invite_used_twice);
}

TEST_CASE("a reader writes nothing but receipts, a stranger nothing at all") {
    Space space;
    const SiteKeys invite = space.invite("Office", Role::Reads);
    SiteKeys office, stranger;
    space.introduce(invite, office);
    const Membership members = space.membership();
    CHECK_FALSE(may(members, office, writer_of(office), 1, 1, segment('a')));
    CHECK(may(members, office, writer_of(office), 1, 0, segment('a')));
    CHECK_FALSE(may(members, stranger, writer_of(stranger), 1, 1, segment('a')));
}

TEST_CASE("a removed site counts up to its position, and gets no new key") {
    Space space;
    const SiteKeys invite = space.invite("South");
    SiteKeys south;
    space.introduce(invite, south);
    ControlAct remove = Space::act_of(ControlKind::Remove, south);
    remove.positions[writer_of(south)] = {10, segment('c')};
    space.keys.emplace(2, Secret::random());
    // The new epoch is wrapped for those who stay.
    auto removed_first = space.membership();
    ControlEntry entry;
    space.append(remove, space.admin.sign);
    space.append(ControlAct{}, space.admin.sign, 2);
    const Membership after = space.membership();
    CHECK(may(after, south, writer_of(south), 6, 10, segment('c')));
    CHECK(may(after, south, writer_of(south), 1, 5, segment('a')));
    CHECK_FALSE(may(after, south, writer_of(south), 11, 12, segment('d')));
    CHECK_FALSE(may(after, south, writer_of(south), 6, 10, segment('x')));
    CHECK_FALSE(may(after, south, south.id + "-bbbbbbbb", 1, 1, segment('a')));
    CHECK(after.epoch == 2);

    EpochKeys theirs{{1, space.keys.at(1)}};
    const std::vector<BoxKey> boxes{south.box};
    collect_epoch_keys(space.entries.back().entry, boxes, theirs);
    CHECK(theirs.count(2) == 0);
    EpochKeys from_paper;
    const std::vector<BoxKey> paper{space.recovery.box};
    collect_epoch_keys(space.entries.back().entry, paper, from_paper);
    CHECK(from_paper.at(2) == space.keys.at(2));
    CHECK(from_paper.at(1) == space.keys.at(1));  // by the chain

    ControlAct adopt = Space::act_of(ControlKind::Adopt, south);
    adopt.positions[writer_of(south)] = {12, segment('d')};
    space.append(adopt, space.admin.sign);
    CHECK(may(space.membership(), south, writer_of(south), 11, 12, segment('d')));
}

TEST_CASE("of two entries with one number all sites take the same, and list the other") {
    Space space;
    const SiteKeys other;
    const std::string head = space.entries.back().commit;
    ControlAct one = Space::act_of(ControlKind::Add, SiteKeys{}, "One");
    ControlAct two = Space::act_of(ControlKind::Add, SiteKeys{}, "Two");
    const SignedEntry a = space.make(one, space.admin.sign, 0, head, 1);
    const SignedEntry b = space.make(two, space.admin.sign, 0, head, 1);
    const Membership left = space.membership({space.entries[0], a, b});
    const Membership right = space.membership({b, a, space.entries[0]});
    CHECK(left.head == std::min(a.commit, b.commit));
    CHECK(left.head == right.head);
    REQUIRE(left.lost.size() == 1);
    CHECK(left.lost[0].commit == right.lost[0].commit);

    const SignedEntry by_recovery = space.make(one, space.recovery.sign, 0, head, 1);
    CHECK(space.membership({space.entries[0], a, b, by_recovery}).head == by_recovery.commit);
}

TEST_CASE("who holds no pen appends nothing, an old entry replayed changes nothing") {
    Space space;
    const SiteKeys invite = space.invite("South", Role::Administers);
    SiteKeys south;
    space.introduce(invite, south);
    space.append(Space::act_of(ControlKind::Remove, space.admin), south.sign);
    CHECK(space.membership().number == 1);
    space.entries.pop_back();
    const SignedEntry replayed = space.entries[1];
    space.append(Space::act_of(ControlKind::Pen, south), space.admin.sign);
    CHECK(space.membership().pen == south.id);
    space.entries.push_back(replayed);
    CHECK(space.membership().number == 2);
    space.entries.pop_back();
    space.append(Space::act_of(ControlKind::Retire, space.admin), south.sign);
    CHECK(space.membership().find(space.admin.id)->standing == Standing::Retired);
}

TEST_CASE("the recovery key makes a new administrator who can remove the old one") {
    Space space;
    SiteKeys fresh;
    space.keys.emplace(2, Secret::random());
    space.append(Space::act_of(ControlKind::Recover, fresh), space.recovery.sign, 2);
    CHECK(space.membership().pen == fresh.id);
    CHECK(space.membership().administrators() == 2);
    ControlAct remove = Space::act_of(ControlKind::Remove, space.admin);
    space.append(remove, fresh.sign);
    CHECK(space.membership().find(space.admin.id)->standing == Standing::Removed);
    CHECK_FALSE(may(space.membership(), space.admin, writer_of(space.admin), 1, 1, segment('a')));
}

TEST_CASE("a replaced key counts up to where its logs end, the new one in other logs") {
    Space space;
    SiteKeys renewed;
    const std::string old_log = writer_of(space.admin), fresh = space.admin.id + "-bbbbbbbb";
    ControlAct rotate = Space::act_of(ControlKind::Rotate, renewed);
    rotate.site = space.admin.id;
    rotate.positions[old_log] = {20, segment('a')};
    const std::string head = space.entries.back().commit;
    const SignedEntry rival = space.make(Space::act_of(ControlKind::Add, SiteKeys{}, "Thief"),
                                         space.admin.sign, 0, head, 1);
    const SignedEntry entry = space.append(rotate, space.admin.sign);
    const Membership members = space.membership();
    CHECK(may(members, space.admin, old_log, 1, 20, segment('a')));
    CHECK(may(members, space.admin, old_log, 21, 20, segment('b'), segment('9')));
    CHECK_FALSE(may(members, space.admin, old_log, 21, 21, segment('b'), segment('a')));
    CHECK_FALSE(may(members, space.admin, old_log, 21, 20, segment('b'), segment('a')));
    CHECK_FALSE(may(members, renewed, old_log, 21, 21, segment('b'), segment('a')));
    CHECK_FALSE(may(members, space.admin, fresh, 1, 1, segment('c')));
    CHECK(may(members, renewed, fresh, 1, 1, segment('c')));
    CHECK(members.end_of(old_log) == Position{20, segment('a')});
    CHECK(members.given_up(space.admin.sign.public_key()) != nullptr);
    CHECK(members.given_up(renewed.sign.public_key()) == nullptr);
    // Whoever has the old key cannot undo it, whatever the commit ids are, nor append after it.
    CHECK(space.membership({space.entries[0], entry, rival}).head == entry.commit);
    CHECK(space.membership({space.entries[0], rival, entry}).lost.size() == 1);
    space.append(Space::act_of(ControlKind::Add, SiteKeys{}, "Late"), space.admin.sign);
    CHECK(space.membership().number == 1);
    space.entries.pop_back();
    space.append(Space::act_of(ControlKind::Add, SiteKeys{}, "East"), renewed.sign);
    CHECK(space.membership().number == 2);
}

TEST_CASE("keys that a site announced itself count at once, and are the line's once recorded") {
    Space space;
    const SiteKeys invite = space.invite("South");
    SiteKeys south, renewed, again, stranger;
    space.introduce(invite, south);
    const std::string fresh = south.id + "-bbbbbbbb";
    const auto announced = space.replace(south.id, south, renewed, {7, segment('a')});
    CHECK(read_introduction(write_introduction(announced))->end == announced.end);
    auto members = space.membership();
    CHECK(may(members, renewed, fresh, 1, 1, segment('c')));
    CHECK(may(members, south, writer_of(south), 1, 7, segment('a')));
    CHECK(members.find(south.id)->announced.size() == 1);
    // One that follows another; none by who was never a key of the site.
    space.replace(south.id, renewed, again, {3, segment('d')});
    space.replace(south.id, stranger, stranger, {3, segment('d')});
    members = space.membership();
    CHECK(may(members, again, fresh, 1, 1, segment('c')));
    CHECK_FALSE(may(members, stranger, fresh, 1, 1, segment('c')));

    ControlAct rotate = Space::act_of(ControlKind::Rotate, renewed);
    rotate.site = south.id;
    rotate.positions[writer_of(south)] = {7, segment('a')};
    space.append(rotate, space.admin.sign);
    // Whoever has the old key announces nothing any more.
    SiteKeys thief;
    space.replace(south.id, south, thief, {7, segment('a')});
    members = space.membership();
    CHECK(members.find(south.id)->keys.size() == 2);
    CHECK(members.find(south.id)->announced.size() == 1);
    CHECK(may(members, again, fresh, 1, 1, segment('c')));
    CHECK_FALSE(may(members, thief, fresh, 1, 1, segment('c')));
    CHECK_FALSE(may(members, south, fresh, 1, 1, segment('c')));
}

TEST_CASE("the least format that a site must know is the line's") {
    Space space;
    ControlAct format = Space::act_of(ControlKind::Format, space.admin);
    format.minimum_format = 2;
    space.append(format, space.admin.sign);
    CHECK(space.membership().minimum_format == 2);
}
