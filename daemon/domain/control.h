#pragma once
// One entry of a space's control log: who belongs, and which keys hold. Format 1.
//
// An entry is one line of canonical JSON in a signed commit (store/control_log.h). What a host may
// see of it is plain; what was done, and all names, are encrypted under the epoch's key:
//
//   "at"        UTC milliseconds of the signer's clock
//   "body"      base64: the act, sealed with the key of `epoch`; all other members are
//               authenticated with it
//   "by"        base64: the Ed25519 key that signed the commit
//   "chain"     [[epoch, base64]]: keys of earlier epochs, sealed with the key of `epoch`, so that
//               whoever holds the newest key can read everything (the fold needs all of it)
//   "epoch"     of the body's key
//   "format"    1
//   "number"    0, 1, 2, ...
//   "previous"  commit id of the entry before; empty for number 0
//   "space"     id
//   "wraps"     [[epoch, to, base64]]: an epoch's key, sealed for a box key whose hash is `to`
//
// The act is canonical JSON with "do" and, by what it does:
//   found    site name sign box recovery_sign recovery_box salt space_name parent
//            The space's id is the hash of (sign, recovery_sign, salt): it certifies its founder.
// An act on a site that came by an invite also carries its "introduction" (membership.h).
//   add      invite_sign invite_box name role      a site may come with this invite
//   remove   site positions                        {writer: [seq, commit]}: what counts of it
//   retire   site                                  it said so itself; all it wrote counts
//   rotate   site sign box positions               new keys; where the logs of the old ones end
//   pen      site                                  from now on that site appends
//   epoch                                          a new key alone
//   format   minimum
//   adopt    site positions                        quarantined operations count up to there
//   confirm  site                                  settles an invite that two sites used
//   recover  site name sign box                    signed by the recovery key: a new administrator

#include "base/clock.h"
#include "base/keys.h"
#include "domain/frontier.h"

#include <map>
#include <string>
#include <vector>

namespace dutybook::domain {

enum class Role : std::uint8_t { Reads, Writes, Administers };
std::string_view name_of(Role role);  // reader writer admin
std::optional<Role> role_from(std::string_view name);

enum class ControlKind : std::uint8_t {
    Found,
    Add,
    Remove,
    Retire,
    Rotate,
    Pen,
    Epoch,
    Format,
    Adopt,
    Confirm,
    Recover
};
std::string_view name_of(ControlKind kind);

struct Position {
    std::uint64_t seq = 0;
    std::string segment;  // commit id; empty with seq 0
    auto operator<=>(const Position&) const = default;
};

struct ControlAct {
    ControlKind kind = ControlKind::Epoch;
    std::string site, name;
    std::string introduction;  // of the site, if it came by an invite: the entry stands alone
    Role role = Role::Writes;
    PublicKey sign{}, box{};                    // of the site, or of the invite (add)
    PublicKey recovery_sign{}, recovery_box{};  // found
    std::string salt, space_name, parent;       // found; salt is 16 bytes
    std::map<Writer, Position, std::less<>> positions;
    int minimum_format = 1;
};

struct Wrap {
    std::uint32_t epoch = 0;
    std::string to;      // key_name() of a box key
    std::string sealed;  // bytes
};

struct ControlEntry {
    std::string space;
    std::uint64_t number = 0;
    std::string previous;
    Millis at = 0;
    PublicKey by{};
    std::uint32_t epoch = 1;
    std::vector<Wrap> wraps;
    std::vector<std::pair<std::uint32_t, std::string>> chain;  // epoch, sealed bytes
    std::string body;                                          // sealed act
};

// First 16 hex digits of the hash of a public key.
std::string key_name(const PublicKey& key);
// base32 of 16 bytes of a hash: a site's id from its first signing key, a space's from its origin.
std::string site_id_of(const PublicKey& sign);
std::string space_id_of(const PublicKey& founder, const PublicKey& recovery, std::string_view salt);

std::string write_entry(const ControlEntry& entry);
Result<ControlEntry> read_entry(std::string_view line);  // Code::NewerFormat for a higher format

// Encrypts the act into entry.body; everything else of the entry must be filled in before.
void seal_act(ControlEntry& entry, const ControlAct& act, const Secret& epoch_key);
Result<ControlAct> open_act(const ControlEntry& entry, const Secret& epoch_key);

}  // namespace dutybook::domain
