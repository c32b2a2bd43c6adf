// The control log's fold: who belongs, in every order of arrival.

#include "domain/membership.h"
#include "base/crypto.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

using namespace dutybook;
using namespace dutybook::domain;

namespace {

struct SiteKeys {
    SigningKey sign{Secret::random()};
    BoxKey box{Secret::random()};
    std::string id = site_id_of(sign.public_key());
};

// Writes entries as an administrator's site would; a commit id is a hash of the text.
class Space {
public:
    Space() {
        crypto_start();
        ControlAct found = act_of(ControlKind::Found, admin);
        found.recovery_sign = recovery.sign.public_key();
        found.recovery_box = recovery.box.public_key();
        found.salt = std::string(16, 's');
        found.space_name = "north";
        id = space_id_of(admin.sign.public_key(), found.recovery_sign, found.salt);
        keys.emplace(1, Secret::random());
        append(found, admin.sign, 1);
    }

    static ControlAct act_of(ControlKind kind, const SiteKeys& site, const std::string& name = "") {
        ControlAct act;
        act.kind = kind;
        act.site = site.id;
        act.name = name.empty() ? site.id.substr(0, 4) : name;
        act.sign = site.sign.public_key();
        act.box = site.box.public_key();
        return act;
    }

    SignedEntry make(const ControlAct& act, const SigningKey& by, std::uint32_t new_epoch,
                     const std::string& previous, std::uint64_t number) {
        ControlEntry entry;
        entry.space = id;
        entry.number = number;
        entry.previous = previous;
        entry.at = 1000;
        entry.by = by.public_key();
        entry.epoch = new_epoch != 0 ? new_epoch : epoch;
        if (new_epoch != 0) {
            auto readers = number == 0 ? std::vector{recovery.box.public_key(), act.box}
                                       : membership().readers();
            wrap_epoch(entry, new_epoch, keys, readers);
        }
        seal_act(entry, act, keys.at(entry.epoch));
        return {hex(blake2b(write_entry(entry))).substr(0, 40), entry};
    }
    SignedEntry append(const ControlAct& act, const SigningKey& by, std::uint32_t new_epoch = 0) {
        const std::string previous = entries.empty() ? "" : entries.back().commit;
        entries.push_back(make(act, by, new_epoch, previous, entries.size()));
        if (new_epoch != 0) epoch = new_epoch;
        return entries.back();
    }
    SiteKeys invite(const std::string& name, Role role = Role::Writes) {
        SiteKeys invite;
        ControlAct add = act_of(ControlKind::Add, invite, name);
        add.role = role;
        append(add, admin.sign);
        return invite;
    }
    Introduction introduce(const SiteKeys& invite, const SiteKeys& site) {
        Introduction one{site.id,
                         site.sign.public_key(),
                         site.box.public_key(),
                         invite.sign.public_key(),
                         {},
                         {},
                         {}};
        one.proof = view(invite.sign.sign(introduction_text(id, one)));
        introductions.insert(one);
        return one;
    }
    // New keys of a site, vouched for by its old ones.
    Introduction replace(const std::string& site, const SiteKeys& old, const SiteKeys& fresh,
                         const Position& end) {
        Introduction one{site,
                         fresh.sign.public_key(),
                         fresh.box.public_key(),
                         old.sign.public_key(),
                         {},
                         site + "-aaaaaaaa",
                         end};
        one.proof = view(old.sign.sign(introduction_text(id, one)));
        introductions.insert(one);
        return one;
    }
    Membership membership(std::vector<SignedEntry> some) const {
        const auto result =
            fold_membership(id, some, introductions, [&](const ControlEntry& entry) {
                const auto found = keys.find(entry.epoch);
                return found == keys.end() ? nullptr : &found->second;
            });
        REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().text()));
        return *result;
    }
    Membership membership() const { return membership(entries); }

    SiteKeys admin, recovery;
    std::string id;
    std::uint32_t epoch = 1;
    EpochKeys keys;
    std::vector<SignedEntry> entries;
    std::set<Introduction> introductions;
};

std::string writer_of(const SiteKeys& site) {
    return site.id + "-aaaaaaaa";
}
std::string segment(char c) {
    return std::string(40, c);
}
bool may(const Membership& members, const SiteKeys& site, const std::string& writer,
         std::uint64_t first, std::uint64_t last, const std::string& id,
         const std::string& previous = {}) {
    return members.may_sign({writer, first, last, previous, id}, site.sign.public_key())
        .has_value();
}

}  // namespace

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

