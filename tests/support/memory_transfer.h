#pragma once
// A Transfer in memory: remotes are RepositoryData, and the link drops where it likes. As with
// git, one fetch brings all it was asked for or, once the link drops, what is whole by then; refs
// of one push are judged one by one; a push may succeed and its answer be lost.

#include "support/memory_log.h"
#include "sync/transfer.h"

#include <functional>
#include <set>

namespace dutybook::testing {

struct MemoryRemote {
    RepositoryData data;
    bool reachable = true;
};

// Decides, and counts; filled in by the simulation.
struct Link {
    std::function<bool()> drops = [] { return false; };
    std::function<bool()> sends_again = [] { return false; };  // ignores what we said we have
    std::uint64_t dropped = 0, unreachable = 0, duplicates = 0;
};

class MemoryTransfer final : public sync::Transfer {
public:
    MemoryTransfer(std::map<std::string, MemoryRemote>& remotes, LogData& own, Link& link,
                   Faults& faults)
        : remotes_(remotes), own_(own), link_(link), faults_(faults) {}

    Result<Refs> list(const sync::RemoteConfig& config, const std::atomic<bool>&) override {
        MemoryRemote& remote = remotes_.at(config.name);
        if (!remote.reachable) {
            ++link_.unreachable;
            return failure(Code::Unavailable, "remote " + config.name + " cannot be reached");
        }
        if (link_.drops()) return dropped(config);
        return Refs(remote.data.refs.begin(), remote.data.refs.end());
    }

    Result<void> fetch(const sync::RemoteConfig& config, const std::vector<sync::Wanted>& wanted,
                       store::Quarantine& quarantine, const std::atomic<bool>&) override {
        MemoryRemote& remote = remotes_.at(config.name);
        auto& into = dynamic_cast<MemoryQuarantine&>(quarantine).data();
        for (const auto& want : wanted) {
            if (link_.drops()) return dropped(config);
            const bool again = link_.sends_again();
            auto commits = remote.data.walk(want.tip, again ? store::CommitId{} : want.have);
            // Our tip is not behind theirs: everything is sent.
            if (!commits) commits = remote.data.walk(want.tip, {});
            if (!commits) return failure(Code::Corrupt, "remote " + config.name + " is damaged");
            Effect effect(faults_, "transfer.fetch");
            for (const auto& id : *commits) {
                if (own_.repository.find(id) != nullptr) ++link_.duplicates;
                into.commits.emplace(id, *remote.data.find(id));
                ++moved_.objects_in;
                moved_.bytes_in += remote.data.find(id)->blob->size();
            }
            effect.done();
        }
        return {};
    }

    Result<sync::PushOutcome> push(const sync::RemoteConfig& config,
                                   const std::vector<sync::Offered>& offered,
                                   const std::atomic<bool>&) override {
        MemoryRemote& remote = remotes_.at(config.name);
        sync::PushOutcome out;
        for (const auto& offer : offered) {
            if (link_.drops()) return dropped(config);
            Effect effect(faults_, "transfer.push");
            out.refs[offer.ref] = push_one(remote.data, offer);
            if (out.refs[offer.ref] == sync::Pushed::Refused) {
                out.reasons[offer.ref] = "non-fast-forward";
            }
            effect.done();
        }
        if (link_.drops()) return dropped(config);  // done there, and nobody was told
        return out;
    }
    sync::Moved moved() const override { return moved_; }

private:
    Error dropped(const sync::RemoteConfig& config) {
        ++link_.dropped;
        return failure(Code::Unavailable, "remote " + config.name, "the link dropped");
    }
    sync::Pushed push_one(RepositoryData& there, const sync::Offered& offer) {
        const store::CommitId now = there.ref(offer.ref);
        if (now == offer.tip) return sync::Pushed::UpToDate;
        const auto commits = own_.repository.walk(offer.tip, now);
        if (!commits) return sync::Pushed::Refused;
        for (const auto& id : *commits) {
            there.commits.emplace(id, *own_.repository.find(id));
            moved_.bytes_out += own_.repository.find(id)->blob->size();
        }
        there.refs[offer.ref] = offer.tip;
        return sync::Pushed::Done;
    }

    std::map<std::string, MemoryRemote>& remotes_;
    LogData& own_;
    Link& link_;
    Faults& faults_;
    sync::Moved moved_;
};

}  // namespace dutybook::testing
