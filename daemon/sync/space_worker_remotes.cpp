// The remotes of a space: changes of remotes.json, what status tells, and the upkeep of the log.

#include "base/json.h"
#include "base/log.h"
#include "core/alarms.h"
#include "sync/contact.h"
#include "sync/nightly_check.h"
#include "sync/schedule.h"
#include "sync/space_worker.h"

#include <algorithm>

namespace dutybook::sync {
namespace {

constexpr Millis hour = 3'600'000;

Error unknown(const std::string& space, const std::string& remote) {
    return failure(Code::NotFound, "space " + space + " has no remote '" + remote + "'", {},
                   "add one with: dutybook remote add NAME URL");
}

std::optional<Window> window(const RemoteConfig& remote) {
    auto found = window_of(remote);
    return found ? *found : std::optional<Window>{};
}

}  // namespace

// The file on the disk first: what could not be written has not happened.
Result<void> SpaceWorker::change_file(const std::function<Result<void>(RemoteFile&)>& change) {
    const std::lock_guard lock(mutex_);
    if (broken_) return *broken_;
    RemoteFile next = file_;
    TRY(change(next));
    TRY(save_remotes(context_.file, next));
    file_ = std::move(next);
    return {};
}

Result<void> SpaceWorker::add(RemoteConfig remote) {
    if (remote.window_zone.empty()) remote.window_zone = context_.site_zone;
    TRY(check_remote_config(remote));
    return change_file([&](RemoteFile& file) -> Result<void> {
        if (file.find(remote.name) != nullptr)
            return failure(Code::Exists, "space " + name_ + " has a remote '" + remote.name + "'",
                           {}, "choose another name, or change it with: dutybook remote set");
        RemoteRecord record;
        record.config = remote;
        record.added = context_.clock->now();
        file.remotes.push_back(std::move(record));
        std::sort(file.remotes.begin(), file.remotes.end(),
                  [](const auto& a, const auto& b) { return a.config.name < b.config.name; });
        return {};
    });
}

Result<void> SpaceWorker::change(RemoteConfig remote) {
    if (remote.window_zone.empty()) remote.window_zone = context_.site_zone;
    TRY(check_remote_config(remote));
    return change_file([&](RemoteFile& file) -> Result<void> {
        RemoteRecord* record = file.find(remote.name);
        if (record == nullptr) return unknown(name_, remote.name);
        const bool other_window = record->config.window_from != remote.window_from ||
                                  record->config.window_to != remote.window_to;
        // Nights before the window was set cannot have been missed.
        if (other_window) record->added = context_.clock->now();
        record->config = remote;
        record->failures = 0;
        return {};
    });
}

Result<void> SpaceWorker::remove(const std::string& name) {
    TRY(change_file([&](RemoteFile& file) -> Result<void> {
        const auto gone = std::erase_if(
            file.remotes, [&](const RemoteRecord& one) { return one.config.name == name; });
        if (gone == 0) return unknown(name_, name);
        return {};
    }));
    // Its heads are nobody's to show again.
    context_.space->post([name](core::SpaceEngine& engine) {
        engine.close_alarm(core::alarm_id("gone-back", name));
        close_alarms_of(engine, name, {});
    });
    return {};
}

Result<RemoteConfig> SpaceWorker::config(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (broken_) return *broken_;
    const RemoteRecord* record = file_.find(name);
    if (record == nullptr) return unknown(name_, name);
    return record->config;
}

std::vector<RemoteConfig> SpaceWorker::configs() {
    const std::lock_guard lock(mutex_);
    std::vector<RemoteConfig> configs;
    for (const RemoteRecord& record : file_.remotes) configs.push_back(record.config);
    return configs;
}

Result<std::vector<RemoteStatus>> SpaceWorker::statuses() {
    std::vector<RemoteRecord> records;
    std::string running;
    std::optional<Progress> under_way;
    {
        const std::lock_guard lock(mutex_);
        if (broken_) return *broken_;
        records = file_.remotes;
        if (running_) running = running_->remote;
        under_way = under_way_;
    }
    std::vector<RemoteStatus> statuses;
    if (records.empty()) return statuses;
    TRY_ASSIGN(const domain::Frontier shown, context_.space->reader().frontier());
    const Millis now = context_.clock->now();
    for (const RemoteRecord& record : records) {
        RemoteStatus status;
        status.config = record.config;
        status.last_attempt = record.last_attempt;
        status.last_success = record.last_success;
        status.error = record.error;
        // A log that cannot be read is named by its alarm; status still tells the rest.
        const auto undelivered = undelivered_.count(record.listed, shown);
        if (undelivered) status.undelivered = *undelivered;
        if (const auto when = window(record.config)) {
            const Attempts attempts{record.added, record.last_attempt, record.last_success,
                                    record.failures};
            status.next_window =
                std::max(now, due_at(*when, attempts, salt(record.config.name), now));
            status.missed_night = missed_night(*when, attempts, now);
        }
        if (running == record.config.name) status.under_way = under_way;
        statuses.push_back(std::move(status));
    }
    return statuses;
}

std::string SpaceWorker::salt(const std::string& remote) const {
    return context_.site + " " + name_ + " " + remote;
}

// The end of the next night with any remote: what a receipt may promise.
std::optional<Millis> SpaceWorker::next_heard() {
    const Millis now = context_.clock->now();
    const std::lock_guard lock(mutex_);
    std::optional<Millis> earliest;
    for (const RemoteRecord& record : file_.remotes) {
        const auto when = window(record.config);
        if (!when) continue;
        const Millis next = next_night(*when, now).end;
        earliest = std::min(earliest.value_or(next), next);
    }
    return earliest;
}

// Once a night; without a window, once in twenty hours.
bool SpaceWorker::receipt_due(const RemoteConfig& remote) {
    const Millis now = context_.clock->now();
    const std::lock_guard lock(mutex_);
    const auto when = window(remote);
    if (when) return file_.last_receipt < latest_night(*when, now).start;
    return now - file_.last_receipt >= 20 * hour;
}

bool SpaceWorker::maintenance_due(Millis now, Millis after) {
    const std::lock_guard lock(mutex_);
    return now - file_.last_maintained >= after;
}

void SpaceWorker::maintain() {
    if (cancel_) return;
    const auto done = context_.space->log().maintain();
    if (!done)
        log_warning("sync", "the log's packs were not put together",
                    {{"space", name_}, {"error", done.error().text()}});
    if (!cancel_)
        check_nightly(*context_.space, context_.file.parent_path(), context_.clock->now());
    // Also after a failure: it is tried again the next night, not at once.
    const auto noted = change_file([&](RemoteFile& file) -> Result<void> {
        file.last_maintained = context_.clock->now();
        return {};
    });
    if (noted) return;
    const std::lock_guard lock(mutex_);
    file_.last_maintained = context_.clock->now();
}

}  // namespace dutybook::sync
