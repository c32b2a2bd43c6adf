#pragma once
// What an Index must do with operations; see index_contract.h.

#include "support/index_asking.h"

namespace dutybook::testing {

inline void index_contract_of_apply(const MakeIndex& make) {
    const Kinds kinds = test_kinds();
    const auto index = make(kinds);
    REQUIRE(index != nullptr);
    auto& reader = index->reader();
    Author north("northsite-1111"), south("southsite-1111");

    SUBCASE("an empty index") {
        CHECK_FALSE(reader.get("d1").value());
        CHECK(reader.counts().value().records == 0);
        CHECK(reader.counts().value().operations == 0);
        CHECK(digest_of(*index) == domain::Digest().text());
        CHECK(index->frontier().empty());
        CHECK(index->waiting().empty());
        CHECK(list_ids(*index, {}).empty());
        CHECK(index->check());
    }
    SUBCASE("a created record is shown, with frontier, counts and digests") {
        north.create("d1", "core.duty", {{"title", "\"Sweep\""}});
        const auto applied = apply_all(*index, north.runs(std::string(40, 'b')));
        CHECK(applied.records == std::vector<std::string>{"d1"});
        CHECK(applied.operations == 1);
        CHECK(applied.last_hlc == domain::Hlc{north.now(), 0});
        const auto record = reader.get("d1").value();
        REQUIRE(record);
        CHECK(record->state.kind == "core.duty");
        CHECK(record->state.fields.at("title") == "\"Sweep\"");
        CHECK(record->version == domain::version_of(record->state));
        CHECK(reader.counts().value().records == 1);
        CHECK(digest_of(*index) != domain::Digest().text());
        const domain::FrontierEntry expected{1, std::string(40, 'b')};
        CHECK(index->frontier().entries().at(north.writer()) == expected);
        CHECK(reader.frontier().value() == index->frontier());
    }
    SUBCASE("what is held already counts once, a gap is refused whole") {
        for (int i = 1; i <= 4; ++i) north.create("d" + std::to_string(i), "core.duty", {});
        CHECK(apply_all(*index, north.runs(1, 2)).operations == 2);
        const std::string digest = digest_of(*index), held = operations_digest_of(*index);
        const auto gap = index->apply(north.runs(4, 4));
        REQUIRE_FALSE(gap);
        CHECK(gap.error().code == Code::Conflict);
        CHECK(digest_of(*index) == digest);
        CHECK(apply_all(*index, north.runs(1, 2)).operations == 0);
        CHECK(operations_digest_of(*index) == held);
        CHECK(apply_all(*index, north.runs(1, 4)).operations == 2);
        CHECK(reader.counts().value().operations == 4);
        CHECK(index->check());
    }
    SUBCASE("a refused apply leaves nothing of its other runs") {
        north.create("d1", "core.duty", {});
        south.create("d2", "core.duty", {});
        south.create("d3", "core.duty", {});
        auto runs = north.runs();
        runs.push_back(south.runs(2, 2).front());
        CHECK_FALSE(index->apply(runs));
        CHECK(index->frontier().empty());
        CHECK_FALSE(reader.get("d1").value());
        CHECK(operations_digest_of(*index) == domain::Digest().text());
        apply_all(*index, north.runs());
        CHECK(reader.get("d1").value());
    }
    SUBCASE("values set apart are a conflict until a change that knows both") {
        north.create("d1", "core.duty", {{"priority", "\"low\""}});
        south.learn(north);
        north.change("d1", {{"priority", "\"high\""}});
        south.change("d1", {{"priority", "\"urgent\""}});
        apply_all(*index, north.runs());
        CHECK(reader.conflicts("", 10).value().empty());
        apply_all(*index, south.runs());
        const auto conflicts = reader.conflicts("", 10).value();
        REQUIRE(conflicts.size() == 1);
        REQUIRE(conflicts[0].state.conflicts.size() == 1);
        CHECK(conflicts[0].state.conflicts[0].values.size() == 2);
        CHECK(reader.counts().value().conflicts == 1);
        CHECK(reader.conflicts("d1", 10).value().empty());
        north.learn(south);
        north.change("d1", {{"priority", "\"normal\""}});
        apply_all(*index, north.runs());
        CHECK(reader.conflicts("", 10).value().empty());
        CHECK(reader.counts().value().conflicts == 0);
        CHECK(reader.get("d1").value()->state.fields.at("priority") == "\"normal\"");
        CHECK(index->check());
    }
    SUBCASE("changes that arrive before their create wait unseen") {
        north.create("d1", "core.duty", {{"title", "\"Sweep\""}});
        south.learn(north);
        south.change("d1", {{"title", "\"Mop\""}});
        apply_all(*index, south.runs());
        CHECK_FALSE(reader.get("d1").value());
        CHECK(reader.counts().value().records == 0);
        CHECK(reader.counts().value().operations == 1);
        CHECK(digest_of(*index) == domain::Digest().text());
        apply_all(*index, north.runs());
        CHECK(reader.get("d1").value()->state.fields.at("title") == "\"Mop\"");
        CHECK(index->check());
    }
    SUBCASE("a malformed operation is kept, named, and folded by nobody") {
        north.create("d1", "core.duty", {});
        north.write_raw("{\"do\":\"change\",\"record\":7}");
        north.change("d1", {{"title", "\"Mop\""}});
        const auto applied = apply_all(*index, north.runs());
        const domain::OperationId bad{north.writer(), 2};
        CHECK(applied.malformed == std::vector<domain::OperationId>{bad});
        CHECK(index->frontier().seq_of(north.writer()) == 3);
        CHECK(reader.counts().value().operations == 3);
        CHECK(reader.get("d1").value()->state.fields.at("title") == "\"Mop\"");
        CHECK(index->check());
    }
    SUBCASE("a newer operation is kept, and its log waits there") {
        north.create("d1", "core.duty", {});
        north.write_raw(
            "{\"at\":1,\"by\":\"p\",\"do\":\"change\",\"format\":2,\"hlc\":[1,0],"
            "\"record\":\"d1\"}");
        north.change("d1", {{"title", "\"Mop\""}});
        const domain::OperationId newer{north.writer(), 2};
        CHECK(apply_all(*index, north.runs()).newer == newer);
        CHECK(index->waiting() == std::vector<domain::OperationId>{newer});
        CHECK(index->frontier().seq_of(north.writer()) == 1);
        CHECK_FALSE(reader.get("d1").value()->state.fields.contains("title"));
        CHECK(reader.counts().value().operations == 3);
        north.change("d1", {{"title", "\"Dust\""}});
        CHECK(apply_all(*index, north.runs()).operations == 1);
        CHECK(index->frontier().seq_of(north.writer()) == 1);
        CHECK(index->check());
    }
    SUBCASE("the operations of a record, in order of arrival, with their frontiers") {
        north.create("d1", "core.duty", {});
        south.learn(north);
        south.change("d1", {{"title", "\"Mop\""}});
        north.change("d1", {{"title", "\"Dust\""}});
        apply_all(*index, north.runs(1, 1));
        apply_all(*index, south.runs(std::string(40, 'c')));
        apply_all(*index, north.runs());
        const auto rows = reader.operations("d1").value();
        REQUIRE(rows.size() == 3);
        CHECK(rows[0].operation.id.text() == "northsite-1111:1");
        CHECK(rows[1].operation.id.text() == "southsite-1111:1");
        CHECK(rows[1].frontier.seq_of(north.writer()) == 1);
        CHECK(rows[1].segment == std::string(40, 'c'));
        CHECK(rows[1].arrived == south.now());
        CHECK(rows[2].operation.id.text() == "northsite-1111:2");
        CHECK(reader.operations("none").value().empty());
    }
    SUBCASE("the journal's tail learns its segment when that comes") {
        north.create("d1", "core.duty", {});
        apply_all(*index, north.runs(""));
        CHECK(index->frontier().entries().at(north.writer()).segment.empty());
        CHECK(apply_all(*index, north.runs(std::string(40, 'd'))).operations == 0);
        CHECK(index->frontier().entries().at(north.writer()).segment == std::string(40, 'd'));
        CHECK(reader.operations("d1").value().at(0).segment == std::string(40, 'd'));
    }
}

}  // namespace dutybook::testing
