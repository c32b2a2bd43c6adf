#include "formats/calendar.h"

#include "formats/ics.h"

#include <libical/ical.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

namespace dutybook::formats {

namespace {

struct FreeComponent {
    void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
using Component = std::unique_ptr<icalcomponent, FreeComponent>;

// RFC 5545: 1 is the highest priority, 9 the lowest, 5 the middle.
struct Priority {
    const char* word;
    int number;
};
constexpr std::array<Priority, 4> priorities{
    {{"urgent", 1}, {"high", 3}, {"normal", 5}, {"low", 9}}};

constexpr const char* shift_category = "Dutybook shift";

const char* priority_word(int number) {
    if (number == 0) return "normal";
    for (const auto& each : priorities) {
        if (number <= each.number) return each.word;
    }
    return "low";
}

const char* status_of_state(const std::string& state) {
    if (state == "done") return "COMPLETED";
    if (state == "cancelled") return "CANCELLED";
    return state == "started" ? "IN-PROCESS" : "NEEDS-ACTION";
}

const char* state_of_status(icalproperty_status status) {
    if (status == ICAL_STATUS_COMPLETED) return "done";
    if (status == ICAL_STATUS_CANCELLED) return "cancelled";
    return status == ICAL_STATUS_INPROCESS ? "started" : "open";
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
        for (const auto& each : priorities) {
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
    if (!meeting) event["categories"] = shift_category;
    return event;
}

class Reader {
public:
    Reader(std::string file, std::string zone, Mapped& out)
        : file_(std::move(file)), zone_(std::move(zone)), out_(out) {}

    void walk(icalcomponent* parent) {
        for (icalcomponent* each = icalcomponent_get_first_component(parent, ICAL_ANY_COMPONENT);
             each != nullptr; each = icalcomponent_get_next_component(parent, ICAL_ANY_COMPONENT)) {
            const auto kind = icalcomponent_isa(each);
            if (kind == ICAL_VCALENDAR_COMPONENT) {
                walk(each);
            } else if (kind == ICAL_VEVENT_COMPONENT || kind == ICAL_VTODO_COMPONENT) {
                take(each, kind == ICAL_VTODO_COMPONENT);
            }
        }
    }

private:
    static std::string text(const char* value) { return value == nullptr ? "" : value; }

    void warn(const std::string& what) {
        out_.warnings.push_back(bad_row(file_, number_, "", what));
    }

    // "2026-05-04" of an all-day value, else an instant in the site's zone.
    std::string when(icaltimetype time) const {
        if (icaltime_is_null_time(time) != 0) return "";
        if (time.is_date != 0) {
            char day[16];
            std::snprintf(day, sizeof day, "%04d-%02d-%02d", time.year, time.month, time.day);
            return day;
        }
        const icaltimezone* const zone =
            time.zone != nullptr ? time.zone : icaltimezone_get_builtin_timezone(zone_.c_str());
        return format_in_zone(static_cast<Millis>(icaltime_as_timet_with_zone(time, zone)) * 1000,
                              zone_);
    }

    void take(icalcomponent* component, bool todo) {
        ++number_;
        MappedRecord record;
        record.file = file_;
        record.line = number_;
        record.kind = todo ? "core.duty" : "core.meeting";
        record.id = as_id(text(icalcomponent_get_uid(component)));
        if (record.id.empty()) {
            out_.errors.push_back(bad_row(file_, number_, "UID", "is missing"));
            return;
        }
        if (icalcomponent_get_first_property(component, ICAL_RRULE_PROPERTY) != nullptr) {
            warn(record.id + " repeats; only its first time is taken");
        }
        const std::string categories = categories_of(component);
        if (!todo && categories == shift_category) return;  // our own; a meeting it is not
        const std::string title = text(icalcomponent_get_summary(component));
        if (!title.empty()) record.fields["title"] = title;
        const std::string place = text(icalcomponent_get_location(component));
        if (todo) {
            duty(component, record, place, categories);
        } else if (!meeting(component, record, place)) {
            return;
        }
        out_.records.push_back(std::move(record));
    }

    static std::string categories_of(icalcomponent* component) {
        icalproperty* const found =
            icalcomponent_get_first_property(component, ICAL_CATEGORIES_PROPERTY);
        return found == nullptr ? "" : text(icalproperty_get_categories(found));
    }

    void duty(icalcomponent* component, MappedRecord& record, const std::string& place,
              const std::string& categories) const {
        const std::string due = when(icalcomponent_get_due(component));
        if (!due.empty()) record.fields["due"] = due;
        if (!place.empty()) record.fields["place"] = place;
        record.fields["category"] = categories.empty() ? "calendar" : categories;
        icalproperty* const priority =
            icalcomponent_get_first_property(component, ICAL_PRIORITY_PROPERTY);
        record.fields["priority"] =
            priority_word(priority == nullptr ? 0 : icalproperty_get_priority(priority));
        record.fields["state"] = state_of_status(icalcomponent_get_status(component));
    }

    bool meeting(icalcomponent* component, MappedRecord& record, const std::string& place) {
        if (icalcomponent_get_status(component) == ICAL_STATUS_CANCELLED) {
            warn(record.id + " is cancelled and left out");
            return false;
        }
        std::string start = when(icalcomponent_get_dtstart(component));
        if (start.empty()) {
            out_.errors.push_back(bad_row(file_, number_, "DTSTART", "is missing"));
            return false;
        }
        const auto whole_day = [this](const std::string& day) {
            const auto at = parse_instant_of_person(day, zone_, 0);
            return at ? format_in_zone(*at, zone_) : day;
        };
        if (start.size() == 10) start = whole_day(start);
        std::string end = when(icalcomponent_get_dtend(component));
        if (end.size() == 10) end = whole_day(end);
        record.fields["when"] = start;
        if (!end.empty() && end != start) record.fields["until"] = end;
        if (!place.empty()) record.fields["where"] = place;
        const std::string about = text(icalcomponent_get_description(component));
        if (!about.empty()) record.fields["agenda"] = about;
        return true;
    }

    std::string file_, zone_;
    Mapped& out_;
    std::uint64_t number_ = 0;  // of the component: iCalendar folds lines, so they say little
};

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

Result<Mapped> read_calendar(std::string_view text, const std::string& file,
                             const std::string& zone) {
    const std::string whole(text);
    const Component calendar(icalparser_parse_string(whole.c_str()));
    if (!calendar) return bad_row(file, 0, "", "is no calendar");
    Mapped out;
    const int errors = icalcomponent_count_errors(calendar.get());
    if (errors > 0) {
        out.warnings.push_back(
            bad_row(file, 0, "", std::to_string(errors) + " properties are not valid"));
    }
    Reader reader(file, zone, out);
    if (icalcomponent_isa(calendar.get()) == ICAL_VCALENDAR_COMPONENT ||
        icalcomponent_isa(calendar.get()) == ICAL_XROOT_COMPONENT) {
        reader.walk(calendar.get());
    } else {
        return bad_row(file, 0, "", "is no calendar");
    }
    return out;
}

}  // namespace dutybook::formats
