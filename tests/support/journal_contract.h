#pragma once
// What every Journal must do, the real one and any fake. Call it from a test case of your own:
//
//   TEST_CASE("MyJournal keeps the journal's contract") { journal_contract(make); }
//
// `make` gives a new, empty journal each time it is called.

#include "store/journal.h"

#include <doctest/doctest.h>

#include <functional>

namespace dutybook::testing {

inline const std::string contract_writer = "aaaaaaaa-1111";
inline const std::string contract_other = "aaaaaaaa-2222";

inline domain::Frontier contract_frontier(std::uint64_t seq) {
    domain::Frontier frontier;
    frontier.advance("bbbbbbbb-1111", seq, std::string(40, 'c'));
    return frontier;
}

inline std::vector<store::JournalLine> contract_lines(const std::string& writer,
                                                      std::uint64_t first, std::uint64_t last) {
    std::vector<store::JournalLine> lines;
    for (std::uint64_t seq = first; seq <= last; ++seq) {
        lines.push_back({{writer, seq}, "{\"line\":" + std::to_string(seq) + "}"});
    }
    return lines;
}

inline std::vector<std::string> contract_texts(store::Journal& journal, const std::string& writer,
                                               std::uint64_t from) {
    std::vector<std::string> texts;
    const auto seen = journal.visit(writer, from, [&](const auto& line, const auto& frontier) {
        texts.push_back(std::to_string(line.id.seq) + " " + line.line + " " + frontier.text());
        return true;
    });
    REQUIRE(seen);
    return texts;
}

inline store::SealRow contract_seal(std::uint64_t first, std::uint64_t last) {
    store::SealRow row;
    row.header.space = "space";
    row.header.writer = contract_writer;
    row.header.volume = 3;
    row.header.first = first;
    row.header.last = last;
    row.header.previous = std::string(40, 'd');
    row.header.epoch = 7;
    row.header.time = 1'700'000'000'000;
    row.frontier = contract_frontier(4);
    row.next_heard = 1'700'000'360'000;
    return row;
}

// One journal goes through all of it in order.
// NOLINTNEXTLINE(readability-function-size)
inline void journal_contract(const std::function<std::unique_ptr<store::Journal>()>& make) {
    const auto journal = make();
    REQUIRE(journal != nullptr);
    const Millis now = 1'700'000'000'000;
    auto append = [&](std::uint64_t first, std::uint64_t last) {
        return journal->append(contract_lines(contract_writer, first, last), contract_frontier(1),
                               {}, now);
    };

    SUBCASE("a new journal has no writer and takes nothing") {
        CHECK(journal->current_writer().empty());
        CHECK(journal->writers().empty());
        CHECK(journal->last_seq(contract_writer) == 0);
        const auto refused = append(1, 1);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Code::Conflict);
    }

    REQUIRE(journal->open_writer(contract_writer, {}, now));

