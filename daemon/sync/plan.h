#pragma once
// What to fetch and what to push, decided from the list seen in this contact and from what we
// hold; never from memory of earlier contacts, except that a remembered tip which is missing or
// older now raises an alarm. Pure: no I/O, values in, values out.

#include "store/log.h"
#include "sync/transfer.h"

#include <set>

namespace dutybook::sync {

struct Seen {                    // what we know of one ref listed by the remote
    store::VolumeName volume;
    store::CommitId theirs;      // empty = the remote lacks it
    store::CommitId ours;        // empty = we lack it
    store::Ancestry ancestry = store::Ancestry::Unknown;  // of theirs to ours
    bool own = false;            // a volume of the current writer
};

enum class Do : std::uint8_t {
    Nothing,
    Fetch,            // theirs is new to us or ahead (or unknown: fetch tells)
    Push,             // theirs is behind or absent
    NewWriter,        // our own log is ahead of us there: restored or cloned
    Evidence,         // a fork
};

struct Decision { Seen seen; Do what = Do::Nothing; bool gone_back = false; };

struct Plan {
    std::vector<Decision> decisions;
    // Fetches in the order in which to make them: open volumes (small tips) together, closed
    // volumes one by one (each is a slice that a dropped link can cost).
    std::vector<std::vector<Wanted>> fetches;
};

struct Holdings {
    std::map<std::string, store::CommitId> ours;          // refs/heads/log/... that we hold
    std::map<std::string, store::CommitId> remembered;    // listed by this remote last time
    std::string own_site;
    domain::Writer current_writer;
};

// `compare(volume, theirs)` is Log::compare.
using Compare = std::function<store::Ancestry(const store::VolumeName&, const store::CommitId&)>;
Plan plan_fetch(const Transfer::Refs& listed, const Holdings& holdings, const Compare& compare);
// After fetching: pushes in order; the relay first (one push), then own volumes oldest first, one
// slice each. Refs that are not ours to name are never touched.
struct Pushes { std::vector<Offered> constant, relay; std::vector<std::vector<Offered>> own; };
Pushes plan_push(const Transfer::Refs& listed, const Holdings& holdings, const Compare& compare,
                 const store::CommitId& readme);
// Splits a fetch that failed into two halves; a single volume stays.
std::vector<std::vector<Wanted>> split(const std::vector<Wanted>& failed);

}  // namespace dutybook::sync
