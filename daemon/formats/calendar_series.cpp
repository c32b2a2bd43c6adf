#include "formats/calendar_series.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>

namespace dutybook::formats {

namespace {

constexpr std::size_t times_limit = 1000;

struct FreeIterator {
    void operator()(icalrecur_iterator* iterator) const { icalrecur_iterator_free(iterator); }
};

icaltimetype in_zone_of(icaltimetype time, icaltimetype first) {
    if (first.is_date != 0) {
        time.is_date = 1;
        return time;
    }
    auto* const zone = const_cast<icaltimezone*>(first.zone);
    return zone == nullptr || time.zone == first.zone ? time : icaltime_convert_to_zone(time, zone);
}

template <class Function>
void each_property(icalcomponent* component, icalproperty_kind kind, const Function& function) {
    for (icalproperty* one = icalcomponent_get_first_property(component, kind); one != nullptr;
         one = icalcomponent_get_next_property(component, kind)) {
        function(one);
    }
}

// By name, so that what two rules give is there once.
using Times = std::map<std::string, icaltimetype>;

void add_rule(icalproperty* property, icaltimetype first, icaltimetype last, Times& times,
              bool& cut) {
    const std::unique_ptr<icalrecur_iterator, FreeIterator> iterator(
        icalrecur_iterator_new(icalproperty_get_rrule(property), first));
    if (!iterator) return;
    while (true) {
        const icaltimetype time = icalrecur_iterator_next(iterator.get());
        if (icaltime_is_null_time(time) != 0) return;
        if (icaltime_compare(time, last) > 0 || times.size() >= times_limit) break;
        times.emplace(stamp_of(time), time);
    }
    cut = true;
}

}  // namespace

bool repeats(icalcomponent* component) {
    return icalcomponent_get_first_property(component, ICAL_RRULE_PROPERTY) != nullptr ||
           icalcomponent_get_first_property(component, ICAL_RDATE_PROPERTY) != nullptr;
}

Series series_of(icalcomponent* component, icaltimetype first, icaltimetype last) {
    Series series;
    Times times{{stamp_of(first), first}};
    each_property(component, ICAL_RRULE_PROPERTY, [&](icalproperty* property) {
        add_rule(property, first, last, times, series.cut);
    });
    each_property(component, ICAL_RDATE_PROPERTY, [&](icalproperty* property) {
        const auto period = icalproperty_get_rdate(property);
        icaltimetype time =
            icaltime_is_null_time(period.time) != 0 ? period.period.start : period.time;
        if (icaltime_is_null_time(time) != 0) return;
        if (time.zone == nullptr && icaltime_is_utc(time) == 0) time.zone = first.zone;
        time = in_zone_of(time, first);
        times.emplace(stamp_of(time), time);
    });
    each_property(component, ICAL_EXDATE_PROPERTY, [&](icalproperty* property) {
        icaltimetype time = icalproperty_get_datetime_with_component(property, component);
        if (time.zone == nullptr && icaltime_is_utc(time) == 0) time.zone = first.zone;
        // "EXDATE;VALUE=DATE" of a timed series takes out that day's time.
        if (time.is_date != 0 && first.is_date == 0) {
            time = icaltime_from_timet_with_zone(icaltime_as_timet_with_zone(first, first.zone), 0,
                                                 first.zone);
            const icaltimetype day = icalproperty_get_exdate(property);
            time.year = day.year;
            time.month = day.month;
            time.day = day.day;
        }
        time = in_zone_of(time, first);
        if (times.erase(stamp_of(time)) != 0) series.excluded.push_back(time);
    });
    for (const auto& [stamp, time] : times) series.starts.push_back(time);
    std::sort(series.starts.begin(), series.starts.end(),
              [](const auto& a, const auto& b) { return icaltime_compare(a, b) < 0; });
    return series;
}

std::string stamp_of(icaltimetype time) {
    if (time.is_date == 0 && time.zone != nullptr) {
        time = icaltime_convert_to_zone(time, icaltimezone_get_utc_timezone());
    }
    const std::unique_ptr<char, decltype(&std::free)> text(icaltime_as_ical_string_r(time),
                                                           &std::free);
    return text.get();
}

icaltimetype shifted(icaltimetype time, icaltimetype from, icaltimetype to) {
    if (icaltime_is_null_time(to) != 0) return to;
    return icaltime_add(time, icaltime_subtract(in_zone_of(to, from), from));
}

}  // namespace dutybook::formats
