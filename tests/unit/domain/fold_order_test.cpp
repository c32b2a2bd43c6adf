// The fold held against its definition, over histories in which operations arrive before those
// that they knew of, and the two shortcuts shown to be wrong.

#include "support/fold_model.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::domain;

namespace {

constexpr int histories = 1000;

std::string describe(const model::Shown& shown) {
    std::string out;
    for (const auto& [target, words] : shown) {
        out += target + ":";
        for (const auto& word : words) out += " " + word;
        out += "; ";
    }
    return out;
}

bool has_lost_value(const model::Shown& right, const model::Shown& wrong) {
    return std::any_of(right.begin(), right.end(), [&](const auto& entry) {
        const auto found = wrong.find(entry.first);
        return found == wrong.end() || !std::includes(found->second.begin(), found->second.end(),
                                                      entry.second.begin(), entry.second.end());
    });
}

}  // namespace

TEST_CASE("TheFoldIsItsDefinition") {
    for (std::uint64_t seed = 1; seed <= histories; ++seed) {
        model::Generator make(seed);
        const auto history = make.history(2 + seed % 4, 3 + seed % 20);
        const auto right = model::elements_decided(model::by_definition(history));
        const auto state = fold(model::known(history));
        CHECK_MESSAGE(describe(model::of_state(state, right)) == describe(right), "seed " << seed);
        CHECK_FALSE(state.alarm);
    }
}

TEST_CASE("AnyOrderGivesTheSameStateAndHash") {
    for (std::uint64_t seed = 1; seed <= histories; ++seed) {
        model::Generator make(seed);
        const auto history = make.history(2 + seed % 4, 3 + seed % 20);
        auto known = model::known(history);
        const auto first = fold(known);
        for (int round = 0; round < 4; ++round) {
            make.shuffle(known);
            const auto again = fold(known);
            CHECK_MESSAGE(hash_of(again) == hash_of(first), "seed " << seed);
            CHECK(again.changed_at == first.changed_at);
            CHECK(again.changed_by == first.changed_by);
            CHECK(again.created.id == first.created.id);
        }
    }
}

TEST_CASE("CopiesAndDuplicatesChangeNothing") {
    for (std::uint64_t seed = 1; seed <= histories; ++seed) {
        model::Generator make(seed);
        auto history = make.history(2 + seed % 4, 3 + seed % 20);
        const auto alone = fold(model::known(history));
        // Issue the end of the first site's log again under a new writer, some twice.
        const std::string old_writer = "site0-a", new_writer = "site0-b";
        std::uint64_t seq = 0;
        for (std::size_t i = 0, size = history.size(); i < size; ++i) {
            if (history[i].operation.id.writer != old_writer || make.below(2) == 0) continue;
            model::Made copy = history[i];
            copy.operation.first = copy.operation.id;
            copy.operation.id = {new_writer, ++seq};
            history.push_back(copy);
            if (make.below(2) == 0) history.push_back(copy);
        }
        make.shuffle(history);
        CHECK_MESSAGE(hash_of(fold(model::known(history))) == hash_of(alone), "seed " << seed);
    }
}

TEST_CASE("ControlSurvivingHeadsDependOnTheOrder") {
    int wrong = 0, production_wrong = 0, orders = 0;
    for (std::uint64_t seed = 1; seed <= histories; ++seed) {
        model::Generator make(seed);
        const auto history = make.history(3 + seed % 3, 10 + seed % 20);
        const auto right = model::by_definition(history);
        const auto decided = model::elements_decided(right);
        for (int round = 0; round < 3; ++round, ++orders) {
            const auto arrived = make.arrival(history);
            if (model::by_surviving_heads(arrived) != right) ++wrong;
            const auto state = fold(model::known(arrived));
            if (model::of_state(state, decided) != decided) ++production_wrong;
        }
    }
    MESSAGE("surviving heads: " << wrong << " of " << orders << " orders wrong");
    CHECK(wrong > 0);
    CHECK(production_wrong == 0);
}

TEST_CASE("ControlClosedFrontiersLoseValuesThatNobodyWasShown") {
    int lost = 0;
    for (std::uint64_t seed = 1; seed <= histories; ++seed) {
        model::Generator make(seed);
        const auto history = make.history(3 + seed % 3, 10 + seed % 20);
        const auto right = model::by_definition(history);
        if (has_lost_value(right, model::by_definition(model::with_closed_frontiers(history)))) {
            ++lost;
        }
    }
    MESSAGE("closed frontiers: values lost in " << lost << " of " << histories << " histories");
    CHECK(lost > 0);
}
