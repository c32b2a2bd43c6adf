#include "core/alarms.h"

#include "base/log.h"

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

namespace {

// Length of the well-formed UTF-8 sequence that begins here and is no control character, or 0.
std::size_t shown_sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = byte(0);
    if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (length == 0 || first > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0U) != 0x80U) return 0;
    const bool control = first == 0xc2 && byte(1) < 0xa0;
    const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool beyond = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
    // Marks that turn the direction of writing can make a line read otherwise.
    const bool turning =
        first == 0xe2 && ((byte(1) == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae) ||
                          (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9));
    return control || overlong || beyond || turning ? 0 : length;
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = shown_sequence(text);
        const std::size_t taken = std::max<std::size_t>(1, length);
        if (out.size() + taken > longest) return out + "...";
        out += length == 0 ? std::string_view("?") : text.substr(0, length);
        text.remove_prefix(taken);
    }
    return out;
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
