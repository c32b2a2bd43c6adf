#include "core/space_events.h"

namespace dutybook::core {

namespace {

// Canonical JSON, written out: one is made for each record of a batch.
std::string payload_of(const store::StoredRecord& record) {
    std::string out = record.state.deleted ? "{\"deleted\":true" : "{\"deleted\":false";
    append_canonical_string(out += ",\"id\":", record.state.id);
    append_canonical_string(out += ",\"kind\":", record.state.kind);
    append_canonical_string(out += ",\"version\":", record.version);
    return out += '}';
}

}  // namespace

Change SpaceEvents::change(const std::string& type, const std::string& id,
                           const Json& payload) const {
    return {engine_.facts().name, type, id, canonical(payload)};
}

void SpaceEvents::tell(const std::vector<Change>& changes) const {
    for (const auto& one : changes) listener_(one);
}

void SpaceEvents::add_record(const store::StoredRecord& record, std::vector<Change>& out) const {
    const auto& state = record.state;
    out.push_back({engine_.facts().name, "record", state.id, payload_of(record), state.kind});
    if (state.conflicts.empty()) return;
    Json fields = Json::array();
    for (const auto& conflict : state.conflicts) fields.push_back(conflict.field);
    out.push_back(change("conflict", state.id,
                         {{"fields", std::move(fields)}, {"id", state.id}, {"kind", state.kind}}));
}

std::vector<Change> SpaceEvents::of(const std::vector<Result<Written>>& results) const {
    std::vector<Change> out;
    if (!listener_) return out;
    for (const auto& result : results) {
        if (!result || !result->wrote) continue;
        add_record(result->record, out);
        if (result->findings == "[]") continue;
        out.push_back(change(
            "finding", result->id,
            {{"findings", Json::parse(result->findings, nullptr, false)}, {"id", result->id}}));
    }
    return out;
}

void SpaceEvents::folded() {
    const auto changed = engine_.take_changed();
    if (!listener_) return;
    std::vector<Change> out;
    if (changed.many) out.push_back(change("sync", engine_.facts().name, {{"many", true}}));
    for (const auto& id : changed.records) {
        const auto stored = engine_.index().reader().get(id);
        if (stored && *stored) add_record(**stored, out);
    }
    tell(out);
}

void SpaceEvents::alarms() {
    if (!listener_ || engine_.alarms_version() == alarms_version_) return;
    alarms_version_ = engine_.alarms_version();
    std::map<std::string, std::string> now;
    for (const auto& alarm : engine_.alarms()) {
        const Json payload = {{"id", alarm.id},
                              {"kind", alarm.kind},
                              {"message", alarm.message},
                              {"since", alarm.since},
                              {"subject", alarm.subject}};
        now[alarm.id] = canonical(payload);
        const auto told = alarms_.find(alarm.id);
        if (told == alarms_.end() || told->second != now[alarm.id]) {
            listener_(change("alarm", alarm.id, payload));
        }
    }
    for (const auto& [id, payload] : alarms_) {
        if (now.count(id) == 0) {
            listener_(change("alarm", id, {{"closed", true}, {"id", id}}));
        }
    }
    alarms_ = std::move(now);
}

}  // namespace dutybook::core
