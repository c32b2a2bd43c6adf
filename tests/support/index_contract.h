#pragma once
// What every Index must do, the real one and any fake. Call it from a test case of your own:
//
//   TEST_CASE("MyIndex keeps the index's contract") { index_contract(make); }
//
// `make` gives a new, empty index each time it is called; the catalog outlives it.

#include "support/index_contract_apply.h"
#include "support/index_contract_order.h"
#include "support/index_contract_queries.h"

namespace dutybook::testing {

inline void index_contract(const MakeIndex& make) {
    SUBCASE("applying") {
        index_contract_of_apply(make);
    }
    SUBCASE("asking") {
        index_contract_of_queries(make);
    }
    SUBCASE("any order, any way in") {
        index_contract_of_order(make);
    }
}

}  // namespace dutybook::testing
