#pragma once
// One space at one site: the way from a request to an acknowledged, shown operation, sealing,
// taking over what a sync brought, recovery at start, and the change of writer after a restore or
// a clone. Decides and calls its stores; knows no thread, no socket and no git. Runs on the space's
// writer thread (SpaceService), or directly in the simulation.
//
// A write: complete -> validate -> evaluate -> operation -> journal (durable) -> index -> answer.
// The group that write() is given shares one journal transaction. Reads after the answer see it.
//
// The journal's frontier is the index's: what is applied and can be shown. It moves only after the
// index transaction that shows the received operations has committed.

#include "base/clock.h"
#include "core/write.h"
#include "domain/hlc.h"
#include "domain/kind.h"
#include "rules/evaluator.h"
#include "rules/kinds.h"
#include "store/index.h"
#include "store/journal.h"
#include "store/log.h"

#include <memory>
#include <set>
#include <span>

namespace dutybook::core {

struct SpaceFacts {
    std::string id;  // random, base32
    std::string name;
    std::string parent;  // name of the parent space, empty = none
    std::string site;    // own site id
    std::string zone;
};

// What the engine works on; it owns none of it.
class Circle;

struct SpaceParts {
    store::Journal* journal = nullptr;
    store::Log* log = nullptr;
    store::Index* index = nullptr;
    const Clock* clock = nullptr;
    const rules::Kinds* kinds = nullptr;
    rules::Evaluator* evaluator = nullptr;
    const store::SegmentCodec* codec = nullptr;
    const store::SegmentJudge* judge = nullptr;
    // The members of an encrypted space; null where there is no control log.
    Circle* circle = nullptr;
    // Above this many operations to fold late indexes pay.
    std::uint64_t bulk_from = 50'000;
    // Random incarnation for a new writer (a seam so that the simulation is reproducible).
    std::function<std::string()> incarnation;
    // Reads the parent space's index, from any thread; false = it is not here. Empty = the space
    // has no parent. References that are not found in the space are looked up there and stored as
    // "parent/id".
    using Reading = std::function<Result<void>(store::IndexReader&)>;
    std::function<Result<bool>(const Reading&)> read_parent;
    // Told on the space's thread which of its records changed: spaces whose parent it is judge anew
    // what looked at them. May be empty.
    std::function<void(const std::vector<std::string>& records)> tell_children;
};

// An alarm is state, not an event: it stands until what caused it is gone (or a person closes it).
struct Alarm {
    std::string id;    // stable: kind and subject
    std::string kind;  // gone-back, fork, update-needed, lying-frontier, restored, malformed, ...
    std::string subject;  // writer, volume, remote
    std::string message;  // what happened and what to do
    Millis since = 0;
};

// The next_heard of a site's last segment: it has retired.
inline constexpr Millis never_again = 0;

struct SealPolicy {
    std::uint64_t operations = 1000;       // seal at so many
    Millis age = 3'600'000;                // or when the oldest unsealed is so old
    std::uint64_t volume_bytes = 1 << 20;  // a volume closes at about this
};

struct EngineState;  // engine_state.h

class SpaceEngine {
public:
    SpaceEngine(SpaceFacts facts, SpaceParts parts, SealPolicy policy = {});
    ~SpaceEngine();
    SpaceEngine(const SpaceEngine&) = delete;
    SpaceEngine& operator=(const SpaceEngine&) = delete;

    // Check the journal's chain, redo an unfinished seal, compare log and journal, bring the index
    // up to both (the caller has replaced a damaged index by an empty one). `moved`: the store's
    // machine, device or inode changed since the last start: open a new writer and issue the
    // unshared tail again under it.
    struct Start {
        bool moved = false;
        std::function<void(std::uint64_t done, std::uint64_t all)> progress;
    };
    Result<void> start(const Start& how);
    // Marks journal and index as left in order; nothing may be called afterwards.
    void stop();

    // One result per request, in order. Requests of one group see each other's effects.
    std::vector<Result<Written>> write(std::span<const WriteRequest> requests);
    Result<Checked> check(const CheckRequest& request);

    // Seals the tail into segments cut where frontiers change, by policy or because `force`.
    // Returns the number of segments. `receipt`: if nothing is to be sealed but something was
    // received since our last segment, seal an empty one (at most one a night: the caller knows).
    // `most`: segments in this call, so that background sealing lets writes in between.
    struct Seal {
        bool force = false;
        bool receipt = false;
        std::optional<Millis> next_heard;
        std::size_t most = SIZE_MAX;
        // An empty segment even if nothing was received: a site that was invited introduces itself
        // before it has written anything.
        bool introduce = false;
        // The site's last segment (its next_heard is 0), which says that it retires.
        bool last_word = false;
    };
    Result<std::size_t> seal(const Seal& how);
    bool seal_due() const;

