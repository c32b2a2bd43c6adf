#include "formats/calendar.h"
#include "formats/calendar_series.h"
#include "formats/calendar_words.h"

#include <cstdlib>
#include <memory>
#include <set>

namespace dutybook::formats {

namespace {

struct FreeComponent {
    void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
using Component = std::unique_ptr<icalcomponent, FreeComponent>;

const char* priority_word(int number) {
    if (number == 0) return "normal";
    for (const auto& each : calendar_priorities) {
        if (number <= each.number) return each.word;
    }
    return "low";
}

const char* state_of_status(icalproperty_status status) {
    if (status == ICAL_STATUS_COMPLETED) return "done";
    if (status == ICAL_STATUS_CANCELLED) return "cancelled";
    return status == ICAL_STATUS_INPROCESS ? "started" : "open";
}

std::string text_or_none(const char* value) {
    return value == nullptr ? "" : value;
}

std::string categories_of(icalcomponent* component) {
    icalproperty* const found =
        icalcomponent_get_first_property(component, ICAL_CATEGORIES_PROPERTY);
    return found == nullptr ? "" : text_or_none(icalproperty_get_categories(found));
}

class Reader {
public:
    Reader(std::string file, std::string zone, Millis now, Mapped& out)
        : file_(std::move(file)), zone_(std::move(zone)), out_(out) {
        last_ = icaltime_from_timet_with_zone(static_cast<time_t>(now / 1000), 0,
                                              icaltimezone_get_utc_timezone());
        last_.year += 1;
        last_.day = icaltime_days_in_month(last_.month, last_.year);  // the same all month
        last_.hour = 23;
    }

    void read(icalcomponent* calendar) {
        walk(calendar);
        for (icalcomponent* one : components_) note_override(one);
        for (icalcomponent* one : components_) take(one);
    }

private:
    void walk(icalcomponent* parent) {
        for (icalcomponent* each = icalcomponent_get_first_component(parent, ICAL_ANY_COMPONENT);
             each != nullptr; each = icalcomponent_get_next_component(parent, ICAL_ANY_COMPONENT)) {
            const auto kind = icalcomponent_isa(each);
            if (kind == ICAL_VCALENDAR_COMPONENT) {
                walk(each);
            } else if (kind == ICAL_VEVENT_COMPONENT || kind == ICAL_VTODO_COMPONENT) {
                components_.push_back(each);
            }
        }
    }

    void warn(const std::string& what) {
        out_.warnings.push_back(bad_row(file_, number_, "", what));
    }

    // A floating time, and one in a zone that nobody knows, is the site's.
    icaltimetype time_of(icalcomponent* component, icalproperty_kind kind) {
        icalproperty* const found = icalcomponent_get_first_property(component, kind);
        if (found == nullptr) return icaltime_null_time();
        icaltimetype time = icalproperty_get_datetime_with_component(found, component);
        if (time.is_date != 0 || icaltime_is_null_time(time) != 0 || time.zone != nullptr) {
            return time;
        }
        icalparameter* const named = icalproperty_get_first_parameter(found, ICAL_TZID_PARAMETER);
        if (named != nullptr) {
            const std::string tzid = text_or_none(icalparameter_get_tzid(named));
            if (unknown_zones_.insert(tzid).second) {
                warn("the zone \"" + tzid + "\" is not known; its times are read in " + zone_);
            }
        }
        time.zone = icaltimezone_get_builtin_timezone(zone_.c_str());
        return time;
    }

    static bool is_todo(icalcomponent* component) {
        return icalcomponent_isa(component) == ICAL_VTODO_COMPONENT;
    }

    icaltimetype first_of(icalcomponent* component) {
        const icaltimetype start = time_of(component, ICAL_DTSTART_PROPERTY);
        const bool none = icaltime_is_null_time(start) != 0;
        return none && is_todo(component) ? time_of(component, ICAL_DUE_PROPERTY) : start;
    }

    std::string override_of(icalcomponent* component) {
        const icaltimetype time = time_of(component, ICAL_RECURRENCEID_PROPERTY);
        return icaltime_is_null_time(time) != 0 ? "" : stamp_of(time);
    }

    void note_override(icalcomponent* component) {
        const std::string stamp = override_of(component);
        if (!stamp.empty()) overridden_.insert(id_of(component, stamp));
    }

    // The stamp comes last and an id has a limit: a long UID gives way.
    static std::string id_of(icalcomponent* component, const std::string& stamp) {
        constexpr std::size_t room = 80;
        const std::string uid = as_id(text_or_none(icalcomponent_get_uid(component)));
        return stamp.empty() || uid.empty() ? uid : uid.substr(0, room) + "-" + stamp;
    }

    void take(icalcomponent* component) {
        ++number_;
        if (id_of(component, "").empty()) {
            out_.errors.push_back(bad_row(file_, number_, "UID", "is missing"));
            return;
        }
        const bool todo = is_todo(component);
        if (!todo && categories_of(component) == calendar_shift) return;
        const icaltimetype first = first_of(component);
        if (!todo && icaltime_is_null_time(first) != 0) {
            out_.errors.push_back(bad_row(file_, number_, "DTSTART", "is missing"));
            return;
        }
        const std::string moved = override_of(component);
        if (moved.empty() && repeats(component) && icaltime_is_null_time(first) == 0) {
            take_series(component, first);
        } else {
            take_once(component, id_of(component, moved), first, first);
        }
    }

