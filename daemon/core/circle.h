#pragma once
// The circle of a space's members at this site: its control log, the keys of its epochs, and the
// judge of who may write a log up to where. Thread-safe.
//
// spaces/<name>/control.json: {"format":1,"head","pieces":[[commit,entry],...]} in base64, a copy
// of the control log that log.git is healed from; what an invitation brings stands here first.
// spaces/<name>/invite.json: {"box","format":1,"sign"}: seeds of the invite by which this site
// came. spaces/<name>/introductions.json: {"format":1,"introductions":[...]}: of sites whose first
// segment was seen, as segments' headers have them.

#include "base/clock.h"
#include "core/book.h"
#include "core/control_file.h"
#include "core/keyring.h"
#include "domain/membership.h"
#include "store/control_log.h"
#include "store/segment_sealed.h"

#include <functional>
#include <mutex>
#include <set>

namespace dutybook::core {

struct Invited;       // core/invited.h
struct RecoveryKeys;  // core/founding.h

class Circle final : public store::SegmentJudge, public store::SegmentAuthor {
public:
    struct Parts {
        std::filesystem::path folder;  // of the space
        SpaceRecord space;
        Site site;
        std::shared_ptr<const Keyring> ring;
        const Clock* clock = nullptr;
    };
    static Result<std::unique_ptr<Circle>> open(Parts parts);

    const store::SealedCodec& codec() const { return codec_; }
    // As the files alone tell it, without a log; writes nothing.
    Result<domain::Membership> look() const;
    // Brings control.json and the log's control together, and finds introductions that a crash
    // kept from being noted. Call once, before anything below.
    Result<void> attach(store::Log& log);

    // Code::Forbidden names the site and the log; Unavailable: the control log is not here.
    Result<void> judge(const store::SegmentHeader& header, std::string_view commit_bytes,
                       std::string_view signature, const store::CommitId& id) const override;

    // By the pair that is in force for the writer; Code::Forbidden if this store has not got it.
    Result<std::string> sign(const domain::Writer& writer,
                             std::string_view commit_bytes) const override;
    // Empty for the first keys of a site that came by no invite.
    std::string introduction(const domain::Writer& writer) const override;

    // Null while the control log is not here.
    std::shared_ptr<const domain::Membership> membership() const;
    const Site& site() const { return parts_.site; }
    bool holds_pen() const;
    // Code::Forbidden: this site may only read, or it retired (its last word may be known here
    // before the control log says so).
    Result<void> may_write(bool retired) const;
    // The space demands a format that this version does not know, or this site is outside():
    // nothing is sealed or sent.
    std::optional<Error> waits() const;
    // What made this site a member gave way to what another administrator did apart. It writes on
    // for itself; what it wrote is sent when it belongs again, by the recovery key or by a new
    // invitation.
    std::optional<Error> outside() const;
    // Changes with all that a log is judged by.
    std::string judged_by() const;
    // Code::NotFound, Ambiguous. An invite that was not used yet has no site id.
    Result<domain::Member> find(const std::string& words) const;

    // --- the control log ---
    store::CommitId head() const;
    bool holds(const store::CommitId& commit) const;
    std::vector<store::CommitId> lost() const;
    std::optional<std::uint64_t> number_of(const store::CommitId& commit) const;
    bool before_head(const store::CommitId& commit) const;  // or the head itself
    struct Met {
        bool changed = false;
        std::optional<Error> refused;
    };
    // What a remote offers was fetched: what counts is taken over.
    Result<Met> meet(store::Quarantine& quarantine, const store::CommitId& tip);
    // This site holds the pen: appends. Code::Forbidden names who does.
    Result<void> append(domain::ControlAct act, bool new_epoch);
    Result<void> remove(const domain::Member& member);
    Result<void> adopt(const domain::Member& member);
    // By the recovery key: this site becomes an administrator, in a new epoch, and takes the pen.
    // `meet` is called when the key is known to be right, and brings what remotes have: all of it
    // can be read with this key, and what is appended follows it instead of undoing it.
    Result<void> recover(const Secret& recovery, const std::function<void()>& meet = {});
    // This site is outside() and was invited again: its store goes on.
    Result<void> come_back(const Invited& invited);
    // Invites: appends, and gives {"control","invite","role","site","space"} for the file.
    Result<Json> invite(const std::string& site_name, domain::Role role);
    Result<Json> space_json() const;  // {"control","space"} without an invite

