#include "simulation/site.h"

#include <map>
#include <set>

namespace dutybook::simulation {

namespace {

// Small, so that volumes close and follow one another within one history.
core::SealPolicy small_policy() {
    core::SealPolicy policy;
    policy.operations = 5;
    policy.volume_bytes = 4096;
    return policy;
}

}  // namespace

Result<void> Site::start(bool moved) {
    journal_ = std::make_unique<testing::MemoryJournal>(disk.journal, faults);
    log_ = std::make_unique<testing::MemoryLog>(disk.log, space_id, commons_.codec, faults);
    index_ = std::make_unique<testing::MemoryIndex>(disk.index, faults);
    core::SpaceFacts facts;
    facts.id = space_id;
    facts.name = "school";
    facts.site = id_;
    facts.zone = "America/Detroit";
    core::SpaceParts parts;
    parts.journal = journal_.get();
    parts.log = log_.get();
    parts.index = index_.get();
    parts.clock = &clock;
    parts.kinds = commons_.kinds.get();
    parts.evaluator = commons_.rules;
    parts.codec = &commons_.codec;
    parts.judge = &commons_.judge;
    parts.incarnation = [this] { return random_.word(6); };
    engine_ = std::make_unique<core::SpaceEngine>(facts, parts, small_policy());
    core::SpaceEngine::Start how;
    how.moved = moved;
    auto started = engine_->start(how);
    if (!started) engine_.reset();
    return started;
}

Result<core::Written> Site::write(const core::WriteRequest& request) {
    return std::move(engine_->write({&request, 1}).front());
}

Result<std::size_t> Site::seal() {
    core::SpaceEngine::Seal how;
    how.force = true;
    return engine_->seal(how);
}

sync::Outcome Site::contact(const std::string& remote) {
    testing::MemoryTransfer transfer(commons_.remotes, disk.log, commons_.link, faults);
    sync::RemoteConfig config;
    config.name = remote;
    config.url = "/media/" + remote;
    sync::ContactParts parts;
    parts.engine = this;
    parts.log = log_.get();
    parts.transfer = &transfer;
    parts.clock = &clock;
    parts.judge = &commons_.judge;
    parts.refused = &refused_;
    parts.progress = [](const sync::Progress&) {};
    parts.next_heard = [] { return std::optional<Millis>{}; };
    parts.receipt_due = [] { return false; };
    const std::atomic<bool> cancel{false};
    auto outcome = sync::contact(config, disk.remembered[remote], parts, cancel);
    disk.remembered[remote] = outcome.remembered;
    return outcome;
}

void Site::die(bool power) {
    refused_ = {};
    faults.disarm();
    engine_.reset();
    index_.reset();
    log_.reset();
    journal_.reset();
    if (power) disk.index = {};
}

std::string Site::digest() {
    return disk.index.digest.text();
}

std::vector<std::string> differences(const std::vector<std::unique_ptr<Site>>& sites) {
    std::vector<std::string> out;
    std::map<std::string, std::set<std::string>> holders;  // by operation with its frontier
    for (const auto& site : sites) {
        for (const auto& [id, record] : site->disk.index.records) {
            for (const auto& held : record.operations) {
                const std::string at = id + " " + held.operation.id.text() + " as " +
                                       held.operation.identity().text() + " " +
                                       hex(held.hash).substr(0, 6) + " knows " +
                                       held.frontier->text();
                holders[at].insert(site->engine().writer());
            }
        }
    }
    for (const auto& site : sites) {
        std::string line = site->id() + " " + site->digest().substr(0, 10);
        for (const auto& [ref, tip] : site->disk.log.repository.refs) {
            if (store::VolumeName::parse(ref))
                line += " " + ref.substr(15) + "=" + tip.substr(0, 4);
        }
        line += " shows";
        for (const auto& [writer, log] : site->disk.index.writers) {
            line += " " + writer + ":" + std::to_string(log.shown) + "@" + log.segment.substr(0, 4);
        }
        for (const auto& alarm : site->engine().alarms())
            line += "; " + alarm.kind + " " + alarm.subject;
        out.push_back(line);
    }
    for (const auto& [at, by] : holders) {
        if (by.size() == sites.size()) continue;
        std::string line = "only";
        for (const auto& writer : by) line += " " + writer;
        out.push_back(line + ": " + at);
    }
    return out;
}

}  // namespace dutybook::simulation
