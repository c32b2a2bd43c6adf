// The control log's fold where machines were recovered apart.

#include "membership_space.h"

using namespace dutybook;
using namespace dutybook::domain;
using namespace dutybook::domain::membership_test;

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
