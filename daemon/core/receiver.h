#pragma once
// From the log into the index: segments that were taken over, writer by writer, in transactions of
// bounded size. Works through a plan made from the index's frontier and the log's volumes, and
// plans again when it is through.
//
// A writer whose log cannot be read, or waits for a newer version, is left out and named by an
// alarm; the others go on.

#include "core/alarms.h"
#include "core/claims.h"
#include "domain/hlc.h"

#include <deque>
#include <map>
#include <set>

namespace dutybook::core {

class Receiver {
public:
    Receiver(const SpaceFacts& facts, const SpaceParts& parts, AlarmBook& alarms)
        : facts_(facts), parts_(parts), alarms_(alarms), claims_(facts, parts, alarms) {}

    // `own_too`: the current writer's sealed operations as well (a rebuild); otherwise these come
    // from the journal. At least one segment a call, whatever the limit.
    Result<SpaceEngine::Folded> fold(std::size_t limit, domain::HybridClock& hlc, bool own_too);

    // Ends a bulk load early, because somebody writes: what he wrote must be shown at once. The
    // rest of the plan is folded without late indexes.
    Result<void> leave_bulk();
    // A start on a running engine (a rebuild) plans from what the index then holds.
    Result<void> forget_plan();
    bool in_bulk() const { return bulk_; }

    // While more is on its way a bulk load stays open when the plan is through, and what is too
    // little for one waits: late indexes are made once.
    void expect_more(bool more) { more_comes_ = more; }

    // Operations that the plan still holds, for progress.
    std::uint64_t backlog() const { return backlog_; }

    Claims& claims() { return claims_; }

private:
    // In one call of a bulk load: what is read ahead must be worth it.
    static constexpr std::size_t bulk_slice = 10'000;

    struct Loaded {
        domain::Writer writer;
        store::Segment segment;
        store::CommitId commit;
    };

    Result<void> plan(bool own_too);
    domain::Frontier reached() const;
    Result<void> plan_writer(const domain::Writer& writer,
                             const std::vector<store::VolumeInfo>& volumes);
    Result<bool> left_our_branch(const std::vector<store::VolumeInfo>& volumes, std::uint64_t seq,
                                 const store::CommitId& segment);
    Result<bool> shorter_branch(const std::vector<store::VolumeInfo>& volumes, store::CommitId at);
    Result<std::deque<Loaded>> load(std::size_t limit);
    Result<void> apply(const std::deque<Loaded>& loaded, domain::HybridClock& hlc,
                       SpaceEngine::Folded& folded);
    Result<void> apply_runs(std::span<const store::Run> runs, domain::HybridClock& hlc,
                            SpaceEngine::Folded& folded);
    void judge_stamp_of(const store::Run& run);
    void give_up(const domain::Writer& writer, const Error& error);

    const SpaceFacts& facts_;
    const SpaceParts& parts_;
    AlarmBook& alarms_;
    Claims claims_;

    std::map<domain::Writer, std::deque<store::CommitId>> plan_;
    std::set<domain::Writer> given_up_;   // until the plan is through
    std::vector<std::string> retracted_;  // records that a plan took operations from
    std::uint64_t backlog_ = 0;
    bool bulk_ = false;
    bool no_bulk_ = false;  // left early; until the plan is through
    bool more_comes_ = false;
    domain::Frontier loaded_;  // by this bulk load: until its end the index shows nothing of it
};

// Journal meta: up to where the journal answers for an own earlier writer. What it made beyond that
// was issued again, and its place in the log may belong to what another store wrote there. Empty =
// no such bound.
std::string cap_key(const domain::Writer& writer);
Result<std::optional<std::uint64_t>> cap_of(store::Journal& journal, const domain::Writer& writer);

// The segment made here that holds an own operation; empty if none does (not sealed, not ours).
Result<store::CommitId> own_segment_of(store::Journal& journal, const domain::OperationId& id);

}  // namespace dutybook::core
