// Each sentence of the fold's definition, on hand-made histories.

#include "domain/fold.h"

#include <doctest/doctest.h>

#include <deque>

using namespace dutybook;
using namespace dutybook::domain;

namespace {

const Writer a = "aaa-1", b = "bbb-1", c = "ccc-1", a2 = "aaa-2";

// Operations on one record, each under the frontier that its maker names.
class Record {
public:
    Operation& add(const Writer& writer, Verb verb, std::vector<FieldChange> changes = {},
                   const std::vector<OperationId>& knows = {}) {
        Operation& out = operations_.emplace_back();
        out.id = {writer, ++last_[writer]};
        out.hlc = {static_cast<Millis>(1000 + operations_.size()), 0};
        out.at = out.hlc.ms;
        out.verb = verb;
        out.record = "r1";
        out.by = "by-" + writer.substr(0, 1);
        if (verb == Verb::Create) out.kind = "core.duty";
        out.changes = std::move(changes);
        Frontier& frontier = frontiers_.emplace_back();
        for (const auto& id : knows) frontier.advance(id.writer, id.seq, "");
        return out;
    }
    Operation& set(const Writer& writer, const std::string& value,
                   const std::vector<OperationId>& knows = {}) {
        return add(writer, Verb::Change, {{"x", Act::Set, value}}, knows);
    }
    Operation& act(const Writer& writer, Act act, const std::string& value,
                   const std::vector<OperationId>& knows = {}, const std::string& field = "f") {
        return add(writer, Verb::Change, {{field, act, value}}, knows);
    }
    // The last operation again under another writer.
    Operation& again(const Operation& first, const Writer& writer,
                     const std::vector<OperationId>& knows = {}) {
        Operation copy = first;
        copy.first = first.identity();
        Operation& out = add(writer, copy.verb, {}, knows);
        copy.id = out.id;
        return out = copy;
    }
    RecordState fold() const {
        std::vector<Known> known;
        for (std::size_t i = 0; i < operations_.size(); ++i) {
            known.push_back({&operations_[i], &frontiers_[i]});
        }
        const RecordState state = domain::fold(known);
        std::reverse(known.begin(), known.end());
        REQUIRE(hash_of(domain::fold(known)) == hash_of(state));
        return state;
    }

private:
    std::deque<Operation> operations_;
    std::deque<Frontier> frontiers_;
    std::map<Writer, std::uint64_t> last_;
};

std::vector<std::string> values(const RecordState& state, const std::string& field) {
    std::vector<std::string> out;
    for (const Conflict& conflict : state.conflicts) {
        if (conflict.field != field) continue;
        for (const ConflictValue& value : conflict.values) out.push_back(value.value);
    }
    return out;
}
using Values = std::vector<std::string>;

}  // namespace

TEST_CASE("FieldsSetApartBothHold") {
    Record r;
    const auto made = r.add(a, Verb::Create, {{"title", Act::Set, R"("t")"}}).id;
    r.add(a, Verb::Change, {{"title", Act::Set, R"("u")"}});
    r.add(b, Verb::Change, {{"priority", Act::Set, R"("high")"}}, {made});
    const auto state = r.fold();
    CHECK(state.fields.at("title") == R"("u")");
    CHECK(state.fields.at("priority") == R"("high")");
    CHECK(state.conflicts.empty());
    CHECK(state.born);
    CHECK(state.kind == "core.duty");
}

TEST_CASE("ConcurrentRegistersKeepAllAndShowTheLatestClock") {
    Record r;
    r.set(a, "1");
    r.set(b, "2");
    r.set(c, "3").hlc = {5, 0};
    const auto state = r.fold();
    CHECK(state.fields.at("x") == "2");
    CHECK(values(state, "x") == Values{"2", "1", "3"});
    CHECK(state.conflicts[0].shown == "2");
    CHECK(state.conflicts[0].values[1].operation == OperationId{a, 1});
    CHECK(state.conflicts[0].values[1].by == "by-a");
    CHECK(state.conflicts[0].values[1].at == 1001);
}

TEST_CASE("EqualClocksAreDecidedByWriterThenSeq") {
    Record r;
    r.set(a, "1").hlc = {7, 1};
    r.set(b, "2").hlc = {7, 1};
    CHECK(r.fold().fields.at("x") == "2");
    Record counters;
    counters.set(b, "1").hlc = {7, 1};
    counters.set(a, "2").hlc = {7, 2};
    CHECK(counters.fold().fields.at("x") == "2");
}

