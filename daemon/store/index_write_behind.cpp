#include "store/index_write_behind.h"

#include <pthread.h>

#include <chrono>
#include <iterator>
#include <utility>

namespace dutybook::store {
namespace {

using namespace std::chrono_literals;

constexpr auto gathering = 5ms;                 // what waits, waits at most so long
constexpr std::size_t enough = 256;             // operations that are worth a transaction
constexpr std::size_t most_waiting = 2'000;     // more are not accepted meanwhile
constexpr std::size_t in_transaction = 20'000;  // operations

// Runs that fit into one transaction go into one; a long one is cut.
class RunPacker {
public:
    explicit RunPacker(Index& index) : index_(index) {}

    Result<void> add(const OwnRun& own) {
        for (std::size_t done = 0; done < own.lines.size();) {
            const std::size_t count =
                std::min(in_transaction - operations_, own.lines.size() - done);
            const std::span<const KnownLine> known = own.known;
            runs_.push_back({own.writer,
                             own.first + done,
                             &own.frontier,
                             std::span(own.lines).subspan(done, count),
                             {},
                             own.arrived,
                             known.empty() ? known : known.subspan(done, count)});
            operations_ += count;
            done += count;
            if (operations_ == in_transaction) TRY(flush());
        }
        return {};
    }
    Result<void> flush() {
        if (!runs_.empty()) TRY(index_.apply(runs_));
        runs_.clear();
        operations_ = 0;
        return {};
    }

private:
    Index& index_;
    std::vector<Run> runs_;
    std::size_t operations_ = 0;
};

}  // namespace

Result<void> Index::follow(OwnRun run) {
    RunPacker packer(*this);
    TRY(packer.add(run));
    TRY(packer.flush());
    return run.verdicts.empty() ? Result<void>{} : put_verdicts(run.verdicts);
}

std::unique_ptr<Index> write_behind(std::unique_ptr<Index> index) {
    return std::make_unique<WriteBehindIndex>(std::move(index));
}

WriteBehindIndex::WriteBehindIndex(std::unique_ptr<Index> index) : index_(std::move(index)) {
    before_reads({});
    thread_ = std::thread([this] { work(); });
    pthread_setname_np(thread_.native_handle(), "index");
}

WriteBehindIndex::~WriteBehindIndex() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void WriteBehindIndex::before_reads(std::function<void()> wait) {
    index_->before_reads([this, wait = std::move(wait)] {
        settle();
        if (wait) wait();
    });
}

void WriteBehindIndex::settle() const {
    std::unique_lock lock(mutex_);
    const std::uint64_t upto = given_;
    if (done_ >= upto) return;
    if (asked_ < upto) {
        asked_ = upto;
        wake_.notify_one();
    }
    settled_.wait(lock, [&] { return done_ >= upto; });
}

Index& WriteBehindIndex::settled() const {
    settle();
    return *index_;
}

Result<void> WriteBehindIndex::followed() {
    const std::lock_guard lock(mutex_);
    return std::exchange(failed_, Result<void>{});
}

Result<void> WriteBehindIndex::follow(OwnRun run) {
    std::unique_lock lock(mutex_);
    settled_.wait(lock, [&] { return queued_ < most_waiting; });
    if (!failed_) return std::exchange(failed_, Result<void>{});
    // The thread sleeps without a bound while nothing waits, and a moment until there is enough.
    const bool first = queue_.empty();
    ++given_;
    queued_ += run.lines.size();
    name(run, 1);
    queue_.push_back(std::move(run));
    const bool tell = first || queued_ >= enough;
    lock.unlock();
    if (tell) wake_.notify_one();
    return {};
}

void WriteBehindIndex::name(const OwnRun& run, int change) {
    for (const domain::Operation& operation : run.operations) {
        if (change > 0) {
            ++waiting_ids_[operation.record];
            continue;
        }
        const auto found = waiting_ids_.find(operation.record);
        if (--found->second == 0) waiting_ids_.erase(found);
    }
}

Result<std::vector<std::string>> WriteBehindIndex::taken(std::span<const std::string> ids) {
    std::vector<std::string> waiting;
    {
        const std::lock_guard lock(mutex_);
        for (const std::string& id : ids) {
            if (waiting_ids_.contains(id)) waiting.push_back(id);
        }
    }
    // Only now: what is taken in meanwhile is in one of the two.
    TRY_ASSIGN(auto found, index_->taken(ids));
    found.insert(found.end(), std::make_move_iterator(waiting.begin()),
                 std::make_move_iterator(waiting.end()));
    return found;
}

void WriteBehindIndex::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        wake_.wait_for(lock, gathering,
                       [this] { return stopping_ || asked_ > done_ || queued_ >= enough; });
        std::deque<OwnRun> runs = std::exchange(queue_, {});
        queued_ = 0;
        lock.unlock();
        settled_.notify_all();
        auto taken = take_in(runs);
        lock.lock();
        for (const OwnRun& run : runs) name(run, -1);
        done_ += runs.size();
        if (!taken) {
            // What came meanwhile does not follow what the index holds.
            for (const OwnRun& run : queue_) name(run, -1);
            done_ += queue_.size();
            queue_.clear();
            queued_ = 0;
            failed_ = std::move(taken);
        }
        settled_.notify_all();
        lock.unlock();
        runs.clear();
        lock.lock();
    }
}

Result<void> WriteBehindIndex::take_in(const std::deque<OwnRun>& runs) {
    RunPacker packer(*index_);
    for (const OwnRun& run : runs) {
        TRY(packer.add(run));
        if (run.verdicts.empty()) continue;
        // Before the next run, which may change these records again.
        TRY(packer.flush());
        TRY(index_->put_verdicts(run.verdicts));
    }
    return packer.flush();
}

}  // namespace dutybook::store
