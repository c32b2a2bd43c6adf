#include "sync/plan.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::sync;
using store::Ancestry;
using store::VolumeName;

namespace {

const std::string own_site(26, 'a');
const std::string other_site(26, 'b');
const std::string own = own_site + "-" + std::string(16, 'c');
const std::string own_before = own_site + "-" + std::string(16, 'd');
const std::string other = other_site + "-" + std::string(16, 'e');
const store::CommitId readme(40, '9');

// Commits of one history: id(n) comes before id(n + 1). 100 and above are of another branch.
store::CommitId id(unsigned number) {
    std::string text = std::to_string(number);
    return std::string(40 - text.size(), '0') + text;
}
unsigned number_of(const store::CommitId& commit) {
    return static_cast<unsigned>(std::stoul(commit));
}

std::string ref_of(const domain::Writer& writer, std::uint32_t volume = 1) {
    return VolumeName{writer, volume}.ref();
}

// A log whose commits up to `held` are here.
struct Case {
    Transfer::Refs listed;
    Holdings holdings{{}, {}, own_site, own};
    bool evidence_held = false;

    Compare compare() const {
        return [this](const VolumeName& volume, const store::CommitId& theirs) {
            const auto ours = holdings.ours.find(volume.ref());
            if (ours == holdings.ours.end()) return Ancestry::Unknown;
            if (theirs == ours->second) return Ancestry::Same;
            if (number_of(theirs) >= 100) {
                return evidence_held ? Ancestry::Forked : Ancestry::Unknown;
            }
            return number_of(theirs) < number_of(ours->second) ? Ancestry::Behind
                                                               : Ancestry::Unknown;
        };
    }
    Plan fetch() const {
        return plan_fetch(listed, holdings, compare(),
                          [](const VolumeName&, const store::CommitId& a,
                             const store::CommitId& b) { return number_of(a) < number_of(b); });
    }
    Pushes push() const { return plan_push(listed, holdings, compare(), readme); }
};

Do only(const Plan& plan) {
    REQUIRE(plan.decisions.size() == 1);
    return plan.decisions[0].what;
}

}  // namespace

TEST_CASE("a volume that only the remote has is fetched whole") {
    Case test;
    test.listed[ref_of(other)] = id(3);
    const Plan plan = test.fetch();
    CHECK(only(plan) == Do::Fetch);
    REQUIRE(plan.fetches.size() == 1);
    CHECK(plan.fetches[0][0].tip == id(3));
    CHECK(plan.fetches[0][0].have.empty());
    CHECK(test.push().relay.empty());
}

TEST_CASE("a volume where the remote is ahead is fetched from our tip on") {
    Case test;
    test.listed[ref_of(other)] = id(5);
    test.holdings.ours[ref_of(other)] = id(3);
    const Plan plan = test.fetch();
    CHECK(only(plan) == Do::Fetch);
    CHECK(plan.fetches.at(0).at(0).have == id(3));
    CHECK(test.push().relay.empty());
}

TEST_CASE("a volume at the same tip moves nothing") {
    Case test;
    test.listed[ref_of(other)] = id(5);
    test.listed[readme_ref] = readme;
    test.holdings.ours[ref_of(other)] = id(5);
    CHECK(only(test.fetch()) == Do::Nothing);
    CHECK(test.fetch().fetches.empty());
    CHECK(test.push().empty());
}

TEST_CASE("a volume that the remote lacks or has in part is relayed") {
    Case test;
    test.holdings.ours[ref_of(other)] = id(5);
    CHECK(only(test.fetch()) == Do::Push);
    CHECK(test.push().relay.at(0).at(0).expected.empty());
    test.listed[ref_of(other)] = id(2);
    CHECK(only(test.fetch()) == Do::Push);
    const Pushes pushes = test.push();
    CHECK(pushes.own.empty());
    CHECK(pushes.relay.at(0).at(0).expected == id(2));
    CHECK(pushes.relay.at(0).at(0).tip == id(5));
}

TEST_CASE("both branches of a fork held: evidence, and neither fetched nor pushed") {
    Case test;
    test.listed[ref_of(other)] = id(101);
    test.holdings.ours[ref_of(other)] = id(5);
    test.evidence_held = true;
    CHECK(only(test.fetch()) == Do::Evidence);
    CHECK(test.fetch().fetches.empty());
    CHECK(test.push().relay.empty());
}

