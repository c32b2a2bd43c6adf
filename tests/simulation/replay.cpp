#include "simulation/replay.h"

#include "support/fold_model.h"

#include <algorithm>

namespace dutybook::simulation {

namespace {

using testing::RepositoryData;

// All commits of each writer, oldest first, over its volumes.
struct Step {
    std::string ref;
    store::CommitId commit;
};
std::map<domain::Writer, std::vector<Step>> logs_of(const RepositoryData& archive) {
    std::map<domain::Writer, std::vector<Step>> out;
    for (const auto& [ref, tip] : archive.refs) {  // sorted: volumes of a writer in order
        const auto name = store::VolumeName::parse(ref);
        if (!name) continue;
        const auto commits = archive.walk(tip, {});
        if (!commits) continue;
        for (const auto& commit : *commits) out[name->writer].push_back({ref, commit});
    }
    return out;
}

class Replay {
public:
    Replay(const RepositoryData& archive, std::uint64_t seed,
           std::shared_ptr<const rules::KindRegistry> kinds)
        : archive_(archive), logs_(logs_of(archive)), random_(seed) {
        commons_.kinds = std::move(kinds);
        commons_.link.drops = [this] { return random_.percent(6); };
        commons_.link.sends_again = [this] { return random_.percent(15); };
        for (const auto& name : names_) commons_.remotes[name];
        for (std::size_t i = 0, count = 2 + random_.below(7); i < count; ++i) {
            sites_.push_back(std::make_unique<Site>(random_.word(8), commons_, random_));
            start(*sites_.back());
        }
    }

    Replayed run() {
        const std::size_t steps = sites_.size() * 6;
        for (std::size_t i = 0; i < steps; ++i) step();
        commons_.link.drops = [] { return false; };
        for (const auto& name : names_) {
            commons_.remotes.at(name).reachable = true;
            for (const auto& [writer, log] : logs_) advance(name, writer, log.size());
        }
        out_.settled = true;
        for (auto& site : sites_) out_.settled &= finish(*site);
        for (auto& site : sites_) {
            out_.digests.push_back(site->digest());
            compare_heads(site->disk.index);
        }
        const auto& first = out_.digests.front();
        const bool same =
            std::ranges::all_of(out_.digests, [&](auto& one) { return one == first; });
        if (!same) std::ranges::move(differences(sites_), std::back_inserter(out_.errors));
        out_.counts.partitions = commons_.link.unreachable + commons_.link.dropped;
        out_.counts.duplicates = commons_.link.duplicates;
        out_.trace = hex(trace_);
        return std::move(out_);
    }

private:
    void step() {
        const std::string name = random_.pick(names_);
        auto& remote = commons_.remotes.at(name);
        if (random_.percent(15)) remote.reachable = !remote.reachable;
        for (const auto& [writer, log] : logs_) {
            if (random_.percent(30)) advance(name, writer, 1 + random_.below(4));
        }
        Site& site = *random_.pick(sites_);
        site.clock.wall += 1000;
        site.clock.steady += 1000;
        if (random_.percent(5)) {
            ++out_.counts.clock_jumps;
            site.clock.wall +=
                Millis{365} * 24 * 3600 * 1000 * (static_cast<Millis>(random_.below(11)) - 5);
        }
        if (!site.up()) start(site);
        if (!site.up()) return;
        if (random_.percent(25)) site.faults.arm(random_.below(15));
        guarded(site, [&] {
            const auto outcome = site.contact(name);
            note(site.id() + name + (outcome.ok ? " ok " : " failed ") + site.digest());
        });
    }

    // The remote gets up to `commits` more of a writer's log.
    void advance(const std::string& remote, const domain::Writer& writer, std::size_t commits) {
        auto& data = commons_.remotes.at(remote).data;
        for (const Step& next : logs_.at(writer)) {
            if (commits == 0) return;
            if (data.find(next.commit) != nullptr) continue;
            data.commits.emplace(next.commit, *archive_.find(next.commit));
            data.refs[next.ref] = next.commit;
            --commits;
        }
    }

    bool finish(Site& site) {
        for (int tries = 0; tries < 4; ++tries) {
            site.faults.disarm();
            if (!site.up() && !site.start(false)) return false;
            const auto outcome = site.contact(random_.pick(names_));
            if (outcome.ok) return true;
            out_.errors.push_back(outcome.error ? outcome.error->text() : "not ok");
        }
        return false;
    }

    void start(Site& site) {
        if (random_.percent(20)) site.faults.arm(random_.below(6));
        guarded(site, [&] {
            if (const auto started = site.start(false); !started) {
                out_.errors.push_back(started.error().text());
            }
        });
    }

    void guarded(Site& site, const std::function<void()>& task) {
        try {
            task();
        } catch (const Crash& crashed) {
            ++out_.counts.crashes;
            ++out_.counts.crashed_in[crashed.at];
            note("crash " + crashed.at);
            site.die(random_.percent(30));
        }
    }

    void compare_heads(const testing::IndexData& index) {
        for (const auto& [id, record] : index.records) {
            const bool copies =
                std::any_of(record.operations.begin(), record.operations.end(),
                            [](const auto& held) { return held.operation.first.has_value(); });
            if (copies) continue;  // the model knows of none
            model::History arrived;
            for (const auto& held : record.operations) {
                arrived.push_back({held.operation, *held.frontier});
            }
            ++out_.heads_seen;
            if (model::by_surviving_heads(arrived) != model::by_definition(arrived)) {
                ++out_.heads_wrong;
            }
        }
    }

    void note(const std::string& event) {
        trace_ = blake2b(std::string(trace_.begin(), trace_.end()) + event);
    }

    const RepositoryData& archive_;
    const std::map<domain::Writer, std::vector<Step>> logs_;
    Random random_;
    std::vector<std::string> names_ = {"first", "second", "third"};
    Commons commons_;
    std::vector<std::unique_ptr<Site>> sites_;
    Hash trace_{};
    Replayed out_;
};

}  // namespace

Replayed replay(const RepositoryData& archive, std::uint64_t seed,
                std::shared_ptr<const rules::KindRegistry> kinds) {
    return Replay(archive, seed, std::move(kinds)).run();
}

std::uint64_t closed_frontiers_lose(const Disk& disk) {
    std::uint64_t lost = 0;
    for (const auto& [id, record] : disk.index.records) {
        model::History held;
        for (const auto& each : record.operations) {
            if (!each.operation.first) held.push_back({each.operation, *each.frontier});
        }
        const auto right = model::by_definition(held);
        const auto wrong = model::by_definition(model::with_closed_frontiers(held));
        lost += std::any_of(right.begin(), right.end(), [&](const auto& shown) {
            const auto found = wrong.find(shown.first);
            return found == wrong.end() ||
                   !std::includes(found->second.begin(), found->second.end(), shown.second.begin(),
                                  shown.second.end());
        });
    }
    return lost;
}

}  // namespace dutybook::simulation
