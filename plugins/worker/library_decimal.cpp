#include "worker/library_decimal.h"

#include <algorithm>

namespace dutybook::worker {

namespace {

using Integer = boost::multiprecision::cpp_int;

Integer power_of_ten(int exponent) {
    Integer power = 1;
    for (int i = 0; i < exponent; ++i) power *= 10;
    return power;
}

// numerator / denominator to a whole number; the denominator is positive.
Integer divide(const Integer& numerator, const Integer& denominator, Rounding mode) {
    Integer quotient;
    Integer remainder;
    boost::multiprecision::divide_qr(Integer(abs(numerator)), denominator, quotient, remainder);
    if (remainder != 0) {
        const Integer twice = remainder * 2;
        const bool up = mode == Rounding::Up ||
                        (mode == Rounding::HalfUp && twice >= denominator) ||
                        (mode == Rounding::HalfEven &&
                         (twice > denominator || (twice == denominator && quotient % 2 != 0)));
        if (up) ++quotient;
    }
    return numerator < 0 ? Integer(-quotient) : quotient;
}

}  // namespace

Result<Rounding> rounding_from(std::string_view name) {
    if (name == "half_up") return Rounding::HalfUp;
    if (name == "half_even") return Rounding::HalfEven;
    if (name == "up") return Rounding::Up;
    if (name == "down") return Rounding::Down;
    return malformed("rounding is one of half_up, half_even, up, down");
}

Result<Decimal> Decimal::parse(std::string_view text) {
    std::string_view rest = text;
    const bool negative = !rest.empty() && rest.front() == '-';
    if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
    const auto point = rest.find('.');
    const std::string_view whole = rest.substr(0, point);
    const std::string_view part =
        point == std::string_view::npos ? std::string_view{} : rest.substr(point + 1);
    const auto digits = [](std::string_view s) {
        return !s.empty() &&
               std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    if (!digits(whole) || (point != std::string_view::npos && !digits(part)) ||
        whole.size() + part.size() > max_digits) {
        return malformed("\"" + std::string(text.substr(0, 80)) + "\" is not a decimal number");
    }
    Integer coefficient = 0;
    for (const char c : whole) coefficient = coefficient * 10 + (c - '0');
    for (const char c : part) coefficient = coefficient * 10 + (c - '0');
    if (negative) coefficient = -coefficient;
    return Decimal(std::move(coefficient), static_cast<int>(part.size()));
}

std::string Decimal::text() const {
    std::string digits = Integer(abs(coefficient_)).str();
    if (scale_ > 0) {
        if (digits.size() <= static_cast<std::size_t>(scale_)) {
            digits.insert(0, static_cast<std::size_t>(scale_) + 1 - digits.size(), '0');
        }
        digits.insert(digits.size() - static_cast<std::size_t>(scale_), ".");
    }
    return coefficient_ < 0 ? "-" + digits : digits;
}

Decimal::Integer Decimal::at_scale(int scale) const {
    return coefficient_ * power_of_ten(scale - scale_);
}

Decimal Decimal::operator+(const Decimal& other) const {
    const int scale = std::max(scale_, other.scale_);
    return {at_scale(scale) + other.at_scale(scale), scale};
}

Decimal Decimal::operator-(const Decimal& other) const {
    const int scale = std::max(scale_, other.scale_);
    return {at_scale(scale) - other.at_scale(scale), scale};
}

Decimal Decimal::operator*(const Decimal& other) const {
    return {coefficient_ * other.coefficient_, scale_ + other.scale_};
}

Result<Decimal> Decimal::divided_by(const Decimal& other, int places, Rounding mode) const {
    if (other.coefficient_ == 0) return malformed("division by zero");
    if (places < 0 || places > max_digits) return malformed("places must be 0 to 60");
    const int scale = std::max(scale_, other.scale_);
    Integer numerator = at_scale(scale) * power_of_ten(places);
    Integer denominator = other.at_scale(scale);
    if (denominator < 0) {
        numerator = -numerator;
        denominator = -denominator;
    }
    return Decimal(divide(numerator, denominator, mode), places);
}

Decimal Decimal::rounded(int places, Rounding mode) const {
    if (places >= scale_) return {at_scale(places), places};
    return {divide(coefficient_, power_of_ten(scale_ - places), mode), places};
}

Result<Decimal> Decimal::rounded_to(const Decimal& step, Rounding mode) const {
    if (step.coefficient_ <= 0) return malformed("the step to round to must be positive");
    const int scale = std::max(scale_, step.scale_);
    const Integer steps = divide(at_scale(scale), step.at_scale(scale), mode);
    return Decimal(steps * step.coefficient_, step.scale_);
}

int Decimal::compare(const Decimal& other) const {
    const int scale = std::max(scale_, other.scale_);
    const Integer a = at_scale(scale);
    const Integer b = other.at_scale(scale);
    return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace dutybook::worker