    // Folds segments that the log has taken over, in bounded transactions: at most `limit`
    // operations a call; `more` says to call again. Order of writers does not matter; an operation
    // is applied when all before it of its writer are.
    struct Folded {
        std::uint64_t operations = 0;
        std::vector<std::string> records;
        bool more = false;
    };
    Result<Folded> fold_received(std::size_t limit);
    // A contact took something over and fetches `more`: the background folds meanwhile, if it is
    // enough for a bulk load, which then goes on until there is no more.
    void arrived(bool more);
    bool may_fold_arrived() const;
    // Full text of what was folded in bulk follows in slices; true = more to do.
    Result<bool> catch_up_search(std::size_t records);
    // Verdicts that changes by sync made doubtful are made again in slices; true = more to do.
    Result<bool> recheck(std::size_t subjects);
    // The set of plugins or their settings changed, or the store was just opened: whatever lacks a
    // verdict of now is judged in the background.
    Result<void> recheck_missing();
    std::size_t doubtful() const;  // records that are to be judged again
    // Records of the parent space changed, and its index came to `point` by it: their subjects here
    // are judged again.
    void recheck_for_parent(const std::vector<std::string>& records,
                            const store::IndexPoint& point);

    // This store was restored or cloned: from now on a new writer, the tail that no remote and no
    // peer holds issued again. `shared` = highest own seq that is known elsewhere.
    Result<void> open_new_writer(std::uint64_t shared, const std::string& why);

    // The control log or an introduction changed the circle of members: what no longer counts is
    // taken out of log and index, alarms follow. An error is one of the stores'.
    Result<void> follow_circle();

    // Segments after the last shared one on one branch of an own log that forked, oldest first.
    // Whether all that they change is held in another place too; and seeing to it. Gives how many
    // operations were issued.
    Result<bool> issued_again(std::span<const store::CommitId> branch);
    Result<std::size_t> issue_again(std::span<const store::CommitId> branch);
    // An own earlier log is about to follow another branch than the one that was made here: from
    // `upto` on its lost segments are not made again.
    Result<void> give_way(const domain::Writer& writer, std::uint64_t upto);

    // Own operations known to be held by another store (a remote's list, a peer's receipt).
    void note_shared(const domain::Writer& writer, std::uint64_t upto);
    // Forget journal lines that are sealed, elsewhere and 30 days old.
    Result<void> trim_journal();

    // What folds changed since the last call, for listeners; `many` = too many to name.
    struct Changed {
        std::vector<std::string> records;
        bool many = false;
    };
    Changed take_changed();
    std::uint64_t alarms_version() const;  // grows when an alarm is raised, told anew or closed

    const SpaceFacts& facts() const { return facts_; }
    domain::Writer writer() const;
    bool is_own(std::string_view writer) const;  // by site id
    std::uint64_t unsealed() const;
    domain::Frontier frontier() const;  // everybody's, our own journal included
    std::vector<Alarm> alarms() const;
    void raise(Alarm alarm);
    void close_alarm(const std::string& id);

    // What peers last said in their segments.
    struct Peer {
        std::string site;
        std::uint64_t holds_of_ours = 0;
        Millis last_heard = 0;
        std::optional<Millis> next_heard;
    };
    std::vector<Peer> peers() const;
    // Raises an alarm for each site that said when it would be heard and was not, and closes those
    // of sites that were heard since. To be called after a contact that went well: before it,
    // silence is our own.
    void look_for_silence();

    store::Index& index() { return *parts_.index; }
    store::Log& log() { return *parts_.log; }
    store::Journal& journal() { return *parts_.journal; }
    const SpaceParts& parts() const { return parts_; }

private:
    Result<bool> complete_later();
    // start.cpp
    Result<void> bring_index_up(const Start& how);
    Result<void> restore_lost_segments(const domain::Writer& own);
    Result<std::optional<std::uint64_t>> log_left_us();
    Result<void> settle_clock();
    Result<void> catch_up_index();
    // seal.cpp
    struct Tail {
        std::vector<std::string> lines;
        domain::Frontier frontier;
    };
    Result<void> finish_unfinished_seal();
    Result<Tail> next_tail();
    Result<void> seal_tail(Tail tail, std::optional<Millis> next_heard);
    Result<void> seal_planned(const store::SealRow& row, std::span<const std::string> lines);
    bool received_since_last_seal();
    bool promise_ends(std::optional<Millis> next_heard);
    // new_writer.cpp
    Result<void> reissue(std::uint64_t from, const std::string& why);
    Result<void> open_writer(const domain::Writer& fresh,
                             std::span<const store::Journal::Reissue> reissued,
                             const std::string& why);
    Result<std::uint64_t> first_not_elsewhere(const domain::Writer& old, std::uint64_t from);
    Result<void> drop_what_was_reissued();
    Result<void> follow_own_keys();  // follow_circle.cpp
    Result<bool> introduced_as_now();
    void settle_restored_alarm(const domain::Writer& writer, std::uint64_t shared);
    void refresh_frontier();

    SpaceFacts facts_;
    SpaceParts parts_;
    SealPolicy policy_;
    std::unique_ptr<EngineState> state_;
};

}  // namespace dutybook::core
