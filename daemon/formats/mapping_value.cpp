#include "formats/mapping_value.h"

#include "base/clock.h"
#include "formats/mapping.h"

#include <algorithm>

namespace dutybook::formats {

namespace {

Error not_a(const std::string& text, const std::string& what) {
    return malformed('"' + text + "\" is not " + what);
}

Result<Json> json_of(Json value) {
    return Result<Json>(boost::system::in_place_value, std::move(value));
}

Result<Json> boolean(const std::string& text) {
    const std::string word = lower_case(text);
    for (const char* yes : {"true", "1", "yes", "y"}) {
        if (word == yes) return json_of(true);
    }
    for (const char* no : {"false", "0", "no", "n"}) {
        if (word == no) return json_of(false);
    }
    return not_a(text, "true or false");
}

// "2021-08-30", or an instant's or a spreadsheet's date with a time behind it. Other orders of day
// and month are refused: 03/04 is two dates.
Result<Json> date(const std::string& text) {
    const std::string day = text.substr(0, 10);
    const bool more = text.size() > 10 && text[10] != 'T' && text[10] != ' ';
    if (more || day.size() != 10 || !parse_instant(day + "T00:00:00Z")) {
        return not_a(text, "a date such as 2026-05-04");
    }
    return json_of(day);
}

Result<Json> instant(std::string text, const std::string& zone) {
    const std::string given = text;
    if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
    const auto at = parse_instant_of_person(text, zone, 0);
    if (!at || text.size() < 10) return not_a(given, "an instant such as 2026-05-04T08:00");
    return json_of(format_in_zone(*at, zone));
}

Result<Json> decimal(const std::string& text) {
    const std::size_t sign = text.front() == '-' ? 1 : 0;
    const bool good = text.size() > sign &&
                      std::all_of(text.begin() + static_cast<long>(sign), text.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
                      std::count(text.begin(), text.end(), '.') <= 1 && text.back() != '.' &&
                      text[sign] != '.';
    return good ? json_of(text) : not_a(text, "a number such as 12.50");
}

// OneRoster's userIds: "{STATE:207288},{SIS:12}" -> [{"system", "id"}].
Result<Json> user_ids(const std::string& text) {
    Json ids = Json::array();
    for (std::size_t from = 0; from < text.size();) {
        const auto open = text.find('{', from), colon = text.find(':', from);
        const auto close = text.find('}', from);
        if (open > colon || colon > close || close == std::string::npos) {
            return not_a(text, "a list of ids such as {STATE:12345}");
        }
        ids.push_back({{"system", trimmed(text.substr(open + 1, colon - open - 1))},
                       {"id", trimmed(text.substr(colon + 1, close - colon - 1))}});
        from = text.find('{', close);
    }
    return json_of(std::move(ids));
}

Result<Json> mapped(const Json& map, const std::string& text, bool open) {
    const std::string word = lower_case(text);
    std::string known;
    for (const auto& [name, value] : map.items()) {
        if (lower_case(name) == word) return json_of(value);
        known += (known.empty() ? "" : ", ") + name;
    }
    if (open) return json_of(text);
    return not_a(text, "one of " + known);
}

Result<Json> one(const Json& source, const std::string& text, const std::string& zone) {
    if (source.contains("map")) {
        return mapped(source["map"], text, source.value("open", false));
    }
    const std::string type = source.value("type", "text");
    if (type == "boolean") return boolean(text);
    if (type == "date") return date(text);
    if (type == "instant") return instant(text, zone);
    if (type == "decimal") return decimal(text);
    if (type == "user_ids") return user_ids(text);
    if (type == "first") {
        Json element = source;
        element.erase("type");
        return one(element, trimmed(std::string_view(text).substr(0, text.find(','))), zone);
    }
    if (type == "integer") {
        Json number = Json::parse(text, nullptr, false);
        if (!number.is_number_integer()) return not_a(text, "a whole number");
        return json_of(std::move(number));
    }
    if (!source.contains("refer")) return json_of(text);
    return json_of(
        fill(source["refer"].get<std::string>(), [&](const std::string&) { return as_id(text); }));
}

}  // namespace

std::string trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

std::string fill(const std::string& shape,
                 const std::function<std::string(const std::string&)>& value) {
    std::string out;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const auto end = shape[i] == '{' ? shape.find('}', i) : std::string::npos;
        if (end == std::string::npos) {
            out += shape[i];
            continue;
        }
        out += value(shape.substr(i + 1, end - i - 1));
        i = end;
    }
    return out;
}

bool in_map(const Json& map, const std::string& text) {
    const std::string word = lower_case(text);
    return std::any_of(map.items().begin(), map.items().end(),
                       [&](const auto& item) { return lower_case(item.key()) == word; });
}

Result<Json> read_value(const Json& source, const std::string& text, const std::string& zone) {
    if (source.value("type", "text") != "list" && !source.value("list", false)) {
        return one(source, text, zone);
    }
    Json element = source;
    element.erase("type");
    element.erase("list");
    Json list = Json::array();
    for (std::size_t from = 0; from <= text.size();) {
        const auto to = std::min(text.find(',', from), text.size());
        const std::string part = trimmed(std::string_view(text).substr(from, to - from));
        from = to + 1;
        if (part.empty()) continue;
        TRY_ASSIGN(Json value, one(element, part, zone));
        if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
    }
    return json_of(std::move(list));
}

}  // namespace dutybook::formats
