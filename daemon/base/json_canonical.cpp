#include "base/json.h"
#include "base/json_plain.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace dutybook {

// UTF-8 sorts by code point. UTF-16 differs only in that the surrogates of U+10000 and above
// (lead bytes F0 to F4) come before U+E000 to U+FFFF (lead bytes EE and EF).
bool utf16_less(std::string_view a, std::string_view b) {
    const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    if (in_b == b.end()) return false;
    if (in_a == a.end()) return true;
    const auto byte_a = static_cast<unsigned char>(*in_a);
    const auto byte_b = static_cast<unsigned char>(*in_b);
    const bool turned = byte_a >= 0xEE && byte_b >= 0xEE && (byte_a >= 0xF0) != (byte_b >= 0xF0);
    return turned ? byte_a > byte_b : byte_a < byte_b;
}

void append_canonical_string(std::string& out, std::string_view utf8) {
    static constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (std::size_t i = 0;; ++i) {
        const std::size_t plain = i;
        i = end_of_plain(utf8, plain);
        out.append(utf8, plain, i - plain);
        if (i == utf8.size()) break;
        const char c = utf8[i];
        const auto byte = static_cast<unsigned char>(c);
        out += '\\';
        switch (c) {
            case '"':
            case '\\':
                out += c;
                break;
            case '\b':
                out += 'b';
                break;
            case '\f':
                out += 'f';
                break;
            case '\n':
                out += 'n';
                break;
            case '\r':
                out += 'r';
                break;
            case '\t':
                out += 't';
                break;
            default:
                out += "u00";
                out += digits[byte >> 4];
                out += digits[byte & 15];
        }
    }
    out += '"';
}

// ECMAScript's Number::toString: the shortest digits that round-trip, plain between 1e-7 and 1e21.
void append_canonical_number(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    if (value == 0.0) {
        out += '0';
        return;
    }
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::abs(value),
                                   std::chars_format::scientific);
    const std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
    const auto mark = text.find('e');
    std::string digits(1, text[0]);
    if (mark > 2) digits.append(text, 2, mark - 2);
    int exponent = 0;
    const char* from = text.data() + mark + 1;
    std::from_chars(*from == '+' ? from + 1 : from, end.ptr, exponent);

    const int count = static_cast<int>(digits.size());
    const int point = exponent + 1;  // digits before the decimal point
    if (value < 0) out += '-';
    if (point > 21 || point <= -6) {
        out += digits[0];
        if (count > 1) out.append(".").append(digits, 1);
        out += point > 0 ? "e+" : "e-";
        out += std::to_string(std::abs(point - 1));
    } else if (point <= 0) {
        out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
    } else if (count <= point) {
        out.append(digits).append(static_cast<std::size_t>(point - count), '0');
    } else {
        out.append(digits, 0, static_cast<std::size_t>(point)).append(".");
        out.append(digits, static_cast<std::size_t>(point));
    }
}

namespace {

void append(std::string& out, const Json& value);

void append_object(std::string& out, const Json& value) {
    std::vector<const Json::object_t::value_type*> members;
    members.reserve(value.size());
    for (const auto& member : value.get_ref<const Json::object_t&>()) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return utf16_less(a->first, b->first); });
    out += '{';
    for (const auto* member : members) {
        if (out.back() != '{') out += ',';
        append_canonical_string(out, member->first);
        out += ':';
        append(out, member->second);
    }
    out += '}';
}

void append_array(std::string& out, const Json& value) {
    out += '[';
    bool first = true;
    for (const Json& element : value) {
        if (!first) out += ',';
        first = false;
        append(out, element);
    }
    out += ']';
}

void append(std::string& out, const Json& value) {
    switch (value.type()) {
        case Json::value_t::object:
            return append_object(out, value);
        case Json::value_t::array:
            return append_array(out, value);
        case Json::value_t::string:
            return append_canonical_string(out, value.get_ref<const std::string&>());
        case Json::value_t::boolean:
            out += value.get<bool>() ? "true" : "false";
            return;
        case Json::value_t::number_integer:
            out += std::to_string(value.get<std::int64_t>());
            return;
        case Json::value_t::number_unsigned:
            out += std::to_string(value.get<std::uint64_t>());
            return;
        case Json::value_t::number_float:
            return append_canonical_number(out, value.get<double>());
        case Json::value_t::null:
        case Json::value_t::binary:
        case Json::value_t::discarded:
            out += "null";
    }
}

}  // namespace

std::string canonical(const Json& value) {
    std::string out;
    append(out, value);
    return out;
}

}  // namespace dutybook