namespace {

// As a site folds that has these keys and can open what is wrapped for that box.
Membership seen(const Space& space, const std::vector<SignedEntry>& entries, EpochKeys keys,
                const SiteKeys& site) {
    const std::vector<BoxKey> boxes{site.box};
    for (std::size_t known = 0;;) {
        const auto members =
            fold_membership(space.id, entries, space.introductions,
                            [&](const ControlEntry& entry) -> const Secret* {
                                collect_epoch_keys(entry, boxes, keys);
                                const auto found = keys.find(entry.epoch);
                                return found == keys.end() ? nullptr : &found->second;
                            });
        REQUIRE(members.has_value());
        if (keys.size() == known) return *members;
        known = keys.size();
    }
}

// Two machines recovered apart from the space's first entry; neither is given the other's key.
struct Recovered {
    Space space;
    SiteKeys won, lost;
    EpochKeys first{{1, space.keys.at(1)}};
    SignedEntry of_won, of_lost;

    Recovered() {
        const std::string head = space.entries.back().commit;
        const auto recover = [&](const SiteKeys& site, std::uint32_t epoch) {
            space.keys = first;  // an entry brings the keys that its writer has
            space.keys.emplace(epoch, Secret::random());
            auto entry = space.make(Space::act_of(ControlKind::Recover, site), space.recovery.sign,
                                    epoch, head, 1);
            return std::pair(std::move(entry), space.keys.at(epoch));
        };
        const auto [one, second] = recover(won, 2);
        const auto [other, third] = recover(lost, 3);
        of_won = one;
        of_lost = other;
        space.keys.emplace(2, second);
        if (of_lost.commit < of_won.commit) {
            std::swap(won, lost);
            std::swap(of_won, of_lost);
        }
    }
    EpochKeys keys_of(const SignedEntry& recovery) const {
        EpochKeys keys = first;
        keys.emplace(recovery.entry.epoch, space.keys.at(recovery.entry.epoch));
        return keys;
    }
    Membership at(const SiteKeys& site, const EpochKeys& keys,
                  std::vector<SignedEntry> more = {}) const {
        more.insert(more.begin(), {space.entries[0], of_lost, of_won});
        return seen(space, more, keys, site);
    }
};

}  // namespace

TEST_CASE("two recoveries made apart: all sites take the same one, whoever lost knows it") {
    const Recovered two;
    const Membership member = two.at(two.space.admin, two.first);
    CHECK(member.head == two.of_won.commit);
    CHECK(member.pen == two.won.id);
    REQUIRE(member.lost.size() == 1);
    CHECK(member.lost[0].act.site == two.lost.id);

    const Membership winner = two.at(two.won, two.keys_of(two.of_won));
    CHECK(winner.head == member.head);
    CHECK_FALSE(winner.shut_out);
    REQUIRE(winner.lost.size() == 1);  // it cannot read who that was
    CHECK(winner.lost[0].act.site.empty());
    CHECK_FALSE(winner.done_again(winner.lost[0]));

    const Membership loser = two.at(two.lost, two.keys_of(two.of_lost));
    CHECK(loser.head == member.head);
    CHECK(loser.shut_out);
    CHECK(loser.pen.empty());
    CHECK(loser.find(two.lost.id) == nullptr);
    REQUIRE(loser.lost.size() == 1);
    CHECK(loser.lost[0].act.site == two.lost.id);
}

