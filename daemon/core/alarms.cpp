#include "core/alarms.h"

#include "base/log.h"
#include "base/printable.h"

#include <algorithm>

namespace dutybook::core {

namespace {
constexpr const char* meta_key = "alarms";
}

std::string alarm_id(const std::string& kind, const std::string& subject) {
    return kind + ":" + subject;
}

Result<void> AlarmBook::load() {
    TRY_ASSIGN(const std::string text, journal_.meta(meta_key));
    if (text.empty()) return {};
    const Json array = Json::parse(text, nullptr, false);
    if (!array.is_array()) return {};
    for (const Json& item : array) {
        if (!item.is_object()) continue;
        Alarm alarm{item.value("id", ""), item.value("kind", ""), item.value("subject", ""),
                    item.value("message", ""), item.value("since", Millis{0})};
        if (!alarm.id.empty()) alarms_[alarm.id] = std::move(alarm);
    }
    return {};
}

void AlarmBook::raise(Alarm alarm) {
    alarm.subject = printable(alarm.subject, 300);
    alarm.message = printable(alarm.message);
    if (alarm.id.empty()) alarm.id = alarm_id(alarm.kind, alarm.subject);
    const auto of_kind = [&](const auto& one) { return one.second.kind == alarm.kind; };
    if (alarms_.count(alarm.id) == 0 && std::count_if(alarms_.begin(), alarms_.end(), of_kind) >=
                                            static_cast<std::ptrdiff_t>(most_of_a_kind)) {
        alarm.subject = "more";
        alarm.id = alarm_id(alarm.kind, alarm.subject);
        alarm.message = "there are more than " + std::to_string(most_of_a_kind) +
                        " alarms of this kind; the log of the daemon names them all. " +
                        alarm.message;
    }
    Alarm& standing = alarms_[alarm.id];
    if (standing.message == alarm.message && !standing.id.empty()) return;
    if (!standing.id.empty()) alarm.since = standing.since;
    standing = std::move(alarm);
    save();
}

void AlarmBook::close(const std::string& id) {
    if (alarms_.erase(id) != 0) save();
}

std::vector<Alarm> AlarmBook::list() const {
    std::vector<Alarm> out;
    for (const auto& [id, alarm] : alarms_) out.push_back(alarm);
    return out;
}

void AlarmBook::save() {
    ++version_;
    Json array = Json::array();
    for (const auto& [id, alarm] : alarms_) {
        array.push_back({{"id", alarm.id},
                         {"kind", alarm.kind},
                         {"message", alarm.message},
                         {"since", alarm.since},
                         {"subject", alarm.subject}});
    }
    const auto saved = journal_.set_meta(meta_key, canonical(array));
    if (!saved)
        log_warning("core", "alarms could not be stored", {{"error", saved.error().text()}});
}

}  // namespace dutybook::core