TEST_CASE("AWrongClockNeverHidesALaterInformedChange") {
    Record r;
    auto& ahead = r.set(b, "1");
    ahead.hlc = {9'000'000'000'000, 0};
    r.set(a, "2", {ahead.id});
    const auto state = r.fold();
    CHECK(state.fields.at("x") == "2");
    CHECK(state.conflicts.empty());
}

TEST_CASE("TheSameLogSupersedesWithoutAFrontier") {
    Record r;
    r.set(a, "1").hlc = {9000, 0};
    r.set(a, "2").hlc = {1, 0};
    CHECK(r.fold().fields.at("x") == "2");
    CHECK(r.fold().conflicts.empty());
}

TEST_CASE("SupersededOperationsStillSupersede") {
    // c knew b but not a; b knew a. a is not maximal although the surviving head never knew it.
    Record r;
    const auto first = r.set(a, "1").id;
    const auto second = r.set(b, "2", {first}).id;
    r.set(c, "3", {second});
    const auto state = r.fold();
    CHECK(state.fields.at("x") == "3");
    CHECK(state.conflicts.empty());
}

TEST_CASE("KnowledgeIsNotTransitiveOverOtherFields") {
    // b knew a's x, but wrote y. c knew b alone: a's x was never shown to c.
    Record r;
    const auto first = r.set(a, "1").id;
    const auto other = r.add(b, Verb::Change, {{"y", Act::Set, "0"}}, {first}).id;
    r.set(c, "3", {other});
    CHECK(values(r.fold(), "x") == Values{"3", "1"});
}

TEST_CASE("EqualValuesAreNoConflict") {
    Record r;
    r.set(a, R"({"k":1})");
    r.set(b, R"({"k":1})");
    CHECK(r.fold().conflicts.empty());
    r.set(c, "2");
    CHECK(values(r.fold(), "x") == Values{"2", R"({"k":1})"});
    // The value's later operation is the one that is told of.
    CHECK(r.fold().conflicts[0].values[1].operation == OperationId{b, 1});
}

TEST_CASE("NullClearsAndCanBeInConflict") {
    Record r;
    const auto first = r.set(a, "1").id;
    r.set(b, "null", {first});
    CHECK(r.fold().fields.count("x") == 0);
    CHECK(r.fold().conflicts.empty());
    r.set(c, "2", {first}).hlc = {5, 0};
    CHECK(r.fold().fields.count("x") == 0);
    CHECK(r.fold().conflicts[0].shown == "null");
    CHECK(values(r.fold(), "x") == Values{"null", "2"});
}

TEST_CASE("ResolveSettlesAndEqualResolutionsMakeNoNewConflict") {
    Record r;
    const auto one = r.set(a, "1").id;
    const auto two = r.set(b, "2").id;
    r.add(a, Verb::Resolve, {{"x", Act::Set, "2"}}, {two});
    CHECK(r.fold().conflicts.empty());
    r.add(b, Verb::Resolve, {{"x", Act::Set, "2"}}, {one});
    CHECK(r.fold().conflicts.empty());
    r.add(c, Verb::Resolve, {{"x", Act::Set, "1"}}, {one, two});
    CHECK(values(r.fold(), "x") == Values{"1", "2"});
}

TEST_CASE("SetElementsMergeOneByOne") {
    Record r;
    const auto first = r.act(a, Act::Add, R"("x")").id;
    r.act(b, Act::Add, R"("y")");
    CHECK(r.fold().fields.at("f") == R"(["x","y"])");
    r.act(b, Act::Remove, R"("x")", {first});
    CHECK(r.fold().fields.at("f") == R"(["y"])");
    // Added again by someone who did not know of the removal: in.
    r.act(c, Act::Add, R"("x")", {first}).hlc = {1, 0};
    CHECK(r.fold().fields.at("f") == R"(["x","y"])");
    CHECK(r.fold().conflicts.empty());
}

TEST_CASE("AnEmptiedSetIsAnEmptySet") {
    Record r;
    r.act(a, Act::Add, "1");
    r.act(a, Act::Remove, "1");
    CHECK(r.fold().fields.at("f") == "[]");
}

TEST_CASE("CountersSumEachIdentityOnce") {
    Record r;
    const auto& first = r.act(a, Act::Increment, "1");
    r.act(b, Act::Increment, "1");
    CHECK(r.fold().fields.at("f") == "2");
    r.again(first, a2);
    CHECK(r.fold().fields.at("f") == "2");
    r.act(c, Act::Increment, "-5");
    CHECK(r.fold().fields.at("f") == "-3");
    CHECK(r.fold().conflicts.empty());
}

