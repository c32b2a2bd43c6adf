#include "core/space_events.h"

namespace dutybook::core {

void SpaceEvents::tell(const std::string& type, const std::string& id, const Json& payload) {
    listener_({engine_.facts().name, type, id, canonical(payload)});
}

void SpaceEvents::record(const store::StoredRecord& record) {
    const auto& state = record.state;
    tell("record", state.id,
         {{"deleted", state.deleted},
          {"id", state.id},
          {"kind", state.kind},
          {"version", record.version}});
    if (state.conflicts.empty()) return;
    Json fields = Json::array();
    for (const auto& conflict : state.conflicts) fields.push_back(conflict.field);
    tell("conflict", state.id,
         {{"fields", std::move(fields)}, {"id", state.id}, {"kind", state.kind}});
}

void SpaceEvents::written(const std::vector<Result<Written>>& results) {
    if (!listener_) return;
    for (const auto& result : results) {
        if (!result || !result->wrote) continue;
        record(result->record);
        if (result->findings == "[]") continue;
        tell("finding", result->id,
             {{"findings", Json::parse(result->findings, nullptr, false)}, {"id", result->id}});
    }
}

void SpaceEvents::folded() {
    const auto changed = engine_.take_changed();
    if (!listener_) return;
    if (changed.many) return tell("sync", engine_.facts().name, {{"many", true}});
    for (const auto& id : changed.records) {
        const auto stored = engine_.index().reader().get(id);
        if (stored && *stored) record(**stored);
    }
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
            tell("alarm", alarm.id, payload);
        }
    }
    for (const auto& [id, payload] : alarms_) {
        if (now.count(id) == 0) tell("alarm", id, {{"closed", true}, {"id", id}});
    }
    alarms_ = std::move(now);
}

}  // namespace dutybook::core
