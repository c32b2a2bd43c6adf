#include "rules/schema_numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace dutybook::rules {
namespace {

__extension__ using Wide = unsigned __int128;

// mantissa * 10^exponent without trailing zeros; the sign does not matter for multiples.
struct Decimal {
    std::uint64_t mantissa = 0;
    int exponent = 0;
};

Decimal without_zeros(Decimal decimal) {
    while (decimal.mantissa != 0 && decimal.mantissa % 10 == 0) {
        decimal.mantissa /= 10;
        ++decimal.exponent;
    }
    return decimal;
}

// Shortest scientific form: at most 17 digits, so the mantissa always fits.
Decimal from_double(double value) {
    std::array<char, 32> buffer{};
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                       std::fabs(value), std::chars_format::scientific);
    const std::string_view text(buffer.data(),
                                static_cast<std::size_t>(written.ptr - buffer.data()));
    Decimal decimal;
    const std::size_t e = text.find('e');
    for (std::size_t i = 0; i < e; ++i) {
        if (text[i] == '.') continue;
        decimal.mantissa = decimal.mantissa * 10 + static_cast<std::uint64_t>(text[i] - '0');
        if (i > 0) --decimal.exponent;
    }
    int exponent = 0;
    const std::size_t sign = text[e + 1] == '+' ? 2 : 1;
    std::from_chars(text.data() + e + sign, text.data() + text.size(), exponent);
    decimal.exponent += exponent;
    return without_zeros(decimal);
}

Decimal decimal_of(const Json& number) {
    if (number.is_number_unsigned()) return without_zeros({number.get<std::uint64_t>(), 0});
    if (number.is_number_integer()) {
        const auto value = number.get<std::int64_t>();
        const auto bits = static_cast<std::uint64_t>(value);
        return without_zeros({value < 0 ? ~bits + 1 : bits, 0});
    }
    return from_double(number.get<double>());
}

std::uint64_t times_power_of_ten_modulo(std::uint64_t value, int exponent, std::uint64_t modulus) {
    Wide result = value % modulus;
    for (int i = 0; i < exponent; ++i) result = result * 10 % modulus;
    return static_cast<std::uint64_t>(result);
}

}  // namespace

bool is_multiple(const Json& value, const Json& step) {
    const Decimal a = decimal_of(value);
    const Decimal b = decimal_of(step);
    if (a.mantissa == 0) return true;
    const int shift = a.exponent - b.exponent;
    if (shift >= 0) return times_power_of_ten_modulo(a.mantissa, shift, b.mantissa) == 0;
    // step would have to divide the value's mantissa by a power of ten, and that ends in no zero.
    return false;
}

bool is_integral(const Json& value) {
    if (value.is_number_integer()) return true;
    if (!value.is_number_float()) return false;
    const double number = value.get<double>();
    return std::isfinite(number) && std::trunc(number) == number;
}

}  // namespace dutybook::rules
