#include "sync/undelivered.h"

#include <algorithm>

namespace dutybook::sync {

namespace {

// Entries of tips that nobody lists any more are dropped together; they are cheap to read again.
constexpr std::size_t most_remembered = 10'000;

}  // namespace

Result<std::uint64_t> Undelivered::count(const Transfer::Refs& listed,
                                         const domain::Frontier& shown) {
    TRY_ASSIGN(const auto volumes, log_.volumes());
    std::uint64_t count = 0;
    std::map<domain::Writer, std::uint64_t> sealed;
    for (const auto& volume : volumes) {
        TRY_ASSIGN(const std::uint64_t there, held_there(volume, listed));
        count += volume.last - std::min(volume.last, there);
        sealed[volume.name.writer] = std::max(sealed[volume.name.writer], volume.last);
    }
    for (const auto& [writer, entry] : shown.entries()) {
        const std::uint64_t upto = sealed[writer];
        count += entry.seq - std::min(entry.seq, upto);
    }
    return count;
}

Result<std::uint64_t> Undelivered::held_there(const store::VolumeInfo& volume,
                                              const Transfer::Refs& listed) {
    const auto there = listed.find(volume.name.ref());
    if (there == listed.end()) return volume.first - 1;
    if (there->second == volume.tip) return volume.last;
    {
        const std::lock_guard lock(mutex_);
        const auto known = last_.find(there->second);
        if (known != last_.end()) return known->second;
    }
    // Further than we are, or another branch: then nothing of what we could send is missing there.
    std::uint64_t last = volume.last;
    if (log_.compare(volume.name, there->second) == store::Ancestry::Behind) {
        TRY_ASSIGN(const store::Segment segment, log_.read(there->second));
        last = segment.header.last;
        const std::lock_guard lock(mutex_);
        if (last_.size() >= most_remembered) last_.clear();
        last_[there->second] = last;
    }
    return last;
}

}  // namespace dutybook::sync
