#pragma once
// The control log as git has it: refs/heads/control, a chain of signed commits whose trees hold one
// file named "entry", the entry's line (domain/control.h). Like a segment's, a commit follows from
// its entry alone and is checked by making it again:
//
//   tree <tree of "entry">
//   parent <entry before>                       (none for number 0)
//   author <space> <control@dutybook.invalid> <seconds> +0000
//   committer (the same)
//   gpgsig <SSH signature by the entry's "by">
//
//   control <number>
//
// Whether an entry counts is not decided here (domain/membership.h). Branches that gave way to
// another are kept at refs/dutybook/evidence/control/<tip>, and travel as
// refs/heads/lost-control/<tip>: every site lists what was lost, and keys that were made there
// reach everybody.

#include "domain/membership.h"
#include "store/segment.h"

namespace dutybook::store {

class Quarantine;
struct Incoming;

inline constexpr const char* control_ref = "refs/heads/control";
inline constexpr std::string_view lost_control_prefix = "refs/heads/lost-control/";

// One entry as it stands in files and invitations.
struct ControlPiece {
    std::string commit_bytes, blob;
    CommitId id() const;
};
Result<ControlPiece> sign_entry(const domain::ControlEntry& entry, const CommitSigner& signer);
// Shape, spelling and signature. Code::Forbidden for a signature that does not hold.
Result<domain::SignedEntry> check_piece(const ControlPiece& piece, const std::string& space);
// The chain that ends at `tip` in a repository, oldest first, down to a root or to one of `known`
// (left out). What cannot be read or checked ends it: `refused` says why.
struct ControlOffer {
    std::vector<ControlPiece> pieces;
    std::vector<domain::SignedEntry> entries;  // of the same order
    std::optional<Error> refused;
};
// `space` empty: the one that the first entry names.
Result<ControlOffer> read_control_chain(const std::string& repository, const CommitId& tip,
                                        const std::string& space);

struct ControlHeld {
    CommitId head;  // empty: none
    std::vector<ControlPiece> pieces;
    std::vector<domain::SignedEntry> entries;  // of the same order; lost ones included
    std::vector<CommitId> lost;                // tips of branches that gave way
};

struct SetAside {  // a branch of a log that does not count, kept as evidence
    VolumeName volume;
    CommitId tip;
    std::uint64_t last = 0;  // operation
};

class ControlLog {
public:
    virtual ~ControlLog() = default;

    virtual Result<ControlHeld> entries() = 0;
    // What a remote offers beyond what is held.
    virtual Result<ControlOffer> offered(Quarantine& quarantine, const CommitId& tip) = 0;
    // Keeps the offered chain up to `tip` (checked, and found to count or to have counted), and
    // makes `head` the head. What no longer leads there is kept as lost.
    virtual Result<void> take(Quarantine& quarantine, const CommitId& tip,
                              const CommitId& head) = 0;
    // The same with entries made here or brought by an invitation; the last one is the tip.
    virtual Result<void> put(const std::vector<ControlPiece>& pieces, const CommitId& head) = 0;

    // Takes out of the applied log what a writer wrote after the segment `last` (empty: all of
    // it); it is kept as evidence.
    virtual Result<void> cut(const domain::Writer& writer, const CommitId& last) = 0;
    // What a removed site wrote after that, as a remote offers it: evidence as far as it is one
    // chain of this writer's segments with the key that signed the first of them, which the caller
    // has judged. Anybody who can write to the remote can append to it what he likes.
    virtual Result<void> keep_later(Quarantine& quarantine, const Incoming& incoming) = 0;
    virtual Result<std::vector<SetAside>> set_aside(std::string_view site) = 0;
    // The key that a held commit names as its signer.
    virtual Result<PublicKey> signer(const CommitId& commit) = 0;
};

}  // namespace dutybook::store