TEST_CASE("ACounterIsSummedExactlyAndShownWithinBounds") {
    Record r;
    const std::string most = "9007199254740991";
    for (int i = 0; i < 2000; ++i) r.act(a, Act::Increment, most);
    CHECK(r.fold().fields.at("f") == most);
    for (int i = 0; i < 2000; ++i) r.act(b, Act::Increment, "-" + most);
    CHECK(r.fold().fields.at("f") == "0");
}

TEST_CASE("MixedSortsAreListedUntilARegisterSupersedesTheOthers") {
    Record r;
    const auto added = r.act(a, Act::Add, R"("x")").id;
    const auto counted = r.act(b, Act::Increment, "3").id;
    CHECK(r.fold().fields.at("f") == R"(["x"])");  // set before counter
    CHECK(values(r.fold(), "f") == Values{R"(["x"])", "3"});
    const auto set = r.act(c, Act::Set, "7", {added}).id;
    CHECK(r.fold().fields.at("f") == "7");  // register before set
    CHECK(values(r.fold(), "f") == Values{"7", "3", R"(["x"])"});
    r.act(c, Act::Set, "8", {added, counted});
    CHECK(r.fold().fields.at("f") == "8");
    CHECK(r.fold().conflicts.empty());
    r.act(a, Act::Add, R"("y")", {set});
    CHECK(r.fold().fields.at("f") == "8");
    CHECK(values(r.fold(), "f") == Values{"8", R"(["x","y"])", "3"});
}

TEST_CASE("ALaterRegisterStillSettlesWhatAnEarlierOneKnew") {
    Record r;
    const auto added = r.act(a, Act::Add, "1").id;
    const auto set = r.act(b, Act::Set, "2", {added}).id;
    r.act(c, Act::Set, "3", {set});  // never saw the set
    CHECK(r.fold().fields.at("f") == "3");
    CHECK(r.fold().conflicts.empty());
}

TEST_CASE("DeleteAgainstEditKeepsAndLists") {
    Record r;
    const auto made = r.add(a, Verb::Create).id;
    const auto deleted = r.add(a, Verb::Delete).id;
    CHECK(r.fold().deleted);
    const auto edited = r.set(b, "1", {made}).id;
    const auto state = r.fold();
    CHECK_FALSE(state.deleted);
    CHECK(values(state, "@record") == Values{R"("keep")", R"("delete")"});
    CHECK(state.conflicts[0].shown == R"("keep")");
    CHECK(state.conflicts[0].values[0].operation == edited);
    CHECK(state.conflicts[0].values[1].operation == deleted);

    Record kept = r;
    kept.add(c, Verb::Restore, {}, {deleted, edited});
    CHECK_FALSE(kept.fold().deleted);
    CHECK(kept.fold().conflicts.empty());
    Record gone = r;
    gone.add(c, Verb::Delete, {}, {deleted, edited});
    CHECK(gone.fold().deleted);
    CHECK(gone.fold().conflicts.empty());
    CHECK(gone.fold().fields.at("x") == "1");  // deleting hides, it clears nothing
}

TEST_CASE("TwoDeletesApartAreNoConflict") {
    Record r;
    const auto made = r.add(a, Verb::Create).id;
    r.add(b, Verb::Delete, {}, {made});
    r.add(c, Verb::Delete, {}, {made});
    CHECK(r.fold().deleted);
    CHECK(r.fold().conflicts.empty());
}

TEST_CASE("ALaterSetBringsADeletedRecordBack") {
    Record r;
    r.add(a, Verb::Create);
    r.add(a, Verb::Delete);
    r.set(a, "1");
    CHECK_FALSE(r.fold().deleted);
    CHECK(r.fold().conflicts.empty());
}

TEST_CASE("StatusIsAJoin") {
    Record r;
    r.add(a, Verb::Create);
    CHECK(r.fold().status == Status::Draft);
    r.add(b, Verb::Finalise);
    CHECK(r.fold().status == Status::Final);
    r.add(c, Verb::Retract);
    r.add(c, Verb::Finalise);
    CHECK(r.fold().status == Status::Retracted);
    Record at_once;
    at_once.add(a, Verb::Create).final = true;
    CHECK(at_once.fold().status == Status::Final);
}

