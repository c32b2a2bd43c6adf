#include "formats/ics.h"

#include <libical/ical.h>

#include <cstdlib>
#include <memory>

namespace dutybook::formats {

namespace {

struct FreeComponent {
    void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
using Component = std::unique_ptr<icalcomponent, FreeComponent>;

icaltimetype utc(Millis instant) {
    return icaltime_from_timet_with_zone(static_cast<time_t>(instant / 1000), 0,
                                         icaltimezone_get_utc_timezone());
}

void add_text(icalcomponent* component, const Json& event, const char* name,
              icalproperty* (*make)(const char*)) {
    const std::string text = cell_text(event.value(name, Json()));
    if (!text.empty()) icalcomponent_add_property(component, make(text.c_str()));
}

Result<icaltimetype> time_of(const Json& event, const char* name, const std::string& at) {
    const std::string text = cell_text(event.value(name, Json()));
    const auto instant = parse_instant(text);
    if (!instant) return malformed("an event's " + std::string(name) + " is no instant", at);
    return utc(*instant);
}

Result<icaltimetype> date_of(const Json& event, const std::string& at) {
    std::string text = cell_text(event["date"]);
    std::erase(text, '-');
    const icaltimetype date = icaltime_from_string(text.c_str());
    if (text.size() != 8 || icaltime_is_null_time(date) != 0 ||
        icaltime_compare_date_only(icaltime_normalize(date), date) != 0) {
        return malformed("an event's date is no date", at);
    }
    return date;
}

void add_alarm(icalcomponent* component, const Json& event) {
    const auto minutes = event.find("alarm_minutes");
    if (minutes == event.end() || !minutes->is_number_integer()) return;
    icaltriggertype trigger{};
    trigger.duration = icaldurationtype_from_int(-60 * minutes->get<int>());
    const std::string summary = event["summary"];
    icalcomponent_add_component(
        component,
        icalcomponent_vanew(ICAL_VALARM_COMPONENT, icalproperty_new_action(ICAL_ACTION_DISPLAY),
                            icalproperty_new_trigger(trigger),
                            icalproperty_new_description(summary.c_str()), nullptr));
}

Result<Component> component_of(const Json& event, Millis stamp, const std::string& at) {
    const bool todo = event.value("todo", false);
    Component component(icalcomponent_new(todo ? ICAL_VTODO_COMPONENT : ICAL_VEVENT_COMPONENT));
    add_text(component.get(), event, "uid", icalproperty_new_uid);
    icalcomponent_add_property(component.get(), icalproperty_new_dtstamp(utc(stamp)));
    icaltimetype start{};
    if (event.contains("date")) {
        TRY_ASSIGN(start, date_of(event, at));
    } else {
        TRY_ASSIGN(start, time_of(event, "start", at));
    }
    icalcomponent_add_property(
        component.get(), todo ? icalproperty_new_due(start) : icalproperty_new_dtstart(start));
    if (!todo && event.contains("end")) {
        TRY_ASSIGN(const icaltimetype end, time_of(event, "end", at));
        icalcomponent_add_property(component.get(), icalproperty_new_dtend(end));
    }
    add_text(component.get(), event, "summary", icalproperty_new_summary);
    add_text(component.get(), event, "description", icalproperty_new_description);
    add_text(component.get(), event, "location", icalproperty_new_location);
    add_text(component.get(), event, "categories", icalproperty_new_categories);
    if (const auto priority = event.find("priority");
        priority != event.end() && priority->is_number_integer()) {
        icalcomponent_add_property(component.get(),
                                   icalproperty_new_priority(priority->get<int>()));
    }
    const std::string status = cell_text(event.value("status", Json()));
    const auto known =
        status.empty() ? ICAL_STATUS_NONE : icalproperty_string_to_status(status.c_str());
    if (known != ICAL_STATUS_NONE && known != ICAL_STATUS_X) {
        icalcomponent_add_property(component.get(), icalproperty_new_status(known));
    }
    add_alarm(component.get(), event);
    return component;
}

}  // namespace

Result<std::string> render_ics(const Report& report, Millis stamp) {
    Component calendar(icalcomponent_vanew(ICAL_VCALENDAR_COMPONENT,
                                           icalproperty_new_version("2.0"),
                                           icalproperty_new_prodid("-//Dutybook//Dutybook 1//EN"),
                                           icalproperty_new_calscale("GREGORIAN"), nullptr));
    for (std::size_t b = 0; b < report.blocks.size(); ++b) {
        const Json& block = report.blocks[b];
        if (block["type"] != "events") continue;
        for (std::size_t e = 0; e < block["events"].size(); ++e) {
            const std::string at = pointer_to(pointer_to(pointer_to("", b), "events"), e);
            TRY_ASSIGN(Component event, component_of(block["events"][e], stamp, at));
            icalcomponent_add_component(calendar.get(), event.release());
        }
    }
    const std::unique_ptr<char, decltype(&std::free)> text(
        icalcomponent_as_ical_string_r(calendar.get()), &std::free);
    return std::string(text.get());
}

}  // namespace dutybook::formats
