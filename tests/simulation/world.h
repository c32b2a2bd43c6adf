#pragma once
// A live history: sites write while apart, meet at remotes, die, are restored and cloned, and
// remotes go back. Everything follows from the seed; trace() is the same for the same seed.

#include "simulation/site.h"

#include <set>

namespace dutybook::simulation {

struct Counts {
    std::uint64_t crashes = 0, partitions = 0, duplicates = 0, restores = 0, clones = 0,
                  rollbacks = 0, clock_jumps = 0, acknowledged = 0, lost = 0, doubled = 0,
                  forks = 0;
    std::map<std::string, std::uint64_t> crashed_in;  // the call

    void add(const Counts& other);
};

struct WorldOptions {
    std::size_t sites = 4, steps = 150;
    bool scripted_writer = true;  // a log with malformed, newer and lying operations
    bool loses_writes = false;    // negative control: a crash loses the last acknowledged write
    bool unnoticed = false;       // restored and cloned stores are not noticed at start
};

class World {
public:
    World(std::uint64_t seed, std::shared_ptr<const rules::KindRegistry> kinds,
          const WorldOptions& options);

    void run();
    // All up, all reachable, no more faults: meet until nothing moves. False if that never comes.
    bool settle();
    // Counts acknowledged writes that are not there, or there twice.
    void audit();

    const Counts& counts() const { return counts_; }
    std::string trace() const { return hex(trace_); }
    std::vector<std::string> digests();
    std::vector<std::unique_ptr<Site>>& sites() { return sites_; }
    const testing::RepositoryData& hub() { return commons_.remotes.at("hub").data; }
    const std::vector<std::string>& errors() const { return errors_; }

private:
    struct Backup {
        Disk disk;
        std::size_t acknowledged = 0;  // of that site, when it was taken
    };
    struct Told {
        std::string token;
        bool excused = false;  // the disk that held it was replaced by an older copy
    };

    void begin();
    void contact_until_done(Site& site);
    void step();
    void write(Site& site);
    core::WriteRequest request();
    void contact(Site& site);
    void start(Site& site, bool moved);
    void back_up(Site& site);
    void restore(Site& site);
    void clone(Site& site);
    void roll_back();
    void jump(Site& site);
    void crash(Site& site, const std::string& at);
    void script();
    // Runs what may crash; false if it did.
    bool guarded(Site& site, const std::function<void()>& task);
    void note(const std::string& event);
    Site& any_site() { return *random_.pick(sites_); }

    const WorldOptions options_;
    Random random_;
    Commons commons_;
    std::vector<std::unique_ptr<Site>> sites_;
    std::map<Site*, Backup> backups_;
    std::map<Site*, std::vector<Told>> told_;
    std::vector<testing::RepositoryData> old_hubs_;
    std::uint64_t next_token_ = 0;
    bool scripted_ = false;
    Hash trace_{};
    Counts counts_;
    std::vector<std::string> errors_;
};

}  // namespace dutybook::simulation
