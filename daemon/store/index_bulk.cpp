// A bulk load: what is sorted once at the end costs half of what is kept sorted all the way.
// A load that is cut off leaves an index that is not opened again (totals.bulk).

#include "store/index_sqlite.h"

#include "base/file.h"

#include <malloc.h>

namespace dutybook::store {
namespace {

constexpr std::size_t fold_at_once = 2000;  // records in one transaction

}  // namespace

Result<void> SqliteIndex::begin_bulk() {
    if (bulk_) return {};
    db_->forget_statements();
    auto begun = transact([&]() -> Result<void> {
        TRY(drop_late_indexes(*db_));
        TRY(reset_search());
        bulk_ = staging_ = true;
        return {};
    });
    if (!begun) {
        bulk_ = staging_ = false;
        return begun;
    }
    return db_->set_cache(bulk_cache_kib);
}

Result<void> SqliteIndex::end_bulk() {
    if (!bulk_) return {};
    db_->forget_statements();
    if (staging_) {
        TRY(db_->script("PRAGMA threads = 2"));  // for sorting
        TRY(transact([&]() -> Result<void> { return create_late_indexes(*db_); }));
        staging_ = false;
    }
    while (!unfolded_.empty()) TRY(fold_some());
    auto ended = transact([&]() -> Result<void> {
        for (auto& [name, state] : writers_) {
            changed_writers_.insert(name);
            TRY(show(state, state.waiting != 0 ? state.waiting - 1 : state.held));
        }
        bulk_ = false;
        return {};
    });
    if (!ended) {
        bulk_ = true;
        return ended;
    }
    TRY(db_->checkpoint());
    TRY(db_->set_cache(index_cache_kib));
    db_->shrink();
    ::malloc_trim(0);  // what the load needed is given back to the machine
    // Now, so that a clean stop soon after does not have to wait for the disk.
    return sync_file(path_);
}

Result<void> SqliteIndex::fold_some() {
    auto upto = unfolded_.begin();
    for (std::size_t i = 0; i < fold_at_once && upto != unfolded_.end(); ++i) ++upto;
    const auto folded = transact([&]() -> Result<void> {
        Applied applied;
        for (auto rec = unfolded_.begin(); rec != upto; ++rec) {
            TRY_ASSIGN(const auto row, records_.by_rec(*rec));
            if (!row) continue;
            TRY_ASSIGN(const History history, records_.history(*row));
            TRY(refold(*row, history, applied));
        }
        return {};
    });
    TRY(folded);
    unfolded_.erase(unfolded_.begin(), upto);
    return {};
}

}  // namespace dutybook::store
