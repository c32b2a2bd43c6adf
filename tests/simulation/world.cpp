#include "simulation/world.h"

#include "simulation/scripted_log.h"

namespace dutybook::simulation {

namespace {

constexpr Millis year = Millis{365} * 24 * 3600 * 1000;
constexpr int most_rounds = 20;

bool refused_for_good_reason(const Error& error) {
    switch (error.code) {
        case Code::Exists:
        case Code::NotFound:
        case Code::Conflict:
        case Code::Malformed:
        case Code::Rejected:
            return true;
        default:
            return false;
    }
}

}  // namespace

void Counts::add(const Counts& other) {
    crashes += other.crashes;
    partitions += other.partitions;
    duplicates += other.duplicates;
    restores += other.restores;
    clones += other.clones;
    rollbacks += other.rollbacks;
    clock_jumps += other.clock_jumps;
    acknowledged += other.acknowledged;
    lost += other.lost;
    doubled += other.doubled;
    forks += other.forks;
    for (const auto& [at, times] : other.crashed_in) crashed_in[at] += times;
}

World::World(std::uint64_t seed, std::shared_ptr<const rules::KindRegistry> kinds,
             const WorldOptions& options)
    : options_(options), random_(seed) {
    commons_.kinds = std::move(kinds);
    commons_.remotes["hub"];
    commons_.remotes["stick"];
    commons_.link.drops = [this] { return random_.percent(4); };
    commons_.link.sends_again = [this] { return random_.percent(10); };
    for (std::size_t i = 0; i < options.sites; ++i) {
        sites_.push_back(std::make_unique<Site>(random_.word(8), commons_, random_));
        start(*sites_.back(), false);
    }
}

// The first site makes the records, and all have them before they part.
void World::begin() {
    Site& first = *sites_.front();
    while (!first.up()) start(first, false);
    first.faults.disarm();
    for (const char* id : {"d0", "d1", "d2", "d3", "n0", "n1", "n2", "n3"}) {
        core::WriteRequest made = request();
        made.action = core::Action::Create;
        made.id = id;
        made.kind = id[0] == 'n' ? "core.need" : "core.duty";
        made.fields = commons_.kinds->describe(made.kind)["example"];
        const auto written = first.write(made);
        if (!written) errors_.push_back("begin: " + written.error().text());
        told_[&first].push_back({made.reason, false});
    }
    for (auto& site : sites_) contact_until_done(*site);
}

void World::contact_until_done(Site& site) {
    for (bool done = false; !done;) {
        while (!site.up()) start(site, false);
        site.faults.disarm();
        done = site.contact("hub").ok;
    }
}

void World::run() {
    begin();
    for (std::size_t i = 0; i < options_.steps; ++i) {
        for (auto& site : sites_) {
            site->clock.wall += static_cast<Millis>(random_.below(60'000));
            site->clock.steady += 1000;
        }
        step();
    }
}

void World::step() {
    Site& site = any_site();
    if (!site.up()) return start(site, false);
    if (random_.percent(8)) site.faults.arm(random_.below(12));
    const std::uint64_t choice = random_.below(100);
    if (choice < 48) return write(site);
    if (choice < 76) return contact(site);
    if (choice < 81) {
        guarded(site, [&] {
            if (const auto sealed = site.seal(); !sealed) errors_.push_back(sealed.error().text());
        });
        return note("seal");
    }
    if (choice < 84) return jump(site);
    if (choice < 87) return crash(site, "between calls");
    if (choice < 90) {
        auto& remote = commons_.remotes.at(random_.percent(70) ? "hub" : "stick");
        remote.reachable = !remote.reachable;
        return note("reachable");
    }
    if (choice < 93) return back_up(site);
    if (choice < 95) return restore(site);
    if (choice < 96) return clone(site);
    if (choice < 99) return roll_back();
    script();
}

bool World::guarded(Site& site, const std::function<void()>& task) {
    try {
        task();
        return true;
    } catch (const Crash& crashed) {
        crash(site, crashed.at);
        return false;
    }
}

void World::crash(Site& site, const std::string& at) {
    ++counts_.crashes;
    ++counts_.crashed_in[at];
    note("crash " + site.id() + " " + at);
    site.die(random_.percent(30));
    if (!options_.loses_writes) return;
    auto& log = site.disk.journal.logs[site.disk.journal.current];
    if (log.last() > log.sealed) log.lines.pop_back();
}

void World::start(Site& site, bool moved) {
    // Not armed at every start, or some would never come up.
    if (random_.percent(15)) site.faults.arm(random_.below(8));
    guarded(site, [&] {
        const auto started = site.start(moved);
        if (!started) errors_.push_back("start: " + started.error().text());
    });
    // A store that moved and died while it started has still moved.
    while (moved && !site.up()) {
        guarded(site, [&] {
            const auto started = site.start(true);
            if (!started) errors_.push_back("start: " + started.error().text());
        });
    }
    note("start " + site.id());
}

core::WriteRequest World::request() {
    core::WriteRequest out;
    out.caller.by = "p" + std::to_string(random_.below(3));
    out.caller.auth = "socket";
    out.reason = "t" + std::to_string(next_token_++);
    const bool need = random_.percent(25);
    out.id = (need ? "n" : "d") + std::to_string(random_.below(4));
    const std::uint64_t choice = random_.below(100);
    if (choice < 15) {
        out.action = core::Action::Create;
        out.kind = need ? "core.need" : "core.duty";
        out.fields = commons_.kinds->describe(out.kind)["example"];
        if (!need) out.fields["title"] = out.reason;
    } else if (choice < 80) {
        out.action = core::Action::Patch;
        out.fields = Json::object();
        const char* priorities[] = {"urgent", "high", "normal", "low"};
        const std::string tag = "tag" + std::to_string(random_.below(3));
        if (need) {
            out.fields["times_seen"] = Json{{"$increment", 1 + random_.below(3)}};
        } else if (choice < 40) {
            out.fields["title"] = out.reason;
        } else if (choice < 55) {
            out.fields["priority"] = priorities[random_.below(4)];
        } else if (choice < 65) {
            out.fields["place"] = random_.percent(30) ? Json(nullptr) : Json(out.reason);
        } else {
            const char* act = random_.percent(60) ? "$add" : "$remove";
            out.fields["tags"] = Json{{act, Json::array({tag})}};
        }
    } else if (choice < 86) {
        out.action = core::Action::Delete;
    } else if (choice < 91) {
        out.action = core::Action::Restore;
    } else if (choice < 97) {
        out.action = core::Action::Resolve;
        out.field = random_.percent(30) ? "@record" : "title";
        out.value = out.field == "title" ? out.reason : random_.percent(50) ? "keep" : "delete";
    } else {
        out.action = random_.percent(80) ? core::Action::Finalise : core::Action::Retract;
    }
    return out;
}

void World::write(Site& site) {
    const core::WriteRequest wanted = request();
    guarded(site, [&] {
        const auto written = site.write(wanted);
        if (!written) {
            if (!refused_for_good_reason(written.error())) {
                errors_.push_back("write: " + written.error().text());
            }
            return note("refused " + wanted.id);
        }
        if (!written->wrote) return note("stands " + wanted.id);
        ++counts_.acknowledged;
        told_[&site].push_back({wanted.reason, false});
        note("wrote " + wanted.id + " " + written->record.version);
    });
}

void World::contact(Site& site) {
    const std::string remote = random_.percent(70) ? "hub" : "stick";
    guarded(site, [&] {
        const auto outcome = site.contact(remote);
        note("contact " + site.id() + " " + remote + (outcome.ok ? " ok " : " failed ") +
             site.digest());
    });
}

void World::jump(Site& site) {
    ++counts_.clock_jumps;
    const Millis far = static_cast<Millis>(random_.below(10 * year));
    site.clock.wall += random_.percent(50) ? far : -far;
    site.clock.wall = std::max<Millis>(site.clock.wall, 1'000'000'000'000);
    note("jump");
}

void World::back_up(Site& site) {
    backups_[&site] = {site.disk, told_[&site].size()};
    old_hubs_.push_back(commons_.remotes.at("hub").data);
    note("backup");
}

void World::restore(Site& site) {
    const auto backup = backups_.find(&site);
    if (backup == backups_.end()) return;
    ++counts_.restores;
    site.die(false);
    site.disk = backup->second.disk;
    auto& told = told_[&site];
    for (std::size_t i = backup->second.acknowledged; i < told.size(); ++i) told[i].excused = true;
    note("restore " + site.id());
    start(site, !options_.unnoticed);
}

void World::clone(Site& site) {
    if (sites_.size() > options_.sites + 1) return;
    ++counts_.clones;
    sites_.push_back(std::make_unique<Site>(site.id(), commons_, random_));
    sites_.back()->disk = site.disk;
    sites_.back()->clock = site.clock;
    note("clone " + site.id());
    start(*sites_.back(), !options_.unnoticed);
}

void World::roll_back() {
    if (old_hubs_.empty()) return;
    ++counts_.rollbacks;
    commons_.remotes.at("hub").data = random_.pick(old_hubs_);
    note("rollback");
}

void World::script() {
    if (scripted_ || !options_.scripted_writer) return;
    scripted_ = true;
    write_scripted_log(commons_.remotes.at("stick").data, commons_.codec, random_);
    note("script");
}

bool World::settle() {
    commons_.link.drops = [] { return false; };
    for (auto& [name, remote] : commons_.remotes) remote.reachable = true;
    for (int round = 0; round < most_rounds; ++round) {
        const auto before = commons_.remotes.at("hub").data.refs;
        bool all_ok = true;
        for (auto& site : sites_) {
            site->faults.disarm();
            if (!site->up()) start(*site, false);
            site->faults.disarm();
            if (!site->up() && !site->start(false)) return false;
            for (const char* remote : {"stick", "hub"}) {
                const auto outcome = site->contact(remote);
                if (outcome.ok) continue;
                all_ok = false;
                if (round == most_rounds - 1) {
                    errors_.push_back("settle: " + (outcome.error ? outcome.error->text() : "?"));
                }
            }
        }
        const auto all = digests();
        const bool equal = std::set<std::string>(all.begin(), all.end()).size() == 1;
        note("round " + all.front());
        if (all_ok && equal && before == commons_.remotes.at("hub").data.refs) break;
        if (round == most_rounds - 1) {
            for (auto& line : differences(sites_)) errors_.push_back(std::move(line));
            return false;
        }
    }
    counts_.partitions = commons_.link.unreachable + commons_.link.dropped;
    counts_.duplicates = commons_.link.duplicates;
    return true;
}

void World::audit() {
    std::set<std::string> forked;  // volumes of which some site keeps another branch
    for (const auto& site : sites_) {
        for (const auto& [ref, tip] : site->disk.log.evidence)
            forked.insert(ref.substr(0, ref.rfind('/')));
    }
    counts_.forks = forked.size();
    std::map<std::string, std::set<domain::OperationId>> identities;
    for (const auto& [id, record] : sites_.front()->disk.index.records) {
        for (const auto& held : record.operations) {
            identities[held.operation.reason].insert(held.operation.identity());
        }
    }
    for (const auto& [site, tokens] : told_) {
        for (const Told& told : tokens) {
            const auto found = identities.find(told.token);
            if (found == identities.end() && !told.excused) {
                ++counts_.lost;
                errors_.push_back("lost " + told.token + " of " + site->id());
            }
        }
    }
    for (const auto& [token, ids] : identities) {
        if (token.empty() || token[0] != 't' || ids.size() == 1) continue;
        ++counts_.doubled;
        errors_.push_back("doubled " + token);
    }
}

std::vector<std::string> World::digests() {
    std::vector<std::string> out;
    for (const auto& site : sites_) out.push_back(site->digest());
    return out;
}

void World::note(const std::string& event) {
    trace_ = blake2b(std::string(trace_.begin(), trace_.end()) + event);
}

}  // namespace dutybook::simulation
