#pragma once
// What to fetch and what to push, decided from the list seen in this contact and from what we
// hold; never from memory of earlier contacts, except that a remembered tip which is missing or
// older now raises an alarm. Pure: no I/O, values in, values out.
//
// Refs that are no volume in its canonical spelling, and tips that are no commit id, are ignored
// everywhere: they are not ours to name, or damaged.

#include "store/log.h"
#include "sync/transfer.h"

#include <set>

namespace dutybook::sync {

inline constexpr const char* readme_ref = "refs/heads/dutybook";

// Where a branch of a forked log stands that a remote's own ref of that volume cannot hold:
// refs/heads/fork/<writer>/<volume, 8 digits>/<tip>.
std::string fork_ref(const store::VolumeName& volume, const store::CommitId& tip);
std::optional<store::VolumeName> volume_of_fork(std::string_view ref);

struct Seen {  // what we know of one ref listed by the remote
    store::VolumeName volume;
    store::CommitId theirs;                               // empty = the remote lacks it
    store::CommitId ours;                                 // empty = we lack it
    store::Ancestry ancestry = store::Ancestry::Unknown;  // of theirs to ours
    bool own = false;                                     // a volume of the current writer
};

enum class Do : std::uint8_t {
    Nothing,
    Fetch,      // theirs is new to us or ahead (or unknown: fetch tells)
    Push,       // theirs is behind or absent
    NewWriter,  // our own log is ahead of us there, or went another way: restored or cloned
    Evidence,   // a fork, both branches held
};

struct Decision {
    Seen seen;
    Do what = Do::Nothing;
    bool gone_back = false;
};

struct Plan {
    std::vector<Decision> decisions;  // sorted by volume
    // Fetches in the order in which to make them. Within a writer volumes come in order. Tips of
    // open volumes that we hold in part are small and come together; a closed volume comes alone
    // (it is the slice that a dropped link can cost); open volumes that are new to us, of unknown
    // size, come a few at a time.
    std::vector<std::vector<Wanted>> fetches;
    // Remembered refs that the remote has lost or holds at an older tip.
    std::vector<std::string> gone_back;
};

struct Holdings {
    std::map<std::string, store::CommitId> ours;        // refs/heads/log/... that we hold
    std::map<std::string, store::CommitId> remembered;  // listed by this remote last time
    std::string own_site;
    domain::Writer current_writer;
};

// `compare(volume, theirs)` is Log::compare.
using Compare = std::function<store::Ancestry(const store::VolumeName&, const store::CommitId&)>;
// Whether the first commit of our volume comes before the second (both known to be ours). Asked
// only where a remembered tip, the listed one and ours are three different ones.
using Older =
    std::function<bool(const store::VolumeName&, const store::CommitId&, const store::CommitId&)>;
Plan plan_fetch(const Transfer::Refs& listed, const Holdings& holdings, const Compare& compare,
                const Older& older = {});

// Pushes in order: the constant, the relay, own volumes oldest first; each inner vector is one
// push. Small tips go together, a whole closed volume is a slice.
struct Pushes {
    std::vector<Offered> constant;
    std::vector<std::vector<Offered>> relay, own;
    bool empty() const { return constant.empty() && relay.empty() && own.empty(); }
};
Pushes plan_push(const Transfer::Refs& listed, const Holdings& holdings, const Compare& compare,
                 const store::CommitId& readme);

// Splits a fetch that failed into two halves; a single volume stays.
std::vector<std::vector<Wanted>> split(const std::vector<Wanted>& failed);

}  // namespace dutybook::sync
