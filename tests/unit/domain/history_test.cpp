#include "domain/history.h"
#include "support/fold_model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <deque>
#include <map>

using namespace dutybook;
using namespace dutybook::domain;

namespace {

class Arrivals {
public:
    Operation& add(const Writer& writer, Verb verb, std::vector<FieldChange> changes) {
        Operation& out = operations_.emplace_back();
        out.id = {writer, operations_.size()};
        out.at = static_cast<Millis>(operations_.size()) * 10;
        out.hlc = {out.at, 0};
        out.verb = verb;
        out.record = "r1";
        out.by = "p";
        if (verb == Verb::Create) out.kind = "core.duty";
        out.changes = std::move(changes);
        known_.push_back({&out, &none_});
        return out;
    }
    const std::vector<Known>& known() const { return known_; }

private:
    std::deque<Operation> operations_;
    std::vector<Known> known_;
    Frontier none_;
};

std::string text(const HistoryLine& line) {
    return line.verb + " " + line.field + " " + line.old_value + " -> " + line.new_value;
}

}  // namespace

TEST_CASE("HistoryTellsOldAndNew") {
    Arrivals r;
    r.add("a-1", Verb::Create, {{"x", Act::Set, "1"}});
    r.add("a-1", Verb::Change,
          {{"n", Act::Increment, "2"}, {"t", Act::Add, "\"e\""}, {"x", Act::Set, "5"}});
    auto& last =
        r.add("a-1", Verb::Change,
              {{"n", Act::Increment, "3"}, {"t", Act::Remove, "\"e\""}, {"x", Act::Set, "null"}});
    last.reason = "wrong";
    Operation copy = last;
    r.add("a-2", Verb::Resolve, {{"x", Act::Set, "7"}});
    r.add("a-1", Verb::Delete, {});
    Operation& again = r.add("a-2", copy.verb, copy.changes);
    copy.first = copy.id;
    copy.id = again.id;
    again = copy;

    const auto lines = history(r.known());
    std::vector<std::string> got;
    for (const auto& line : lines) got.push_back(text(line));
    CHECK(got == std::vector<std::string>{"create   -> ", "set x  -> 1", "increment n  -> 2",
                                          "add t  -> \"e\"", "set x 1 -> 5", "increment n 2 -> 5",
                                          "remove t \"e\" -> ", "set x 5 -> ", "resolve x  -> 7",
                                          "delete   -> "});
    CHECK(lines[7].reason == "wrong");
    CHECK(lines[7].by == "p");
    CHECK(lines[7].at == 30);
    CHECK(lines[7].operation == OperationId{"a-1", 3});
}

// A settles what it knew of, with a clock that is behind; B and C had changed the field apart.
TEST_CASE("HistoryIsTheSameInEveryOrderOfArrivalAndTellsCausesFirst") {
    std::deque<Operation> operations;
    std::deque<Frontier> frontiers;
    std::vector<Known> known;
    const auto add = [&](const OperationId& id, Millis at, const char* value,
                         std::vector<OperationId> knows) {
        Operation& out = operations.emplace_back();
        out.id = id;
        out.at = at;
        out.hlc = {at, 0};
        out.verb = operations.size() == 1 ? Verb::Create : Verb::Change;
        out.record = "r1";
        out.kind = operations.size() == 1 ? "core.duty" : "";
        out.changes = {{"x", Act::Set, value}};
        Frontier& frontier = frontiers.emplace_back();
        for (const auto& one : knows) frontier.advance(one.writer, one.seq, "");
        known.push_back({&out, &frontier});
    };
    add({"a-1", 1}, 100, "1", {});
    add({"b-1", 1}, 500, "2", {{"a-1", 1}});
    add({"c-1", 1}, 400, "3", {{"a-1", 1}});
    add({"a-1", 2}, 200, "4", {{"b-1", 1}, {"c-1", 1}});
    std::vector<std::size_t> order = {0, 1, 2, 3};
    do {
        std::vector<Known> arrived;
        for (const auto at : order) arrived.push_back(known[at]);
        std::vector<std::string> got;
        for (const auto& line : history(arrived)) got.push_back(text(line));
        CHECK(got == std::vector<std::string>{"create   -> ", "set x  -> 1", "set x 1 -> 3",
                                              "set x 3 -> 2", "set x 2 -> 4"});
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("OldIsWhatAllThatWasToldBeforeShows") {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        model::Generator make(seed);
        const auto made = make.history(2 + seed % 4, 3 + seed % 30);
        const auto known = model::known(made);
        std::map<OperationId, Known> by_id;
        for (const Known& one : known) by_id.emplace(one.operation->id, one);
        std::vector<Known> told;
        OperationId last;
        for (const auto& line : history(known)) {
            if (line.operation != last && !last.writer.empty()) told.push_back(by_id.at(last));
            last = line.operation;
            if (line.verb != "set" && line.verb != "resolve" && line.verb != "increment") continue;
            if (line.field.empty()) continue;
            const auto state = fold(told);
            const auto shown = state.fields.find(line.field);
            CHECK_MESSAGE(line.old_value == (shown == state.fields.end() ? "" : shown->second),
                          "seed " << seed);
        }
    }
}

TEST_CASE("TenThousandChangesOfARecordAreToldAtOnce") {
    Arrivals r;
    r.add("a-1", Verb::Create, {{"x", Act::Set, "0"}});
    constexpr int changes = 10'000;
    for (int i = 1; i <= changes; ++i)
        r.add("a-1", Verb::Change, {{"x", Act::Set, std::to_string(i)}});
    const auto before = std::clock();
    const auto lines = history(r.known());
    // Half a minute if each line were made of all lines before it.
    CHECK(double(std::clock() - before) / CLOCKS_PER_SEC < 5);
    REQUIRE(lines.size() == changes + 2);
    CHECK(text(lines.back()) == "set x 9999 -> 10000");
}

TEST_CASE("StateAtATimeAndDifferences") {
    Arrivals r;
    r.add("a-1", Verb::Create, {{"x", Act::Set, "1"}});
    r.add("a-1", Verb::Change, {{"x", Act::Set, "2"}, {"y", Act::Set, "3"}});
    r.add("a-1", Verb::Finalise, {});
    r.add("a-1", Verb::Delete, {});
    CHECK_FALSE(state_at(r.known(), 9).born);
    const auto then = state_at(r.known(), 10);
    CHECK(then.fields.at("x") == "1");
    const auto later = state_at(r.known(), 1000);
    const auto changes = difference(then, later);
    REQUIRE(changes.size() == 4);
    CHECK(changes[0].field == "@record");
    CHECK(changes[0].b == "\"delete\"");
    CHECK(changes[1].b == "\"final\"");
    CHECK(changes[2].field == "x");
    CHECK(changes[2].a == "1");
    CHECK(changes[2].b == "2");
    CHECK(changes[3].a.empty());
    CHECK(difference(later, later).empty());
}
