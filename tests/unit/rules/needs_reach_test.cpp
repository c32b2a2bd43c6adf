// Backward must never miss a subject: random records and changes, judged against trying it out.

#include "needs_fixture.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

using namespace dutybook;
using namespace dutybook::rules;
using test::MemoryKinds;
using test::MemorySource;
using test::record;

namespace {

const MemoryKinds kinds{{"t.subject", {"ref", "refs"}}, {"t.a", {"ref", "refs"}}, {"t.b", {"ref"}}};

const std::vector<const char*> need_sets{
    R"({"a": {"kind": "t.a", "id": "s.ref"}})",
    R"({"a": {"kind": "t.a", "id": "s.refs", "list": true}})",
    R"({"a": {"kind": "t.a", "where": {"ref": "s.ref"}}})",
    R"({"a": {"kind": "t.a", "where": {"ref": "s._id"}}})",
    R"({"a": {"kind": "t.a", "where": {"word": "s.word", "refs": "s.ref"}}})",
    R"({"a": {"kind": "t.a", "where": {"word": {"const": "w1"}}, "field": "at",
              "from": "s.at - P3D", "to": "s.at"}})",
    R"({"a": {"kind": "t.a", "field": "day", "from": "s.at - P1M", "to": "s.day + PT30H"}})",
    R"({"a": {"kind": "t.a", "field": "at", "from": "s.day - P1M", "to": "s.day + P1M"}})",
    R"({"a": {"kind": "t.a", "id": "s.ref"}, "b": {"kind": "t.b", "where": {"ref": "a._id"}}})",
    R"({"a": {"kind": "t.a", "id": "s.ref"},
        "b": {"kind": "t.b", "field": "day", "from": "a.day - P2D", "to": "a.day"}})",
    R"({"a": {"kind": "t.a", "where": {"ref": "s.ref"}},
        "b": {"kind": "t.b", "where": {"ref": "a.ref", "word": "a.word"}}})",
    R"({"a": {"kind": "t.a", "where": {"word": "s.word"}},
        "b": {"kind": "t.b", "field": "day", "from": "a.day - P2D", "to": "a.day + P2D"}})",
    R"({"a": {"kind": "t.a", "where": {"word": "s.part.word"}},
        "b": {"kind": "t.b", "where": {"word": "s.word", "ref": "a.refs"}}})"};

class World {
public:
    explicit World(unsigned seed) : random_(seed) {}

    RuleRecord make(const std::string& id, const std::string& kind, const std::string& space) {
        Json fields = Json::object();
        if (maybe()) fields["ref"] = reference(space);
        if (maybe()) fields["refs"] = Json::array({reference(space), reference(space)});
        if (maybe()) fields["word"] = "w" + std::to_string(number(2));
        if (maybe()) fields["part"] = {{"word", "w" + std::to_string(number(2))}};
        if (maybe()) fields["day"] = day();
        if (maybe()) fields["at"] = day() + (number(2) == 0 ? "T03:30:00Z" : "T22:00:00-05:00");
        if (number(12) == 0) fields["at"] = day();
        return record(id, kind, fields, space);
    }
    std::size_t number(std::size_t below) { return random_() % below; }
    bool maybe() { return number(6) != 0; }

private:
    std::string reference(const std::string& space) {
        const std::string id = "r" + std::to_string(number(5));
        return space == "school" && number(2) == 0 ? "district/" + id : id;
    }
    std::string day() {
        return number(2) == 0 ? "2026-02-" + std::to_string(20 + number(9))
                              : "2026-03-0" + std::to_string(1 + number(9));
    }
    std::mt19937 random_;
};

std::string seen_by(const NeedSet& set, const RuleRecord& subject, const NeedContext& context,
                    MemorySource& source) {
    const auto gathered = gather(set, subject, context, source);
    REQUIRE(gathered.has_value());
    return gathered->digest;
}

}  // namespace

TEST_CASE("every subject whose needs differ after a change was reached") {
    std::size_t differed = 0, reached_in_all = 0;
    for (unsigned seed = 0; seed < 1300; ++seed) {
        World world(seed);
        const char* text = need_sets[seed % need_sets.size()];
        const auto set = parse_needs(Json::parse(text), "s", {"t.subject"}, false, "");
        REQUIRE(set.has_value());
        NeedContext context;
        context.space = "school";
        context.kinds = &kinds;
        MemorySource source;
        for (int i = 0; i < 6; ++i) {
            const std::string id = "r" + std::to_string(i);
            source.records.push_back(world.make("s" + id, "t.subject", "school"));
            for (const char* kind : {"t.a", "t.b"}) {
                // Ids are one name space: a and b of one space never share one.
                const std::string space = world.number(2) == 0 ? "school" : "district";
                source.records.push_back(
                    world.make(kind == std::string("t.a") ? id : "b" + id, kind, space));
            }
        }
        const std::size_t chosen = world.number(source.records.size());
        RuleRecord& changing = source.records[chosen];
        const RuleRecord before = changing;
        std::vector<std::string> digests;
        for (const RuleRecord& one : source.records) {
            digests.push_back(one.kind == "t.subject" ? seen_by(*set, one, context, source) : "");
        }
        changing = world.make(before.id, before.kind, before.space);
        changing.version = "v2";
        if (world.number(4) == 0) changing.deleted = true;
        const RecordChange change{before,
                                  changing.deleted ? std::nullopt : std::optional(changing)};
        const auto found = reached(*set, change, context, source);
        REQUIRE(found.has_value());
        const std::set<std::string> reached_ids(found->begin(), found->end());
        reached_in_all += reached_ids.size();
        for (std::size_t i = 0; i < source.records.size(); ++i) {
            const RuleRecord& subject = source.records[i];
            if (subject.kind != "t.subject" || subject.deleted) continue;
            const bool other = i == chosen || digests[i] != seen_by(*set, subject, context, source);
            differed += other ? 1 : 0;
            CHECK_MESSAGE((!other || reached_ids.contains(subject.id)), "seed ", seed, ", subject ",
                          subject.id, ", needs ", text);
        }
    }
    MESSAGE(differed, " verdicts could have changed, ", reached_in_all, " subjects were reached");
    CHECK(differed > 500);
    CHECK(reached_in_all < 1300 * 6 / 2);
}
