// One operation is folded a short way; two copies of it go the long one and say the same.

#include "domain/fold_alone.h"
#include "domain/fold.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::domain;

namespace {

Operation operation(Verb verb, std::vector<FieldChange> changes) {
    Operation out;
    out.id = {"aaa-1", 7};
    out.hlc = {1000, 2};
    out.at = 1001;
    out.verb = verb;
    out.record = "r1";
    out.by = "rosa";
    out.reason = "why";
    if (verb == Verb::Create) out.kind = "core.duty";
    out.changes = std::move(changes);
    return out;
}

void check_same(const Operation& one) {
    const Frontier none;
    const Known known{&one, &none};
    const Known twice[] = {known, known};
    const RecordState a = fold({&known, 1}), b = fold(twice);
    CHECK(hash_of(a) == hash_of(b));
    CHECK(a.fields == b.fields);
    CHECK(a.id == b.id);
    CHECK(a.born == b.born);
    CHECK(a.deleted == b.deleted);
    CHECK(a.alarm == b.alarm);
    CHECK(a.status == b.status);
    CHECK(a.changed_at == b.changed_at);
    CHECK(a.changed_by == b.changed_by);
    CHECK(a.conflicts.size() == b.conflicts.size());
    CHECK(a.created.id == b.created.id);
    CHECK(a.created.by == b.created.by);
    CHECK(a.created.reason == b.created.reason);
    CHECK(a.created.changes.empty());
    CHECK(b.created.changes.empty());
}

}  // namespace

TEST_CASE("OneOperationFoldsTheShortWayAsTheLongOne") {
    const std::vector<std::vector<FieldChange>> forms = {
        {},
        {{"a", Act::Set, "1"}},
        {{"a", Act::Set, "1"}, {"b", Act::Set, "null"}, {"c", Act::Set, "[\"x\"]"}},
        {{"a", Act::Add, "\"x\""}, {"a", Act::Add, "\"y\""}, {"b", Act::Set, "{}"}},
        {{"b", Act::Set, "1"}, {"a", Act::Set, "2"}},
        {{"a", Act::Add, "\"y\""}, {"a", Act::Add, "\"x\""}},
        {{"a", Act::Add, "\"x\""}, {"a", Act::Add, "\"x\""}},
        {{"a", Act::Remove, "\"x\""}, {"b", Act::Increment, "3"}},
        {{"a", Act::Set, "1"}, {"a", Act::Set, "2"}},
        {{"a", Act::Set, "1"}, {"a", Act::Add, "2"}}};
    for (const auto& changes : forms) {
        for (const Verb verb : {Verb::Create, Verb::Change, Verb::Delete, Verb::Restore,
                                Verb::Resolve, Verb::Finalise, Verb::Retract}) {
            check_same(operation(verb, changes));
        }
        Operation again = operation(Verb::Create, changes);
        again.first = OperationId{"aaa-0", 3};
        again.final = true;
        check_same(again);
    }
}

TEST_CASE("TheShortWayIsTakenByAnOrdinaryCreate") {
    const std::vector<FieldChange> fields = {
        {"tags", Act::Add, "\"x\""}, {"tags", Act::Add, "\"y\""}, {"title", Act::Set, "\"Bus\""}};
    const auto state = fold_alone(operation(Verb::Create, fields));
    REQUIRE(state);
    CHECK(state->fields.at("tags") == R"(["x","y"])");
    CHECK(!fold_alone(operation(Verb::Change, {{"n", Act::Increment, "1"}})));
}
