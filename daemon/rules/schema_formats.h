#pragma once
// The formats that a schema may name. Each is a total function of a string.
//
//   date         calendar date that exists: 2026-02-28
//   date-time    RFC 3339 with offset or Z; no leap second, since no stored instant can hold one
//   date-or-instant  either of the two (a deadline may name its hour or not)
//   time         RFC 3339 full-time: 08:30:06Z
//   local-time   wall-clock time without zone: 08:30 or 08:30:06
//   year-month   2027-02
//   decimal      exact decimal: -?digits[.digits], no exponent, no leading zeros, up to 40 digits
//   uri          absolute, RFC 3986
//   uuid         RFC 4122, hexadecimal in any case

#include <optional>
#include <string_view>

namespace dutybook::rules {

using FormatCheck = bool (*)(std::string_view);

struct Format {
    std::string_view name;
    FormatCheck accepts;
    std::string_view sentence;  // "must be a date such as 2026-05-04"
};

// Null if the format is not supported.
const Format* find_format(std::string_view name);

}  // namespace dutybook::rules
