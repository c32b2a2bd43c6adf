#pragma once
// One simulated site: a disk, a clock, and the production engine on in-memory stores. Dying throws
// away everything but the disk.

#include "core/space_engine.h"
#include "support/memory_index.h"
#include "support/memory_journal.h"
#include "support/memory_log.h"
#include "support/memory_transfer.h"
#include "sync/contact.h"

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace dutybook::simulation {

using testing::Crash;

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    // Not std::uniform_int_distribution: its values differ between libraries.
    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    bool percent(std::uint64_t chance) { return below(100) < chance; }
    std::string word(std::size_t letters) {
        std::string out;
        while (out.size() < letters) out += static_cast<char>('a' + below(26));
        return out;
    }
    template <class T>
    T& pick(std::vector<T>& from) {
        return from[below(from.size())];
    }

private:
    std::mt19937_64 engine_;
};

struct SimulatedClock final : Clock {
    Millis wall = 1'780'000'000'000, steady = 0;
    Millis now() const override { return wall; }
    Millis monotonic() const override { return steady; }
};

// What survives a crash; copied for a backup or a clone.
struct Disk {
    testing::JournalData journal;
    testing::LogData log;
    testing::IndexData index;
    std::map<std::string, sync::Transfer::Refs> remembered;
};

// What all sites of a world share; nothing of it changes their answers.
struct Commons {
    std::shared_ptr<const rules::KindRegistry> kinds;
    testing::PlainCodec codec;
    testing::OpenJudge judge;
    rules::NoRules no_rules;
    rules::Evaluator* rules = &no_rules;
    std::map<std::string, testing::MemoryRemote> remotes;
    testing::Link link;
};

inline constexpr const char* space_id = "spacespacespace";

class Site final : private sync::EngineDoor {
public:
    Site(std::string id, Commons& commons, Random& random)
        : id_(std::move(id)), commons_(commons), random_(random) {}
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    // Any of these may throw Crash when the faults are armed.
    Result<void> start(bool moved);
    Result<core::Written> write(const core::WriteRequest& request);
    Result<std::size_t> seal();
    sync::Outcome contact(const std::string& remote);

    // The process dies. `power`: the index, which is not synced, is gone too.
    void die(bool power);
    bool up() const { return engine_ != nullptr; }
    const std::string& id() const { return id_; }
    core::SpaceEngine& engine() { return *engine_; }
    std::string digest();

    Disk disk;
    SimulatedClock clock;
    testing::Faults faults;

private:
    void run(const std::function<void(core::SpaceEngine&)>& task) override { task(*engine_); }

    sync::RefusedTips refused_;
    const std::string id_;
    Commons& commons_;
    Random& random_;
    // Made anew at each start; destroyed in the opposite order.
    std::unique_ptr<testing::MemoryJournal> journal_;
    std::unique_ptr<testing::MemoryLog> log_;
    std::unique_ptr<testing::MemoryIndex> index_;
    std::unique_ptr<core::SpaceEngine> engine_;
};

// What a failure prints: the operations that not all hold alike, and where each site stands.
std::vector<std::string> differences(const std::vector<std::unique_ptr<Site>>& sites);

}  // namespace dutybook::simulation