TEST_CASE("own log ahead or elsewhere on the remote: restored or cloned") {
    Case test;
    test.listed[ref_of(own)] = id(7);
    SUBCASE("we have less of it") {
        test.holdings.ours[ref_of(own)] = id(5);
    }
    SUBCASE("we have none of it") {}
    SUBCASE("it went another way") {
        test.holdings.ours[ref_of(own)] = id(5);
        test.listed[ref_of(own)] = id(101);
        test.evidence_held = true;
    }
    SUBCASE("it went another way that we have not seen") {
        test.holdings.ours[ref_of(own)] = id(5);
        test.listed[ref_of(own)] = id(101);
    }
    const Plan plan = test.fetch();
    CHECK(only(plan) == Do::NewWriter);
    REQUIRE(plan.fetches.size() == 1);  // what it holds is wanted all the same
    CHECK(plan.fetches[0].size() == 1);
    CHECK(test.push().own.empty());
}

TEST_CASE("a volume of the current writer that follows ours is a new writer too") {
    Case test;
    test.holdings.ours[ref_of(own, 1)] = id(5);
    test.listed[ref_of(own, 1)] = id(5);
    test.listed[ref_of(own, 2)] = id(6);
    const Plan plan = test.fetch();
    CHECK(plan.decisions.at(0).what == Do::Nothing);
    CHECK(plan.decisions.at(1).what == Do::NewWriter);
}

TEST_CASE("an earlier writer of this site is fetched like anybody's") {
    Case test;
    test.listed[ref_of(own_before)] = id(7);
    test.holdings.ours[ref_of(own_before)] = id(5);
    CHECK(only(test.fetch()) == Do::Fetch);
}

TEST_CASE("a remembered tip that is missing or older now has gone back") {
    Case test;
    test.holdings.ours[ref_of(other)] = id(9);
    test.holdings.remembered[ref_of(other)] = id(7);
    SUBCASE("missing") {
        CHECK(test.fetch().gone_back.size() == 1);
    }
    SUBCASE("older than remembered") {
        test.listed[ref_of(other)] = id(4);
        CHECK(test.fetch().gone_back.size() == 1);
        CHECK(test.fetch().decisions[0].gone_back);
        CHECK(only(test.fetch()) == Do::Push);
    }
    SUBCASE("older than remembered, which is our tip") {
        test.holdings.remembered[ref_of(other)] = id(9);
        test.listed[ref_of(other)] = id(8);
        CHECK(test.fetch().gone_back.size() == 1);
    }
    SUBCASE("as remembered") {
        test.listed[ref_of(other)] = id(7);
        CHECK(test.fetch().gone_back.empty());
    }
    SUBCASE("behind us, but further than remembered") {
        test.listed[ref_of(other)] = id(8);
        CHECK(test.fetch().gone_back.empty());
        CHECK(only(test.fetch()) == Do::Push);
    }
    SUBCASE("further than us") {
        test.listed[ref_of(other)] = id(12);
        CHECK(test.fetch().gone_back.empty());
    }
}

TEST_CASE("what was remembered and is held nowhere is told as well") {
    Case test;
    test.holdings.remembered[ref_of(other)] = id(7);
    const Plan plan = test.fetch();
    CHECK(plan.decisions.empty());
    CHECK(plan.gone_back == std::vector<std::string>{ref_of(other)});
}

TEST_CASE("foreign refs and damaged names are ignored") {
    Case test;
    for (const std::string& name :
         {std::string("refs/heads/main"), std::string("refs/heads/control"),
          std::string(readme_ref), std::string("refs/tags/x"), std::string("refs/heads/log/"),
          "refs/heads/log/" + other, "refs/heads/log/" + other + "/1",
          "refs/heads/log/" + other + "/00000001/x", std::string("refs/heads/log/../00000001"),
          std::string("refs/heads/log/BBBB-CCCC/00000001"), std::string()})
        test.listed[name] = id(3);
    test.listed[ref_of(other)] = "not a commit";
    test.listed[ref_of(other, 2)] = "";
    test.listed[ref_of(other, 3)] = std::string(40, '0');
    const Plan plan = test.fetch();
    CHECK(plan.decisions.empty());
    CHECK(plan.fetches.empty());
    test.holdings.ours = test.listed;
    CHECK(test.push().relay.empty());
    CHECK(test.push().own.empty());
}

TEST_CASE("the constant is pushed where it is missing and never changed") {
    Case test;
    CHECK(test.push().constant.at(0).ref == readme_ref);
    CHECK(test.push().constant.at(0).tip == readme);
    test.listed[readme_ref] = id(1);
    CHECK(test.push().constant.empty());
}