    // --- new keys of this and of other sites (circle_keys.cpp) ---
    // The ring has a newer pair than this space knows of. Whoever acts on it first seals all that
    // `writer` wrote, then announces where its log ends, then opens another writer.
    bool renewal_due() const;
    Result<void> announce(const domain::Writer& writer, const domain::Position& end);
    // The writer is of keys that were replaced: nothing more may be sealed under it.
    bool has_ended(const domain::Writer& writer) const;
    // Whoever holds the pen writes down what sites announced.
    Result<void> record_renewals();

    // --- what follows for logs, index and people ---
    // Where a log ends that was cut short by a removal, or by new keys of its site.
    std::optional<domain::Position> end_of(const domain::Writer& writer) const;
    struct Cut {
        domain::Writer writer;
        domain::Position after;
    };
    // Keys of a line that gave way: what was written under them stays readable for all. Whoever
    // holds the pen writes them into the line; another one who has them passes them on beside it,
    // at the end of what it had appended itself.
    Result<void> share_keys();
    // Logs that hold more than counts of sites that were removed, or that never became members
    // because what made them such gave way.
    Result<std::vector<Cut>> cuts() const;
    Result<void> cut(const Cut& cut);
    std::vector<Alarm> alarms() const;
    bool removed(std::string_view site) const;
    // Operations of a removed site that are set aside here.
    std::uint64_t quarantined(std::string_view site) const;
    // {"site","name","role","standing","own","pen","keys","key",...} of each member
    Result<Json> members_json() const;
    std::string name_of(std::string_view site) const;  // its id if the name is not known

private:
    explicit Circle(Parts parts, domain::EpochKeys keys);

    // Of this site, in the space as it is known; under mutex_. Null: this store has not got it.
    Keyring::Pair in_force() const;
    Keyring::Pair recorded() const;
    Error key_gone() const;
    Keyring::Pair pair_of(const domain::Writer& writer) const;
    const domain::Introduction* introduction_of(const Keyring::Pair& pair) const;
    std::vector<BoxKey> boxes() const;
    // The positions of a renewal, once everything is here that they cover.
    Result<std::optional<std::map<domain::Writer, domain::Position, std::less<>>>> ends_of(
        const domain::Introduction& renewal) const;
    Result<void> cuts_of_renewed(const domain::Member& member,
                                 const std::map<domain::Writer, store::VolumeInfo>& held,
                                 std::vector<Cut>& out) const;

    Result<void> load_files();
    Result<void> find_introductions();
    Result<void> refold();  // under mutex_
    domain::EpochKeys unshared_keys() const;
    std::optional<domain::ControlEntry> last_words(const domain::EpochKeys& unshared,
                                                   const PublicKey& by) const;
    Result<void> write_beside(const domain::ControlEntry& entry, const store::CommitSigner& signer);
    Result<void> save_control() const;
    Result<domain::Membership> fold(const std::vector<domain::SignedEntry>& entries,
                                    domain::EpochKeys& keys) const;
    void introduce(const store::SegmentHeader& header) const;
    Result<void> save_introductions() const;
    Result<void> reload();
    Result<void> keep(const std::vector<store::ControlPiece>& pieces, const store::CommitId& head);
    Result<void> append_as(domain::ControlAct act, bool new_epoch,
                           const store::CommitSigner& signer, const PublicKey& by);
    Result<std::map<domain::Writer, domain::Position, std::less<>>> positions_of(
        std::string_view site) const;
    Json outsider() const;
    Result<void> meet_and_recover(const RecoveryKeys& keys, const std::function<void()>& meet);
    Result<store::ControlLog*> control() const;

    const Parts parts_;
    std::optional<BoxKey> invite_box_;
    std::optional<BoxKey> recovery_box_;  // while recover() is at work
    bool introductions_whole_ = false;    // introductions.json was read
    store::SealedCodec codec_;
    store::Log* log_ = nullptr;

    // Held by whoever changes the control log, while the log works too. The log holds its own lock
    // when it asks judge(), so judge() takes only mutex_, and nobody holds that one while calling
    // the log.
    mutable std::recursive_mutex acting_;
    mutable std::recursive_mutex mutex_;  // guards what follows; judge() folds anew
    mutable domain::EpochKeys keys_;
    mutable store::ControlHeld held_;
    mutable std::set<domain::Introduction> introductions_;
    mutable std::shared_ptr<const domain::Membership> membership_;
    // Operations set aside, by log; what `members` lists and adopt() takes in.
    Result<std::vector<std::pair<store::SetAside, std::uint64_t>>> later_of(
        const domain::Member& member) const;
};

}  // namespace dutybook::core
