#include "formats/fhir_json.h"

#include <algorithm>

namespace dutybook::formats {

std::string with_decimals(std::string text) {
    const std::string begin = '"' + std::string(decimal_mark);
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
        const auto end = text.find('"', at + 1);
        const std::string number = text.substr(at + begin.size(), end - at - begin.size());
        if (!is_fhir_decimal(number)) {  // somebody's text that only looks like one
            at = end;
            continue;
        }
        text.replace(at, end - at + 1, number);
    }
    return text;
}

std::string with_marks(std::string_view text) {
    std::string out;
    bool inside = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (inside && c == '\\' && i + 1 < text.size()) {
            out += c;
            out += text[++i];
            continue;
        }
        if (c == '"') inside = !inside;
        const bool number = !inside && (c == '-' || (c >= '0' && c <= '9'));
        if (!number) {
            out += c;
            continue;
        }
        const auto end = std::min(text.find_first_not_of("0123456789+-.eE", i), text.size());
        out += '"';
        out += decimal_mark;
        out += text.substr(i, end - i);
        out += '"';
        i = end - 1;
    }
    return out;
}

bool is_fhir_decimal(std::string_view text) {
    if (!text.empty() && text.front() == '-') text.remove_prefix(1);
    const auto dot = std::min(text.find('.'), text.size());
    const auto digits = [](std::string_view part) {
        return !part.empty() &&
               std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    const std::string_view whole = text.substr(0, dot);
    return digits(whole) && (whole.size() == 1 || whole.front() != '0') &&
           (dot == text.size() || digits(text.substr(dot + 1)));
}

const Json& member(const Json& object, const char* name) {
    static const Json none;
    const auto found = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && found != object.end() ? *found : none;
}

std::string text_in(const Json& object, const char* name) {
    const Json& value = member(object, name);
    return value.is_string() ? value.get<std::string>() : "";
}

}  // namespace dutybook::formats