    SUBCASE("lines come back in order with their frontiers") {
        REQUIRE(append(1, 3));
        REQUIRE(
            journal->append(contract_lines(contract_writer, 4, 4), contract_frontier(9), {}, now));
        CHECK(journal->last_seq(contract_writer) == 4);
        const auto texts = contract_texts(*journal, contract_writer, 3);
        REQUIRE(texts.size() == 2);
        CHECK(texts[0] == "3 {\"line\":3} " + contract_frontier(1).text());
        CHECK(texts[1] == "4 {\"line\":4} " + contract_frontier(9).text());
    }
    SUBCASE("a visit stops when told") {
        REQUIRE(append(1, 3));
        int seen = 0;
        REQUIRE(journal->visit(contract_writer, 1, [&](const auto&, const auto&) {
            ++seen;
            return false;
        }));
        CHECK(seen == 1);
    }
    SUBCASE("a gap or a repetition is refused whole") {
        REQUIRE(append(1, 2));
        CHECK(append(4, 5).error().code == Code::Conflict);
        CHECK(append(2, 3).error().code == Code::Conflict);
        CHECK(journal->last_seq(contract_writer) == 2);
        CHECK(contract_texts(*journal, contract_writer, 1).size() == 2);
        REQUIRE(append(3, 3));
    }
    SUBCASE("only the current writer appends") {
        REQUIRE(journal->open_writer(contract_other, {}, now));
        CHECK(append(1, 1).error().code == Code::Conflict);
    }
    SUBCASE("an answer is kept, the first one stands") {
        const std::vector<store::Answer> answers{{"key", "told"}}, later{{"key", "told otherwise"}};
        REQUIRE(journal->append(contract_lines(contract_writer, 1, 1), contract_frontier(1),
                                answers, now));
        REQUIRE(journal->append({}, contract_frontier(1), later, now));
        CHECK(journal->answered("key").value() == "told");
        CHECK_FALSE(journal->answered("none").value());
    }
    SUBCASE("an answer of a refused append is not kept") {
        const std::vector<store::Answer> answers{{"key", "told"}};
        CHECK_FALSE(journal->append(contract_lines(contract_writer, 5, 5), contract_frontier(1),
                                    answers, now));
        CHECK_FALSE(journal->answered("key").value());
    }
    SUBCASE("answers are dropped after seven days") {
        const Millis day = 24LL * 3600 * 1000;
        const std::vector<store::Answer> first{{"old", "a"}}, second{{"new", "b"}};
        REQUIRE(journal->append({}, contract_frontier(1), first, now));
        REQUIRE(journal->append({}, contract_frontier(1), second, now + 8 * day));
        CHECK_FALSE(journal->answered("old").value());
        CHECK(journal->answered("new").value() == "b");
    }
    SUBCASE("a new writer takes the reissued lines, each under its own frontier") {
        REQUIRE(append(1, 2));
        const std::vector<store::Journal::Reissue> again{{"{\"a\":1}", contract_frontier(2)},
                                                         {"{\"a\":2}", contract_frontier(3)}};
        REQUIRE(journal->open_writer(contract_other, again, now));
        CHECK(journal->current_writer() == contract_other);
        CHECK(journal->last_seq(contract_other) == 2);
        const auto texts = contract_texts(*journal, contract_other, 1);
        REQUIRE(texts.size() == 2);
        CHECK(texts[1] == "2 {\"a\":2} " + contract_frontier(3).text());
        CHECK(journal->writers().size() == 2);
        CHECK(journal->open_writer(contract_writer, {}, now).error().code == Code::Exists);
    }
    SUBCASE("a seal row is planned, found unfinished, finished and found again") {
        REQUIRE(append(1, 5));
        const auto planned = journal->plan_seal(contract_seal(1, 3));
        REQUIRE(planned);
        CHECK(planned->id != 0);
        CHECK(journal->sealed_upto(contract_writer) == 0);
        CHECK_FALSE(journal->last_seal(contract_writer).value());
        const auto open = journal->unfinished_seal().value();
        REQUIRE(open);
        CHECK(open->id == planned->id);
        CHECK(open->header.codec == "zstd");
        CHECK(open->header.volume == 3);
        CHECK(open->header.previous == std::string(40, 'd'));
        CHECK(open->header.epoch == 7);
        CHECK(open->header.time == 1'700'000'000'000);
        CHECK(open->frontier == contract_frontier(4));
        CHECK(open->next_heard == 1'700'000'360'000);
        CHECK(open->commit.empty());

        const store::CommitId commit(40, 'e');
        REQUIRE(journal->finish_seal(planned->id, commit, 123));
        CHECK_FALSE(journal->unfinished_seal().value());
        CHECK(journal->sealed_upto(contract_writer) == 3);
        CHECK(journal->last_seal(contract_writer).value()->blob_bytes == 123);
        CHECK(journal->find_seal(commit).value()->header.last == 3);
        CHECK_FALSE(journal->find_seal(store::CommitId(40, 'f')).value());
    }
    SUBCASE("finishing twice alike is fine, otherwise it is refused") {
        REQUIRE(append(1, 1));
        const auto planned = journal->plan_seal(contract_seal(1, 1));
        REQUIRE(planned);
        REQUIRE(journal->finish_seal(planned->id, store::CommitId(40, 'e'), 1));
        CHECK(journal->finish_seal(planned->id, store::CommitId(40, 'e'), 1));
        CHECK(journal->finish_seal(planned->id, store::CommitId(40, 'f'), 1).error().code ==
              Code::Conflict);
    }
    SUBCASE("seals follow one another, within what is held, one at a time") {
        REQUIRE(append(1, 5));
        CHECK(journal->plan_seal(contract_seal(2, 3)).error().code == Code::Conflict);
        CHECK(journal->plan_seal(contract_seal(1, 6)).error().code == Code::Conflict);
        const auto first = journal->plan_seal(contract_seal(1, 3));
        REQUIRE(first);
        CHECK(journal->plan_seal(contract_seal(1, 3)).error().code == Code::Conflict);
        REQUIRE(journal->finish_seal(first->id, store::CommitId(40, 'e'), 1));
        const auto receipt = journal->plan_seal(contract_seal(4, 3));  // no operations
        REQUIRE(receipt);
        REQUIRE(journal->finish_seal(receipt->id, store::CommitId(40, 'f'), 1));
        CHECK(journal->sealed_upto(contract_writer) == 3);
        CHECK(journal->last_seal(contract_writer).value()->commit == store::CommitId(40, 'f'));
    }
    SUBCASE("what is sealed can be forgotten, and the chain goes on") {
        REQUIRE(append(1, 5));
        CHECK(journal->forget(contract_writer, 2).error().code == Code::Conflict);
        const auto planned = journal->plan_seal(contract_seal(1, 3));
        REQUIRE(planned);
        REQUIRE(journal->finish_seal(planned->id, store::CommitId(40, 'e'), 1));
        REQUIRE(journal->forget(contract_writer, 3));
        CHECK(journal->forget(contract_writer, 2));  // forgotten before
        CHECK(contract_texts(*journal, contract_writer, 1).size() == 2);
        CHECK(journal->last_seq(contract_writer) == 5);
        REQUIRE(append(6, 6));
        CHECK(journal->check());
        CHECK(journal->find_seal(store::CommitId(40, 'e')).value());
    }
    SUBCASE("a sound journal passes its check") {
        CHECK(journal->check());
        REQUIRE(append(1, 20));
        CHECK(journal->check());
    }
    SUBCASE("meta values") {
        CHECK(journal->meta("name").value().empty());
        REQUIRE(journal->set_meta("name", "one"));
        REQUIRE(journal->set_meta("name", "two"));
        CHECK(journal->meta("name").value() == "two");
    }
}

}  // namespace dutybook::testing
