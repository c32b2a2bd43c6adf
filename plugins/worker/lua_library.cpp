#include "worker/lua_library.h"

#include "base/clock.h"
#include "worker/library_calendar.h"
#include "worker/library_decimal.h"
#include "worker/library_names.h"

#include <re2/re2.h>

#include <string>
#include <string_view>

namespace dutybook::worker {

namespace {

constexpr Millis minute = 60'000;

// Arguments and answers. A Result's error becomes a Lua error with its text.
std::string_view text(lua_State* s, int index) {
    std::size_t size = 0;
    const char* data = luaL_checklstring(s, index, &size);
    return {data, size};
}
std::string_view optional_text(lua_State* s, int index, std::string_view otherwise) {
    return lua_isnoneornil(s, index) ? otherwise : text(s, index);
}
int push(lua_State* s, std::string_view value) {
    lua_pushlstring(s, value.data(), value.size());
    return 1;
}
[[noreturn]] void raise(lua_State* s, const std::string& message) {
    luaL_where(s, 1);
    lua_pushlstring(s, message.data(), message.size());
    lua_concat(s, 2);
    lua_error(s);
    __builtin_unreachable();
}
template <class T>
T take(lua_State* s, Result<T> result) {
    if (!result) raise(s, result.error().text());
    return std::move(*result);
}
std::string_view member(lua_State* s, int table, const char* name, std::string_view otherwise) {
    lua_getfield(s, table, name);
    const std::string_view value = lua_isnil(s, -1) ? otherwise : text(s, -1);
    lua_pop(s, 1);  // the table still holds the text
    return value;
}
lua_Integer whole_member(lua_State* s, int table, const char* name, lua_Integer otherwise) {
    lua_getfield(s, table, name);
    const lua_Integer value = luaL_optinteger(s, -1, otherwise);
    lua_pop(s, 1);
    return value;
}
// Calls `each` with every element of a list member on top of the stack.
template <class F>
void each_of(lua_State* s, int table, const char* name, F each) {
    lua_getfield(s, table, name);
    if (lua_istable(s, -1)) {
        const auto size = static_cast<lua_Integer>(lua_rawlen(s, -1));
        for (lua_Integer i = 1; i <= size; ++i) {
            lua_rawgeti(s, -1, i);
            each();
            lua_pop(s, 1);
        }
    }
    lua_pop(s, 1);
}

Day day_at(lua_State* s, int index) {
    return take(s, parse_date(text(s, index).substr(0, 10)));
}
Millis instant_at(lua_State* s, int index) {
    return take(s, parse_instant(text(s, index)));
}

// date ---------------------------------------------------------------------------------------

int date_add(lua_State* s) {
    const Unit unit = take(s, unit_from(optional_text(s, 3, "day")));
    return push(s, date_text(take(s, add_period(day_at(s, 1), luaL_checkinteger(s, 2), unit))));
}
int date_diff(lua_State* s) {
    lua_pushinteger(s, (day_at(s, 2) - day_at(s, 1)).count());
    return 1;
}
int date_weekday(lua_State* s) {
    lua_pushinteger(s, date::weekday(day_at(s, 1)).iso_encoding());
    return 1;
}
int date_valid(lua_State* s) {
    lua_pushboolean(s, lua_type(s, 1) == LUA_TSTRING && parse_date(text(s, 1)).has_value());
    return 1;
}
// Accepts a month ("2027-02") or a date: labels say "expires 2027-02" and mean its last day.
int date_last_of_month(lua_State* s) {
    const std::string month = std::string(text(s, 1).substr(0, 7)) + "-01";
    const date::year_month_day first(take(s, parse_date(month)));
    return push(s, date_text(Day(first.year() / first.month() / date::last)));
}
int date_of(lua_State* s) {
    const Millis at = instant_at(s, 1);
    return push(s, local_date(at, std::string(text(s, 2))));
}
int date_federal_holidays(lua_State* s) {
    const auto all = federal_holidays(static_cast<int>(luaL_checkinteger(s, 1)));
    lua_newtable(s);
    lua_Integer position = 0;
    for (const Holiday& holiday : all) {
        lua_newtable(s);
        push(s, date_text(holiday.day));
        lua_setfield(s, -2, "date");
        push(s, holiday.name);
        lua_setfield(s, -2, "name");
        lua_rawseti(s, -2, ++position);
    }
    return 1;
}

// instant ------------------------------------------------------------------------------------

int instant_minutes(lua_State* s) {
    const Millis span = instant_at(s, 2) - instant_at(s, 1);
    if (span % minute == 0) {
        lua_pushinteger(s, span / minute);
    } else {
        lua_pushnumber(s, static_cast<double>(span) / static_cast<double>(minute));
    }
    return 1;
}
int instant_compare(lua_State* s) {
    const Millis a = instant_at(s, 1);
    const Millis b = instant_at(s, 2);
    lua_pushinteger(s, a < b ? -1 : a > b ? 1 : 0);
    return 1;
}
int instant_add_minutes(lua_State* s) {
    const auto moved = instant_at(s, 1) +
                       static_cast<Millis>(luaL_checknumber(s, 2) * static_cast<double>(minute));
    const std::string zone(optional_text(s, 3, ""));
    return push(s, zone.empty() ? format_utc(moved) : format_in_zone(moved, zone));
}
int instant_at_local(lua_State* s) {
    const std::string local = std::string(text(s, 1)) + "T" + std::string(text(s, 2));
    const std::string zone(text(s, 3));
    return push(s, format_in_zone(take(s, parse_instant_of_person(local, zone, 0)), zone));
}
int instant_in_zone(lua_State* s) {
    const Millis at = instant_at(s, 1);
    return push(s, format_in_zone(at, std::string(text(s, 2))));
}
int instant_time(lua_State* s) {
    const Millis at = instant_at(s, 1);
    const int of_day = local_minute_of_day(at, std::string(text(s, 2)));
    char out[8];
    std::snprintf(out, sizeof(out), "%02d:%02d", (of_day / 60) % 24, of_day % 60);
    return push(s, out);
}
// Minutes that two half-open intervals share.
int instant_overlap(lua_State* s) {
    const Millis from = std::max(instant_at(s, 1), instant_at(s, 3));
    const Millis to = std::min(instant_at(s, 2), instant_at(s, 4));
    lua_pushinteger(s, to > from ? (to - from) / minute : 0);
    return 1;
}
int instant_valid(lua_State* s) {
    lua_pushboolean(s, lua_type(s, 1) == LUA_TSTRING && parse_instant(text(s, 1)).has_value());
    return 1;
}

// decimal ------------------------------------------------------------------------------------

Decimal decimal_at(lua_State* s, int index) {
    if (lua_isinteger(s, index) == 0 && lua_type(s, index) == LUA_TNUMBER) {
        raise(s, "a decimal is written as text: \"0.1\", not 0.1");
    }
    return take(s, Decimal::parse(text(s, index)));
}
Rounding mode_at(lua_State* s, int index) {
    return take(s, rounding_from(optional_text(s, index, "half_up")));
}
int decimal_add(lua_State* s) {
    return push(s, (decimal_at(s, 1) + decimal_at(s, 2)).text());
}
int decimal_sub(lua_State* s) {
    return push(s, (decimal_at(s, 1) - decimal_at(s, 2)).text());
}
int decimal_mul(lua_State* s) {
    return push(s, (decimal_at(s, 1) * decimal_at(s, 2)).text());
}
int decimal_div(lua_State* s) {
    const auto places = static_cast<int>(luaL_checkinteger(s, 3));
    return push(
        s, take(s, decimal_at(s, 1).divided_by(decimal_at(s, 2), places, mode_at(s, 4))).text());
}
int decimal_round(lua_State* s) {
    const auto places = static_cast<int>(luaL_checkinteger(s, 2));
    if (places < 0 || places > Decimal::max_digits) raise(s, "places must be 0 to 60");
    return push(s, decimal_at(s, 1).rounded(places, mode_at(s, 3)).text());
}
int decimal_round_to(lua_State* s) {
    return push(s, take(s, decimal_at(s, 1).rounded_to(decimal_at(s, 2), mode_at(s, 3))).text());
}
int decimal_compare(lua_State* s) {
    lua_pushinteger(s, decimal_at(s, 1).compare(decimal_at(s, 2)));
    return 1;
}
int decimal_sum(lua_State* s) {
    luaL_checktype(s, 1, LUA_TTABLE);
    Decimal sum;
    const auto size = static_cast<lua_Integer>(lua_rawlen(s, 1));
    for (lua_Integer i = 1; i <= size; ++i) {
        lua_rawgeti(s, 1, i);
        sum = sum + decimal_at(s, lua_gettop(s));
        lua_pop(s, 1);
    }
    return push(s, sum.text());
}
int decimal_valid(lua_State* s) {
    lua_pushboolean(s, lua_type(s, 1) == LUA_TSTRING && Decimal::parse(text(s, 1)).has_value());
    return 1;
}

// names, text --------------------------------------------------------------------------------

int names_fold(lua_State* s) {
    return push(s, fold_name(text(s, 1)));
}
int names_company(lua_State* s) {
    return push(s, fold_company(text(s, 1)));
}

// Patterns are RE2's: no backtracking, whatever is typed.
int text_find(lua_State* s) {
    const std::string_view subject = text(s, 1);
    const std::string_view pattern = text(s, 2);
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(1 << 20);
    const RE2 expression(re2::StringPiece(pattern.data(), pattern.size()), options);
    if (!expression.ok()) raise(s, "the pattern is wrong: " + expression.error());
    re2::StringPiece match;
    if (!expression.Match(re2::StringPiece(subject.data(), subject.size()), 0, subject.size(),
                          RE2::UNANCHORED, &match, 1)) {
        lua_pushnil(s);
        return 1;
    }
    return push(s, {match.data(), match.size()});
}

// deadline, series ---------------------------------------------------------------------------

int deadline_compute(lua_State* s) {
    luaL_checktype(s, 1, LUA_TTABLE);
    PeriodRequest request;
    request.trigger = member(s, 1, "trigger", "");
    request.period = whole_member(s, 1, "period", 0);
    request.unit = take(s, unit_from(member(s, 1, "unit", "day")));
    request.backward = member(s, 1, "direction", "after") == "before";
    request.runs_from = member(s, 1, "runs_from", "event");
    request.service = member(s, 1, "service", "none");
    request.zone = member(s, 1, "tz", "");
    each_of(s, 1, "holidays", [&] {
        const int holiday = lua_gettop(s);
        luaL_checktype(s, holiday, LUA_TTABLE);
        request.holidays.push_back({take(s, parse_date(member(s, holiday, "date", ""))),
                                    std::string(member(s, holiday, "name", "a holiday")),
                                    member(s, holiday, "kind", "") == "state"});
    });
    each_of(s, 1, "inaccessible", [&] { request.inaccessible.push_back(day_at(s, -1)); });
    const PeriodResult result = take(s, compute_period(request));
    lua_newtable(s);
    push(s, result.computed);
    lua_setfield(s, -2, "computed");
    lua_newtable(s);
    lua_Integer position = 0;
    for (const std::string& step : result.steps) {
        push(s, step);
        lua_rawseti(s, -2, ++position);
    }
    lua_setfield(s, -2, "explained");
    return 1;
}

int series_occurrences(lua_State* s) {
    luaL_checktype(s, 1, LUA_TTABLE);
    const auto day_of = [&](const char* name) {
        return take(s, parse_date(member(s, 1, name, "")));
    };
    SeriesRequest request;
    request.start = day_of("start");
    request.from = day_of("from");
    request.to = day_of("to");
    if (!member(s, 1, "until", "").empty()) request.until = day_of("until");
    request.frequency = member(s, 1, "frequency", "daily");
    request.interval = static_cast<int>(whole_member(s, 1, "interval", 1));
    each_of(s, 1, "weekdays",
            [&] { request.weekdays.push_back(static_cast<int>(luaL_checkinteger(s, -1))); });
    each_of(s, 1, "except", [&] { request.except.push_back(day_at(s, -1)); });
    const auto all = take(s, occurrences(request));
    lua_newtable(s);
    lua_Integer position = 0;
    for (const Day day : all) {
        push(s, date_text(day));
        lua_rawseti(s, -2, ++position);
    }
    return 1;
}

constexpr luaL_Reg date_functions[] = {{"add", date_add},
                                       {"diff", date_diff},
                                       {"weekday", date_weekday},
                                       {"valid", date_valid},
                                       {"last_of_month", date_last_of_month},
                                       {"of", date_of},
                                       {"federal_holidays", date_federal_holidays},
                                       {nullptr, nullptr}};
constexpr luaL_Reg instant_functions[] = {{"minutes", instant_minutes},
                                          {"compare", instant_compare},
                                          {"add_minutes", instant_add_minutes},
                                          {"at", instant_at_local},
                                          {"in_zone", instant_in_zone},
                                          {"time", instant_time},
                                          {"overlap", instant_overlap},
                                          {"valid", instant_valid},
                                          {nullptr, nullptr}};
constexpr luaL_Reg decimal_functions[] = {
    {"add", decimal_add},         {"sub", decimal_sub},
    {"mul", decimal_mul},         {"div", decimal_div},
    {"round", decimal_round},     {"round_to", decimal_round_to},
    {"compare", decimal_compare}, {"sum", decimal_sum},
    {"valid", decimal_valid},     {nullptr, nullptr}};
constexpr luaL_Reg names_functions[] = {
    {"fold", names_fold}, {"company", names_company}, {nullptr, nullptr}};
constexpr luaL_Reg text_functions[] = {{"find", text_find}, {nullptr, nullptr}};
constexpr luaL_Reg deadline_functions[] = {{"compute", deadline_compute}, {nullptr, nullptr}};
constexpr luaL_Reg series_functions[] = {{"occurrences", series_occurrences}, {nullptr, nullptr}};

void open_table(lua_State* s, const char* name, const luaL_Reg* functions) {
    lua_newtable(s);
    luaL_setfuncs(s, functions, 0);
    lua_setglobal(s, name);
}

}  // namespace

void open_library(lua_State* s) {
    open_table(s, "date", date_functions);
    open_table(s, "instant", instant_functions);
    open_table(s, "decimal", decimal_functions);
    open_table(s, "names", names_functions);
    open_table(s, "text", text_functions);
    open_table(s, "deadline", deadline_functions);
    open_table(s, "series", series_functions);
}

}  // namespace dutybook::worker