TEST_CASE("closed volumes come one by one and in order, open ones together") {
    Case test;
    const auto writer = [](char c) { return std::string(26, c) + "-" + std::string(16, c); };
    // Two whose next few segments are new, one that closed a volume meanwhile, six unknown ones.
    test.listed[ref_of(writer('f'))] = id(5);
    test.holdings.ours[ref_of(writer('f'))] = id(4);
    test.listed[ref_of(writer('g'))] = id(5);
    test.holdings.ours[ref_of(writer('g'))] = id(4);
    test.listed[ref_of(writer('h'), 1)] = id(5);
    test.listed[ref_of(writer('h'), 2)] = id(6);
    test.listed[ref_of(writer('h'), 3)] = id(7);
    test.holdings.ours[ref_of(writer('h'), 1)] = id(4);
    for (const char c : {'i', 'j', 'k', 'l', 'm', 'n'}) test.listed[ref_of(writer(c))] = id(1);
    const Plan plan = test.fetch();
    REQUIRE(plan.fetches.size() == 6);
    CHECK(plan.fetches[0].size() == 2);
    CHECK(plan.fetches[1].size() == 4);
    CHECK(plan.fetches[2].size() == 2);
    CHECK(plan.fetches[3].at(0).ref == ref_of(writer('h'), 1));
    CHECK(plan.fetches[4].at(0).ref == ref_of(writer('h'), 2));
    CHECK(plan.fetches[5].at(0).ref == ref_of(writer('h'), 3));
    for (const std::size_t alone : {3u, 4u, 5u}) CHECK(plan.fetches[alone].size() == 1);
}

TEST_CASE("own volumes go oldest first, the current writer's last, each a slice") {
    Case test;
    test.holdings.ours[ref_of(own, 1)] = id(5);
    test.holdings.ours[ref_of(own, 2)] = id(6);
    test.holdings.ours[ref_of(own_before, 1)] = id(3);
    test.holdings.ours[ref_of(other, 1)] = id(3);
    test.holdings.ours[ref_of(other, 2)] = id(4);
    const Pushes pushes = test.push();
    REQUIRE(pushes.own.size() == 3);
    CHECK(pushes.own[0].at(0).ref == ref_of(own_before, 1));
    CHECK(pushes.own[1].at(0).ref == ref_of(own, 1));
    CHECK(pushes.own[2].at(0).ref == ref_of(own, 2));
    for (const auto& slice : pushes.own) CHECK(slice.size() == 1);
    REQUIRE(pushes.relay.size() == 2);
    CHECK(pushes.relay[0].at(0).ref == ref_of(other, 1));
}

TEST_CASE("small relayed tips share one push") {
    Case test;
    for (const char c : {'f', 'g', 'h'}) {
        const auto writer = std::string(26, c) + "-" + std::string(16, c);
        test.holdings.ours[ref_of(writer)] = id(5);
        test.listed[ref_of(writer)] = id(4);
    }
    const Pushes pushes = test.push();
    REQUIRE(pushes.relay.size() == 1);
    CHECK(pushes.relay[0].size() == 3);
}

TEST_CASE("a failed fetch is split until single volumes stand") {
    const Wanted a{"a", id(1), {}}, b{"b", id(2), {}}, c{"c", id(3), {}};
    const auto halves = split({a, b, c});
    REQUIRE(halves.size() == 2);
    CHECK(halves[0].size() + halves[1].size() == 3);
    CHECK(halves[0][0].ref == "a");
    CHECK(halves[1].back().ref == "c");
    REQUIRE(split({a}).size() == 1);
    CHECK(split({a})[0].size() == 1);
}

TEST_CASE("the ref of a forked log's branch names its volume and its tip") {
    const store::VolumeName volume{std::string(26, 'a') + "-" + std::string(8, 'b'), 7};
    const std::string tip(40, 'c');
    const std::string ref = sync::fork_ref(volume, tip);
    CHECK(ref == "refs/heads/fork/" + volume.writer + "/00000007/" + tip);
    CHECK(sync::volume_of_fork(ref) == volume);
    for (const std::string& other :
         {volume.ref(), volume.ref() + "/" + tip, std::string("refs/heads/fork/"),
          "refs/heads/fork/" + volume.writer + "/7/" + tip, ref + "0",
          "refs/heads/fork/" + volume.writer + "/00000007/" + std::string(40, 'z')}) {
        CAPTURE(other);
        CHECK_FALSE(sync::volume_of_fork(other));
    }
}