TEST_CASE("TheEarliestCreateGivesTheEnvelope") {
    Record r;
    auto& later = r.add(a, Verb::Create);
    auto& sooner = r.add(b, Verb::Create);
    sooner.hlc = {1, 0};
    sooner.kind = "core.need";
    later.zone = "UTC";
    CHECK(r.fold().kind == "core.need");
    CHECK(r.fold().created.by == "by-b");
    CHECK(r.fold().created.changes.empty());
}

TEST_CASE("WithoutACreateARecordIsUnborn") {
    Record r;
    r.set(a, "1");
    CHECK_FALSE(r.fold().born);
    CHECK(r.fold().kind.empty());
    CHECK_FALSE(fold({}).born);
}

TEST_CASE("ACopysFrontierCounts") {
    Record r;
    const auto other = r.set(b, "2").id;
    const auto& first = r.set(a, "1");
    CHECK(values(r.fold(), "x").size() == 2);
    r.again(first, a2, {other});  // issued again under a frontier that had grown
    CHECK(values(r.fold(), "x").empty());
    CHECK(r.fold().fields.at("x") == "1");
}

TEST_CASE("WhoKnewAnyCopySupersedes") {
    Record r;
    const auto& first = r.set(a, "1");
    const auto copy = r.again(first, a2).id;
    r.set(b, "2", {copy});
    CHECK(values(r.fold(), "x").empty());
    CHECK(r.fold().fields.at("x") == "2");
}

TEST_CASE("AClaimAloneGivesNoPlace") {
    // b knew something at (a, 1): perhaps another branch of that log, so nothing is hidden.
    Record r;
    Operation lost;
    lost.id = {a, 1};
    lost.hlc = {1, 0};
    lost.by = "by-a";
    lost.verb = Verb::Change;
    lost.record = "r1";
    lost.changes = {{"x", Act::Set, "1"}};
    r.again(lost, a2);
    r.set(b, "2", {{a, 1}});
    CHECK(values(r.fold(), "x") == Values{"2", "1"});
    CHECK(r.fold().conflicts[0].values[1].operation == OperationId{a, 1});
}

TEST_CASE("AClaimedIdentityThatHoldsSomethingElseLosesNothing") {
    Record r;
    const auto& first = r.set(a, "1");
    auto& claims = r.again(first, a2);
    claims.changes[0].value = "2";
    const auto state = r.fold();
    CHECK(values(state, "x").size() == 2);
    CHECK(state.conflicts[0].values[0].operation == OperationId{a2, 1});
}

TEST_CASE("ALyingFrontierLeavesAllAndRaisesAnAlarm") {
    Record r;
    r.set(a, "1", {{b, 9}});
    r.set(b, "2", {{a, 9}});
    const auto state = r.fold();
    CHECK(state.alarm);
    CHECK(values(state, "x") == Values{"2", "1"});
    Record honest;
    honest.set(a, "1", {{b, 9}});
    CHECK_FALSE(honest.fold().alarm);
}

TEST_CASE("VersionsFollowWhatIsShown") {
    Record r;
    r.add(a, Verb::Create, {{"x", Act::Set, "1"}});
    const auto before = version_of(r.fold());
    CHECK(before.size() == 16);
    r.set(a, "1");
    CHECK(version_of(r.fold()) == before);  // nothing that a form shows has changed
    r.set(a, "2");
    const auto after = version_of(r.fold());
    CHECK(after != before);
    r.add(a, Verb::Finalise);
    CHECK(version_of(r.fold()) != after);
}

TEST_CASE("ConflictsAreSortedByField") {
    Record r;
    for (const auto& writer : {a, b}) {
        r.add(writer, Verb::Change,
              {{"B", Act::Set, R"(")" + writer + R"(")"}, {"z", Act::Set, "\"" + writer + "\""}});
    }
    r.add(c, Verb::Delete);
    const auto state = r.fold();
    REQUIRE(state.conflicts.size() == 3);
    CHECK(state.conflicts[0].field == "@record");
    CHECK(state.conflicts[1].field == "B");
    CHECK(state.conflicts[2].field == "z");
}

TEST_CASE("ManyConcurrentOperationsFoldInReasonableTime") {
    Record r;
    for (int i = 0; i < 3000; ++i) r.set("site" + std::to_string(i) + "-a", std::to_string(i % 3));
    CHECK(values(r.fold(), "x").size() == 3);
}
