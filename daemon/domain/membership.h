#pragma once
// Who belongs to a space: the pure fold of its control entries and of the introductions that sites
// made of themselves. The same entries and introductions give the same membership at every site,
// in whatever order they came.
//
// The entries form one line. Where two valid entries have one number (two sites thought that they
// held the pen), the recovery key's wins, else one that removes who signed the other (or a site
// that is to go could undo it), else the one with the lower commit id; what the loser did is
// listed, to be done again. An entry is valid if it follows its predecessor, is signed by
// who holds the pen there (or by the recovery key), and opens with the key of its epoch. One by the
// recovery key counts also where its epoch's key is not known: of two machines that were recovered
// apart neither has the other's, and both must come to the same line as all others.

#include "domain/control.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace dutybook::domain {

struct SignedEntry {
    std::string commit;  // id; its signature by entry.by was checked
    ControlEntry entry;
};

// What a site says of its own keys in the header of a writer's first segment. Either it was
// invited: its lasting keys, and proof that it holds the invite. Or it replaced its keys: the new
// pair, vouched for by the one before, and where the log ends that the old one wrote last.
struct Introduction {
    std::string site;
    PublicKey sign{}, box{};
    PublicKey by{};     // the invite's key, or the one that was replaced
    std::string proof;  // Ed25519 by that key over introduction_text()
    Writer ended;       // empty for an invite
    Position end;       // of `ended`; its segment is empty if it never wrote one
    bool replaces() const { return !ended.empty(); }
    auto operator<=>(const Introduction&) const = default;
};
std::string introduction_text(std::string_view space, const Introduction& introduction);
// Canonical JSON, keys in base64: {"box","invite","proof","sign"}, or
// {"box","ended":[writer,seq,commit],"proof","replaces","sign"}. A member of a segment's header.
std::string write_introduction(const Introduction& introduction);
Result<Introduction> read_introduction(std::string_view text);  // one spelling only

// Of operations, segments and control entries: the highest that this version reads and writes.
inline constexpr int known_format = 1;

enum class Standing : std::uint8_t { Invited, Active, Retired, Removed };
std::string_view name_of(Standing standing);

struct SiteKey {
    PublicKey sign{}, box{};
    // Once another pair is in force: where each log ends that this one wrote.
    std::map<Writer, Position, std::less<>> until{};
};

struct Member {
    std::string site;  // empty while only invited
    std::string name;
    Role role = Role::Writes;
    Standing standing = Standing::Active;
    std::vector<SiteKey> keys;  // oldest first; the last one is in force
    // By the site itself, and not recorded by who holds the pen yet: in force beside the last of
    // `keys`. Two that replace one key: somebody else has that one too, and a person has to decide.
    std::vector<Introduction> announced;
    std::map<Writer, Position, std::less<>> until;  // removed: what counts of it
    std::optional<PublicKey> invite;                // by which it came
    bool invite_used_twice = false;                 // a person has to decide
    std::uint64_t since = 0;                        // number of the entry
};

struct Lost {  // an entry that another one of its number beat, or that follows such a one
    std::string commit;
    std::uint64_t number = 0;
    ControlAct act;  // of a recovery that we cannot read: Recover, without a site
};

struct Applied {  // what an entry of the line did
    std::uint64_t number = 0;
    ControlKind kind = ControlKind::Epoch;
    std::string site, name;
};

struct Membership {
    std::string space, space_name, parent;
    std::string founder;  // site
    std::string pen;      // site that appends
    PublicKey recovery_sign{}, recovery_box{};
    std::uint64_t number = 0;  // of the last entry
    std::string head;          // its commit
    std::uint32_t epoch = 0;   // newest
    // What a site must know to take part; one that is older waits until it is updated.
    int minimum_format = 1;
    std::map<std::string, Member, std::less<>> sites;  // by site id; invited ones by key_name
    std::vector<Applied> applied;
    std::vector<Lost> lost;
    // Commits that gave way too and that we cannot read: `lost` once their key is passed on.
    std::vector<std::string> lost_unread;
    // Commits of entries by who may append, whose epoch key we lack: we were removed.
    std::vector<std::string> unreadable;
    // The line went on by the recovery key, in an epoch that we were not given. Nobody holds the
    // pen then as far as can be told; all else is as it was before.
    bool shut_out = false;
    // The same of entries that do what this version does not know.
    std::vector<std::string> newer;

    const Member* find(std::string_view site) const;
    // A site by id, unique prefix of the id, or name. Ambiguous names its candidates.
    Result<const Member*> find_by_person(std::string_view words) const;
    std::size_t administrators() const;  // active ones
    // Whether a segment counts at this place of a log if this key signed it; if not, why.
    struct Place {
        const Writer& writer;
        std::uint64_t first = 1, last = 0;  // operations; none in a receipt
        std::string_view previous, segment;
    };
    Result<void> may_sign(const Place& place, const PublicKey& key) const;
    // Where a log ends whose site was removed or replaced the key of it.
    std::optional<Position> end_of(const Writer& writer) const;
    // Whether the key was a member's, and no longer counts.
    const Member* given_up(const PublicKey& key) const;
    // Whether the same was done again since, so that nobody has to be told any more.
    bool done_again(const Lost& one) const;
    // To whose box keys a new epoch is wrapped: sites, open invites, the recovery key.
    std::vector<PublicKey> readers() const;
};

// The key that an entry is sealed with, if we have it. Asked only about entries that are signed by
// who may append there (and about founding ones), so it may learn the keys that the entry brings.
using EpochKey = std::function<const Secret*(const ControlEntry& entry)>;

// Fails only where there is no valid founding entry for the space's id.
Result<Membership> fold_membership(const std::string& space,
                                   const std::vector<SignedEntry>& entries,
                                   const std::set<Introduction>& introductions,
                                   const EpochKey& key);

// Opens what an entry wraps and chains, into a map of epoch keys that grows.
using EpochKeys = std::map<std::uint32_t, Secret>;
void collect_epoch_keys(const ControlEntry& entry, std::span<const BoxKey> ours, EpochKeys& keys);
// Puts wraps (to every reader) and the chain of earlier keys into an entry that opens an epoch.
void wrap_epoch(ControlEntry& entry, std::uint32_t epoch, const EpochKeys& keys,
                const std::vector<PublicKey>& readers);

}  // namespace dutybook::domain
