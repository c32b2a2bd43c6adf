#pragma once
// An index that follows on a thread of its own. What was written here is durable in the journal
// before it comes, so it waits until some of it is together: a transaction costs the same for one
// record as for a hundred, and meanwhile the space's thread decides the next writes. Nobody sees
// that it waits: every read and every other call first has it taken in.
//
// A crash loses what waits, as it may lose any end of the index: the start applies the journal's.

#include "store/index.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace dutybook::store {

class WriteBehindIndex final : public Index {
public:
    explicit WriteBehindIndex(std::unique_ptr<Index> index);
    ~WriteBehindIndex() override;  // takes in what waits

    Result<void> follow(OwnRun run) override;
    Result<void> followed() override;
    Result<std::vector<std::string>> taken(std::span<const std::string> ids) override;

    Result<Applied> apply(std::span<const Run> runs) override { return settled().apply(runs); }
    Result<void> begin_bulk() override { return settled().begin_bulk(); }
    Result<void> end_bulk() override { return settled().end_bulk(); }
    Result<bool> catch_up_search(std::size_t records) override {
        return settled().catch_up_search(records);
    }
    domain::Frontier frontier() const override { return settled().frontier(); }
    std::vector<domain::OperationId> waiting() const override { return settled().waiting(); }
    Result<std::vector<std::string>> retract_from(const domain::Writer& writer,
                                                  std::uint64_t seq) override {
        return settled().retract_from(writer, seq);
    }
    Result<void> put_verdicts(std::span<const Verdict> verdicts) override {
        return settled().put_verdicts(verdicts);
    }
    Result<void> drop_verdicts(std::span<const std::string> records) override {
        return settled().drop_verdicts(records);
    }
    Result<void> keep_verdicts_of(std::span<const std::string> plugin_digests) override {
        return settled().keep_verdicts_of(plugin_digests);
    }
    Result<void> set_judged_upto(std::string_view space, const IndexPoint& point) override {
        return settled().set_judged_upto(space, point);
    }
    IndexReader& reader() override { return index_->reader(); }
    void before_reads(std::function<void()> wait) override;
    Result<void> check() override { return settled().check(); }
    Result<void> close_cleanly() override { return settled().close_cleanly(); }

private:
    // Once nothing waits, the index is the caller's.
    Index& settled() const;
    void settle() const;
    void work();
    Result<void> take_in(const std::deque<OwnRun>& runs);
    void name(const OwnRun& run, int change);  // in waiting_ids_

    const std::unique_ptr<Index> index_;
    mutable std::mutex mutex_;
    mutable std::condition_variable wake_;     // the thread: more came, or somebody waits
    mutable std::condition_variable settled_;  // others: something was taken in
    // By mutex_:
    std::deque<OwnRun> queue_;
    std::size_t queued_ = 0;                                    // operations in it
    std::uint64_t given_ = 0;                                   // runs that ever came
    std::uint64_t done_ = 0;                                    // of them taken in, or given up
    mutable std::uint64_t asked_ = 0;                           // up to this one somebody waits for
    std::unordered_map<std::string, std::size_t> waiting_ids_;  // records of what waits
    Result<void> failed_;
    bool stopping_ = false;

    std::thread thread_;
};

}  // namespace dutybook::store