TEST_CASE("what the loser of two recoveries did is listed, and its next recovery ends it") {
    Recovered two;
    ControlAct removal = Space::act_of(ControlKind::Remove, two.space.admin);
    two.space.epoch = two.of_lost.entry.epoch;
    const SignedEntry after = two.space.make(removal, two.lost.sign, 0, two.of_lost.commit, 2);
    const Membership member = two.at(two.space.admin, two.first, {after});
    REQUIRE(member.lost.size() == 2);
    CHECK(member.lost[1].act.kind == ControlKind::Remove);
    CHECK(member.find(two.space.admin.id)->standing == Standing::Active);

    // Who holds the pen appends, the loser cannot tell; then it recovers again, after that.
    two.space.epoch = two.of_won.entry.epoch;
    const SignedEntry invite = two.space.make(Space::act_of(ControlKind::Add, SiteKeys{}, "East"),
                                              two.won.sign, 0, two.of_won.commit, 2);
    const Membership closed = two.at(two.lost, two.keys_of(two.of_lost), {after, invite});
    CHECK(closed.number == 1);
    CHECK(closed.unreadable == std::vector<std::string>{invite.commit});
    two.space.keys.emplace(9, Secret::random());
    two.space.entries = {two.space.entries[0], two.of_won, invite};
    ControlAct act = Space::act_of(ControlKind::Recover, two.lost);
    SignedEntry again = two.space.make(act, two.space.recovery.sign, 9, invite.commit, 3);
    again.entry.wraps.push_back(
        {9, key_name(two.lost.box.public_key()),
         seal_for(two.lost.box.public_key(), two.space.keys.at(9).bytes())});
    seal_act(again.entry, act, two.space.keys.at(9));
    for (const auto& [site, keys] :
         {std::pair{two.lost, two.keys_of(two.of_lost)},
          std::pair{two.won, two.keys_of(two.of_won)}, std::pair{two.space.admin, two.first}}) {
        const Membership members = two.at(site, keys, {after, invite, again});
        CHECK(members.head == again.commit);
        CHECK(members.pen == two.lost.id);
        CHECK_FALSE(members.shut_out);
        CHECK(members.administrators() == 3);
        REQUIRE(members.lost.size() == 2);
        CHECK(members.done_again(members.lost[0]));        // the recovery
        CHECK_FALSE(members.done_again(members.lost[1]));  // the removal
    }
}

TEST_CASE("the key of a branch that gave way is passed on at its end, by a member and no other") {
    Space space;
    SiteKeys fresh;
    const std::string head = space.entries.back().commit;
    space.keys.emplace(2, Secret::random());
    space.keys.emplace(3, Secret::random());
    const SignedEntry recovery =
        space.make(Space::act_of(ControlKind::Recover, fresh), space.recovery.sign, 2, head, 1);
    // The old administrator, who is alive, began an epoch of its own.
    const SignedEntry apart = space.make(ControlAct{}, space.admin.sign, 3, head, 1);
    EpochKeys keys{{1, space.keys.at(1)}, {2, space.keys.at(2)}};
    const std::vector<SignedEntry> both{space.entries[0], recovery, apart};
    CHECK(seen(space, both, keys, fresh).lost.empty());  // it cannot be read there
    CHECK(seen(space, both, keys, fresh).lost_unread == std::vector<std::string>{apart.commit});

    // Against any other entry it is not known which one counts.
    const SignedEntry other = space.make(Space::act_of(ControlKind::Add, SiteKeys{}, "East"),
                                         space.admin.sign, 0, head, 1);
    const Membership open = seen(space, {space.entries[0], other, apart}, keys, fresh);
    CHECK(open.lost_unread.empty());
    CHECK(open.unreadable == std::vector<std::string>{apart.commit});

    const auto passed_on = [&](const SigningKey& by) {
        ControlEntry entry = apart.entry;
        entry.number = 2;
        entry.previous = apart.commit;
        entry.by = by.public_key();
        entry.wraps.clear();
        entry.chain.clear();
        wrap_epoch(entry, 3, {{3, space.keys.at(3)}}, {fresh.box.public_key()});
        seal_act(entry, ControlAct{}, space.keys.at(3));
        return SignedEntry{hex(blake2b(write_entry(entry))).substr(0, 40), entry};
    };
    auto all = both;
    all.push_back(passed_on(SiteKeys{}.sign));
    CHECK(seen(space, all, keys, fresh).lost.empty());
    all.push_back(passed_on(space.admin.sign));
    const Membership members = seen(space, all, keys, fresh);
    CHECK(members.head == recovery.commit);
    CHECK(members.lost.size() == 2);
}

TEST_CASE("a site that came by an invite and recovers keeps it used") {
    Space space;
    const SiteKeys invite = space.invite("South");
    SiteKeys south;
    space.introduce(invite, south);
    const auto introduced = std::exchange(space.introductions, {});
    space.append(Space::act_of(ControlKind::Recover, south), space.recovery.sign);
    CHECK(space.membership().sites.size() == 3);  // its own word has not come yet
    space.introductions = introduced;
    CHECK(space.membership().sites.size() == 2);
    CHECK(space.membership().pen == south.id);
}
