#pragma once
// An Index is the same whatever the order and way in which operations come; see index_contract.h.

#include "support/index_asking.h"

#include <algorithm>

namespace dutybook::testing {

// A small world: three writers who learn of each other now and then and touch the same records.
inline std::vector<Author> index_contract_world(unsigned seed) {
    std::vector<Author> authors{Author("northsite-1111"), Author("southsite-1111"),
                                Author("westsite-1111", 1'700'000'500'000)};
    auto random = [state = seed]() mutable {
        state = state * 1664525u + 1013904223u;
        return state >> 16;
    };
    for (int step = 0; step < 60; ++step) {
        Author& author = authors[random() % 3];
        const std::string record = "r" + std::to_string(random() % 8);
        const std::string value = std::to_string(random() % 5);
        switch (random() % 6) {
            case 0:
                author.create(record, "core.duty", {{"title", "\"Duty " + value + "\""}});
                break;
            case 1:
                author.remove(record);
                break;
            case 2:
                author.learn(authors[random() % 3]);
                break;
            case 3: {
                domain::Operation operation = author.make(domain::Verb::Change, record);
                operation.changes = {{"tags", domain::Act::Add, "\"t" + value + "\""}};
                author.write(operation);
                break;
            }
            default:
                author.change(record, {{"priority", value}, {"title", "\"" + value + "\""}});
        }
    }
    return authors;
}

inline void index_contract_of_order(const MakeIndex& make) {
    const Kinds kinds = test_kinds();
    for (unsigned seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        const std::vector<Author> authors = index_contract_world(seed);
        const auto first = make(kinds);
        for (const Author& author : authors) apply_all(*first, author.runs());
        REQUIRE(first->check());

        // In small pieces and another order, some delivered twice.
        const auto second = make(kinds);
        unsigned random = seed;
        std::vector<std::uint64_t> done(authors.size(), 0);
        for (bool more = true; more;) {
            more = false;
            for (std::size_t i = authors.size(); i-- > 0;) {
                random = random * 1664525u + 1013904223u;
                const std::uint64_t upto =
                    std::min<std::uint64_t>(authors[i].last(), done[i] + (random >> 16) % 4);
                const std::uint64_t from = done[i] > 1 ? done[i] - 1 : 1;
                if (upto > done[i]) apply_all(*second, authors[i].runs(from, upto));
                done[i] = upto;
                more = more || upto < authors[i].last();
            }
        }
        CHECK(digest_of(*second) == digest_of(*first));
        CHECK(operations_digest_of(*second) == operations_digest_of(*first));
        CHECK(second->check());

        // In one bulk load.
        const auto third = make(kinds);
        REQUIRE(third->begin_bulk());
        for (const Author& author : authors) {
            for (const auto& run : author.runs()) apply_all(*third, {run});
        }
        REQUIRE(third->end_bulk());
        while (third->catch_up_search(3).value()) {
        }
        CHECK(digest_of(*third) == digest_of(*first));
        CHECK(operations_digest_of(*third) == operations_digest_of(*first));
        CHECK(third->frontier() == first->frontier());
        CHECK(third->check());
        for (const store::Query& query :
             {store::Query{.kind = "core.duty", .deleted = true}, store::Query{.text = "duty"},
              store::Query{.where = {{"tags", "\"t1\""}}}}) {
            auto expected = list_ids(*first, query), got = list_ids(*third, query);
            std::sort(expected.begin(), expected.end());
            std::sort(got.begin(), got.end());
            CHECK(got == expected);
        }

        // Retracting gives what never having had them gives.
        const auto fourth = make(kinds);
        const std::uint64_t kept = authors[1].last() / 2;
        apply_all(*fourth, authors[0].runs());
        apply_all(*fourth, authors[1].runs(1, kept));
        REQUIRE(first->retract_from(authors[2].writer(), 1));
        REQUIRE(first->retract_from(authors[1].writer(), kept + 1));
        CHECK(digest_of(*first) == digest_of(*fourth));
        CHECK(operations_digest_of(*first) == operations_digest_of(*fourth));
        CHECK(first->frontier() == fourth->frontier());
        CHECK(first->check());
        apply_all(*first, authors[2].runs());
        apply_all(*first, authors[1].runs());
        CHECK(digest_of(*first) == digest_of(*second));
        CHECK(first->check());
    }
}

}  // namespace dutybook::testing
