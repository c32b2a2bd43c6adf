#include "rules/schema_formats.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace dutybook::rules {
namespace {

bool digit(char c) {
    return c >= '0' && c <= '9';
}
bool hex_digit(char c) {
    return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Reads fixed-width fields from the front; false leaves the reader in no particular place.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}
    bool number(std::size_t digits, int& value) {
        if (text_.size() < digits) return false;
        value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (!digit(text_[i])) return false;
            value = value * 10 + (text_[i] - '0');
        }
        text_.remove_prefix(digits);
        return true;
    }
    bool any_of(std::string_view characters) {
        if (text_.empty() || characters.find(text_.front()) == std::string_view::npos) return false;
        text_.remove_prefix(1);
        return true;
    }
    bool fraction() {  // nothing, or "." and digits
        if (!any_of(".")) return true;
        const std::size_t count = digits();
        text_.remove_prefix(count);
        return count > 0;
    }
    std::size_t digits() const {
        return static_cast<std::size_t>(std::find_if_not(text_.begin(), text_.end(), digit) -
                                        text_.begin());
    }
    bool at_end() const { return text_.empty(); }

private:
    std::string_view text_;
};

int days_in(int year, int month) {
    constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

bool read_month(Reader& reader, int& year, int& month) {
    return reader.number(4, year) && reader.any_of("-") && reader.number(2, month) && month >= 1 &&
           month <= 12;
}

bool read_date(Reader& reader) {
    int year = 0, month = 0, day = 0;
    return read_month(reader, year, month) && reader.any_of("-") && reader.number(2, day) &&
           day >= 1 && day <= days_in(year, month);
}

bool read_hour_minute(Reader& reader) {
    int hour = 0, minute = 0;
    return reader.number(2, hour) && hour < 24 && reader.any_of(":") && reader.number(2, minute) &&
           minute < 60;
}

bool read_seconds(Reader& reader) {
    int second = 0;
    return reader.any_of(":") && reader.number(2, second) && second < 60 && reader.fraction();
}

bool read_full_time(Reader& reader) {
    if (!read_hour_minute(reader) || !read_seconds(reader)) return false;
    if (reader.any_of("Zz")) return true;
    return reader.any_of("+-") && read_hour_minute(reader);
}

bool is_date(std::string_view text) {
    Reader reader(text);
    return read_date(reader) && reader.at_end();
}

bool is_date_time(std::string_view text) {
    Reader reader(text);
    return read_date(reader) && reader.any_of("Tt") && read_full_time(reader) && reader.at_end();
}

bool is_date_or_instant(std::string_view text) {
    return is_date(text) || is_date_time(text);
}

bool is_time(std::string_view text) {
    Reader reader(text);
    return read_full_time(reader) && reader.at_end();
}

bool is_local_time(std::string_view text) {
    Reader reader(text);
    return read_hour_minute(reader) &&
           (reader.at_end() || (read_seconds(reader) && reader.at_end()));
}

bool is_year_month(std::string_view text) {
    Reader reader(text);
    int year = 0, month = 0;
    return read_month(reader, year, month) && reader.at_end();
}

bool is_decimal(std::string_view text) {
    constexpr std::size_t most_characters = 42;  // 40 digits, a sign and a point
    if (text.size() > most_characters) return false;
    if (text.starts_with('-')) text.remove_prefix(1);
    const std::size_t whole = Reader(text).digits();
    if (whole == 0 || (whole > 1 && text.front() == '0')) return false;
    text.remove_prefix(whole);
    if (text.empty()) return true;
    if (text.front() != '.') return false;
    text.remove_prefix(1);
    return !text.empty() && Reader(text).digits() == text.size();
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !hex_digit(text[i])) return false;
    }
    return true;
}

// RFC 3986 with the scheme required. The host of an authority is a name or a bracketed address;
// what is inside the brackets is not looked at further.
bool is_uri(std::string_view text) {
    static const RE2 pattern(
        R"((?i)[a-z][a-z0-9+.-]*:)"
        R"((//(([a-z0-9._~!$&'()*+,;=:-]|%[0-9a-f]{2})*@)?)"
        R"((\[[0-9a-fv.:]+\]|([a-z0-9._~!$&'()*+,;=-]|%[0-9a-f]{2})*)(:[0-9]*)?(/|$|[?#]))?)"
        R"(([a-z0-9._~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*)"
        R"((\?([a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?)"
        R"((#([a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?)");
    return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

constexpr std::array<Format, 9> formats{{
    {"date", is_date, "must be a date such as 2026-05-04"},
    {"date-time", is_date_time, "must be an instant such as 2026-05-04T08:00:00-04:00"},
    {"date-or-instant", is_date_or_instant,
     "must be a date such as 2026-05-04 or an instant such as 2026-05-04T08:00:00-04:00"},
    {"time", is_time, "must be a time with offset such as 08:00:00-04:00"},
    {"local-time", is_local_time, "must be a time of day such as 08:00"},
    {"year-month", is_year_month, "must be a month such as 2026-05"},
    {"decimal", is_decimal, "must be an exact decimal in quotes such as \"12.50\""},
    {"uri", is_uri, "must be an absolute address such as https://example.org/page"},
    {"uuid", is_uuid, "must be a UUID such as 123e4567-e89b-12d3-a456-426614174000"},
}};

}  // namespace

const Format* find_format(std::string_view name) {
    const auto found = std::find_if(formats.begin(), formats.end(),
                                    [&](const Format& format) { return format.name == name; });
    return found == formats.end() ? nullptr : &*found;
}

}  // namespace dutybook::rules
