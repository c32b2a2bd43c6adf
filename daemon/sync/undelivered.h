#pragma once
// How many operations held here a remote is not known to hold.

#include "store/log.h"
#include "sync/transfer.h"

#include <map>
#include <mutex>

namespace dutybook::sync {

// Remembers what was read from segments, since status asks again and again. Any thread.
class Undelivered {
public:
    explicit Undelivered(store::Log& log) : log_(log) {}

    // `shown` = what the index shows, which includes the own journal's unsealed tail.
    Result<std::uint64_t> count(const Transfer::Refs& listed, const domain::Frontier& shown);

private:
    Result<std::uint64_t> held_there(const store::VolumeInfo& volume, const Transfer::Refs& listed);

    store::Log& log_;
    std::mutex mutex_;
    std::map<store::CommitId, std::uint64_t> last_;  // by mutex_
};

}  // namespace dutybook::sync
