#include "formats/calendar.h"

#include "formats/calendar_words.h"
#include "formats/ics.h"

namespace dutybook::formats {

namespace {

const char* status_of_state(const std::string& state) {
    if (state == "done") return "COMPLETED";
    if (state == "cancelled") return "CANCELLED";
    return state == "started" ? "IN-PROCESS" : "NEEDS-ACTION";
}

std::string text_in(const Json& fields, const char* name) {
    return cell_text(fields.value(name, Json()));
}

void put(Json& event, const char* name, const std::string& value) {
    if (!value.empty()) event[name] = value;
}

Json event_of(const Json& record) {
    const Json fields = record.value("fields", Json::object());
    const std::string kind = record.value("kind", "");
    Json event = {{"uid", record.value("id", "")}};
    if (kind == "core.duty") {
        const std::string due = text_in(fields, "due");
        if (due.empty()) return {};
        event["todo"] = true;
        event[due.size() == 10 ? "date" : "start"] = due;
        event["summary"] = text_in(fields, "title");
        event["status"] = status_of_state(text_in(fields, "state"));
        put(event, "categories", text_in(fields, "category"));
        put(event, "location", text_in(fields, "place"));
        for (const auto& each : calendar_priorities) {
            if (text_in(fields, "priority") == each.word) event["priority"] = each.number;
        }
        return event;
    }
    const bool meeting = kind == "core.meeting";
    if (!meeting && kind != "core.shift") return {};
    const std::string start = text_in(fields, meeting ? "when" : "from");
    if (start.empty()) return {};
    event["start"] = start;
    put(event, "end", text_in(fields, meeting ? "until" : "to"));
    const std::string title = text_in(fields, "title");
    event["summary"] = meeting ? (title.empty() ? "Meeting" : title) : "Shift";
    put(event, "location", text_in(fields, meeting ? "where" : "place"));
    if (!meeting) event["categories"] = calendar_shift;
    return event;
}

}  // namespace

Result<std::string> render_calendar(const std::vector<Json>& records, Millis stamp) {
    Json events = Json::array();
    for (const Json& record : records) {
        Json event = event_of(record);
        if (!event.is_null()) events.push_back(std::move(event));
    }
    Report report;
    TRY_ASSIGN(report.blocks,
               check_blocks(Json::array({{{"type", "events"}, {"events", events}}})));
    return render_ics(report, stamp);
}

}  // namespace dutybook::formats