    void take_series(icalcomponent* component, icaltimetype first) {
        const Series series = series_of(component, first, last_);
        for (const icaltimetype start : series.starts) {
            const std::string id = id_of(component, stamp_of(start));
            if (overridden_.count(id) == 0) take_once(component, id, first, start);
        }
        for (const icaltimetype time : series.excluded) {
            remove(component, id_of(component, stamp_of(time)));
        }
        if (series.cut) {
            warn(id_of(component, "") + " goes on; its times up to " +
                 when(series.starts.back()).substr(0, 10) + " are taken");
        }
    }

    static const char* kind_of(icalcomponent* component) {
        return is_todo(component) ? "core.duty" : "core.meeting";
    }

    void remove(icalcomponent* component, const std::string& id) {
        out_.removals.push_back({id, kind_of(component), file_, number_});
    }

    // The occurrence at `start` of what is first at `first`.
    void take_once(icalcomponent* component, const std::string& id, icaltimetype first,
                   icaltimetype start) {
        const bool todo = is_todo(component);
        if (!todo && icalcomponent_get_status(component) == ICAL_STATUS_CANCELLED) {
            warn(id + " is cancelled: left out, and removed where it was imported before");
            remove(component, id);
            return;
        }
        MappedRecord record;
        record.id = id;
        record.kind = kind_of(component);
        record.file = file_;
        record.line = number_;
        put(record, "title", text_or_none(icalcomponent_get_summary(component)));
        const std::string place = text_or_none(icalcomponent_get_location(component));
        if (todo) {
            duty(component, record, place,
                 shifted(start, first, time_of(component, ICAL_DUE_PROPERTY)));
        } else {
            meeting(component, record, place, start, shifted(start, first, end_of(component)));
        }
        out_.records.push_back(std::move(record));
    }

    icaltimetype end_of(icalcomponent* component) {
        const icaltimetype end = time_of(component, ICAL_DTEND_PROPERTY);
        if (icaltime_is_null_time(end) == 0) return end;
        icalproperty* const duration =
            icalcomponent_get_first_property(component, ICAL_DURATION_PROPERTY);
        if (duration == nullptr) return end;
        return icaltime_add(first_of(component), icalproperty_get_duration(duration));
    }

    static void put(MappedRecord& record, const char* field, const std::string& value) {
        if (!value.empty()) record.fields[field] = value;
    }

    // "2026-05-04" of an all-day value, else an instant in the site's zone.
    std::string when(icaltimetype time) const {
        if (icaltime_is_null_time(time) != 0) return "";
        if (time.is_date != 0) {
            char day[16];
            std::snprintf(day, sizeof day, "%04d-%02d-%02d", time.year, time.month, time.day);
            return day;
        }
        return format_in_zone(
            static_cast<Millis>(icaltime_as_timet_with_zone(time, time.zone)) * 1000, zone_);
    }

    // Meetings know no days: midnight.
    std::string moment(icaltimetype time) const {
        const std::string text = when(time);
        const auto at = parse_instant_of_person(text, zone_, 0);
        return text.size() == 10 && at ? format_in_zone(*at, zone_) : text;
    }

    void duty(icalcomponent* component, MappedRecord& record, const std::string& place,
              icaltimetype due) const {
        put(record, "due", when(due));
        put(record, "place", place);
        const std::string category = categories_of(component);
        record.fields["category"] = category.empty() ? "calendar" : category;
        icalproperty* const priority =
            icalcomponent_get_first_property(component, ICAL_PRIORITY_PROPERTY);
        record.fields["priority"] =
            priority_word(priority == nullptr ? 0 : icalproperty_get_priority(priority));
        record.fields["state"] = state_of_status(icalcomponent_get_status(component));
    }

    void meeting(icalcomponent* component, MappedRecord& record, const std::string& place,
                 icaltimetype start, icaltimetype end) const {
        record.fields["when"] = moment(start);
        const std::string until = moment(end);
        if (until != record.fields["when"]) put(record, "until", until);
        put(record, "where", place);
        put(record, "agenda", text_or_none(icalcomponent_get_description(component)));
    }

    std::string file_, zone_;
    Mapped& out_;
    icaltimetype last_{};
    std::vector<icalcomponent*> components_;
    std::set<std::string> overridden_, unknown_zones_;
    std::uint64_t number_ = 0;  // of the component: iCalendar folds lines, so they say little
};

}  // namespace

Result<Mapped> read_calendar(std::string_view text, const std::string& file,
                             const std::string& zone, Millis now) {
    const std::string whole(text);
    const Component calendar(icalparser_parse_string(whole.c_str()));
    const auto kind = calendar ? icalcomponent_isa(calendar.get()) : ICAL_NO_COMPONENT;
    if (kind != ICAL_VCALENDAR_COMPONENT && kind != ICAL_XROOT_COMPONENT) {
        return bad_row(file, 0, "", "is no calendar");
    }
    Mapped out;
    const int errors = icalcomponent_count_errors(calendar.get());
    if (errors > 0) {
        out.warnings.push_back(
            bad_row(file, 0, "", std::to_string(errors) + " properties are not valid"));
    }
    Reader(file, zone, now, out).read(calendar.get());
    return out;
}

}  // namespace dutybook::formats
