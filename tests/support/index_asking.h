#pragma once
// How tests talk to an index: every answer is required.

#include "support/operations.h"

#include <functional>

namespace dutybook::testing {

using MakeIndex = std::function<std::unique_ptr<store::Index>(const domain::KindCatalog&)>;

inline store::Applied apply_all(store::Index& index, const std::vector<store::Run>& runs) {
    auto applied = index.apply(runs);
    REQUIRE_MESSAGE(applied, applied.error().text());
    return std::move(*applied);
}

inline std::string digest_of(store::Index& index) {
    return index.reader().digest().value();
}
inline std::string operations_digest_of(store::Index& index) {
    return index.reader().operations_digest().value();
}

// Ids of all pages, `limit` at a time.
inline std::vector<std::string> list_ids(store::Index& index, store::Query query) {
    std::vector<std::string> ids;
    for (int pages = 0; pages < 1000; ++pages) {
        const auto page = index.reader().list(query);
        REQUIRE_MESSAGE(page, page.error().text());
        CHECK(page->records.size() <= query.limit);
        for (const auto& record : page->records) ids.push_back(record.state.id);
        if (page->next.empty()) return ids;
        query.after = page->next;
    }
    FAIL("the pages do not end");
    return ids;
}

}  // namespace dutybook::testing
