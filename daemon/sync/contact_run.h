#pragma once
// The state of one contact while it runs; contact.h says what it does.
//
//   contact.cpp          the order of things, listing, folding, what is remembered
//   contact_control.cpp  who belongs: the control log comes before all others
//   contact_receive.cpp  fetching slices and taking them over
//   contact_past.cpp     when the past changes: gone back, restored or cloned
//   contact_forks.cpp    logs with two histories
//   contact_send.cpp     sealing and pushing

#include "sync/contact.h"

#include <deque>
#include <map>
#include <set>

namespace dutybook::sync {

using store::Incoming;

class ContactRun {
public:
    ContactRun(const RemoteConfig& remote, const Transfer::Refs& remembered,
               const ContactParts& parts, const std::atomic<bool>& cancel)
        : remote_(remote), remembered_(remembered), parts_(parts), cancel_(cancel) {}

    Outcome run();

private:
    // contact.cpp
    Result<void> steps();
    Result<void> list();
    Result<Holdings> holdings();
    Result<Plan> plan();
    Compare compare() const;
    Older older() const;
    Result<void> fold();
    Result<void> still_wanted() const;  // an error once `cancel` is set
    void tell(const char* step, std::uint64_t done = 0, std::uint64_t all = 0) const;
    void with_engine(const std::function<void(core::SpaceEngine&)>& task) const;
    void raise(const char* kind, const std::string& subject, const std::string& message);
    void remember();
    // The last operation that a commit of a held volume reaches.
    Result<std::uint64_t> last_of(const store::VolumeInfo& volume, const store::CommitId& commit);

    // contact_control.cpp
    Result<void> receive_control();
    void control_is_good();
    void meet_control(const Wanted& wanted);
    bool never_ours() const;
    void look_for_lost_control();
    void offer_control(Pushes& pushes) const;
    Result<void> follow_circle();
    bool outside() const;  // this site is no member of the space
    void set_aside(const Incoming& incoming, const Error& why);

    // contact_receive.cpp
    Result<void> receive();
    void meet_known_fork(const Seen& seen);
    Result<void> receive_volumes(std::deque<std::vector<Wanted>> queue);
    Result<void> fetch_group(const std::vector<Wanted>& wanted);
    Result<void> take_over_group(const std::vector<Wanted>& wanted);
    Result<void> take_over(const Incoming& incoming);
    Result<store::TakenOver> take_all(const Incoming& incoming);
    void not_handed_out(const Incoming& incoming);
    void judge_refusal(const Incoming& incoming, const store::TakenOver& taken);
    void raise_for_log(const char* kind, const store::VolumeName& volume, const std::string& what);
    void tell_undelivered(const std::vector<Wanted>& wanted, const Error& error);
    std::vector<Wanted> worth_fetching(const std::vector<Wanted>& wanted);
    void note_use(const store::VolumeName& volume, bool use);
    bool refused_before(const store::VolumeName& volume, const store::CommitId& tip) const;
    void remember_refusal(const store::VolumeName& volume, const store::CommitId& tip);
    void came(const domain::Writer& writer);
    Result<std::vector<Wanted>> without_refused(const std::vector<Wanted>& wanted,
                                                std::set<domain::Writer>& coming);

    // contact_past.cpp
    void look_for_lost_heads(const std::vector<std::string>& lost);
    Result<void> take_over_own(const Incoming& incoming);
    Result<void> take_over_own_here(core::SpaceEngine& engine, const Incoming& incoming,
                                    Result<store::TakenOver>& taken);
    struct Standing {
        store::CommitId tip;                // empty: the volume is not held
        std::uint64_t first = 1, last = 0;  // operations of the volume
    };
    Result<Standing> standing(const store::VolumeName& name);

    // contact_forks.cpp
    // Two histories of one log; what each side has after the last shared segment, oldest first.
    struct Branches {
        struct Step {
            std::uint32_t volume = 0;
            store::CommitId commit;
        };
        domain::Writer writer;
        store::CommitId common;  // empty: they share nothing
        std::uint32_t common_volume = 0;
        std::uint64_t common_last = 0;  // operation
        std::vector<Step> ours, theirs;
        static std::vector<store::CommitId> commits(const std::vector<Step>& steps);
    };
    Result<void> settle_fork(const store::VolumeName& volume, const store::CommitId& tip);
    bool theirs_counts(const Branches& parted) const;
    Result<void> hand_out(const Branches& parted, bool applied);
    Result<void> receive_forks();
    Result<bool> settle_held_fork(const store::VolumeName& volume, const store::CommitId& tip);
    Result<Branches> branches(const domain::Writer& writer, const store::CommitId& tip);
    Result<void> switch_to(const Branches& parted);
    Result<void> switch_volume(const store::VolumeName& volume, const store::CommitId& tip);
    Result<void> see_to_forks();
    void tell_fork(const store::VolumeName& volume, const Branches& parted);
    static Incoming checked_part(const Incoming& incoming, const store::Fork& fork);

    // contact_send.cpp
    Result<void> send();
    Result<void> seal();
    Result<void> push_until_nothing_is_left();
    Error refused() const;
    Result<void> push_round(const Pushes& pushes);
    Result<void> push_slice(const std::vector<Offered>& offered);
    Result<void> note_shared();
    Result<bool> mend();

    const RemoteConfig& remote_;
    const Transfer::Refs& remembered_;
    const ContactParts& parts_;
    const std::atomic<bool>& cancel_;

    Outcome outcome_;
    Transfer::Refs listed_;
    bool list_is_fresh_ = false;  // nothing moved since
    bool looked_for_lost_ = false;
    std::unique_ptr<store::Quarantine> quarantine_;
    std::set<domain::Writer> strangers_;  // writers of whom nothing is held
    bool strangers_told_ = false;
    bool came_whole_ = false;         // the last fetch; else a refusal may be for what is missing
    std::set<domain::Writer> stuck_;  // a volume of theirs failed: the later ones wait
    std::set<std::string> standing_;  // ids of alarms about this remote's logs, of this contact
    bool saw_all_ = false;            // everything listed was looked at
    std::size_t useless_ = 0;         // logs of strangers in a row that gave nothing
    std::optional<Error> partial_;    // what went wrong with some volume while the rest went on
    std::string refusal_;             // what the remote last said when it refused a push
    std::vector<std::pair<store::VolumeName, Branches>> forks_;  // found by this contact
    bool control_replaceable_ = false;  // what the remote holds there counts for nothing
    bool other_space_ = false;          // it is of another space
    bool control_unread_ = false;       // it could not be looked at, or not by this site
    bool control_refused_ = false;      // in this contact, whatever was put in its place since
};

}  // namespace dutybook::sync
