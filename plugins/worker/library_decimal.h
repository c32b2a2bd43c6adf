#pragma once
// Exact decimals as text: "0.10", "-3", "120". No binary floating point anywhere: three doses of
// 0.1 mg are 0.3 mg. Sums keep the larger scale ("0.10" + "0.2" = "0.30"), products add scales.

#include "base/result.h"

#include <boost/multiprecision/cpp_int.hpp>

#include <string>
#include <string_view>

namespace dutybook::worker {

enum class Rounding : std::uint8_t { HalfUp, HalfEven, Up, Down };
Result<Rounding> rounding_from(std::string_view name);  // half_up half_even up down

class Decimal {
public:
    static constexpr int max_digits = 60;

    Decimal() = default;
    // [-+]digits[.digits], at most 60 digits; no exponent.
    static Result<Decimal> parse(std::string_view text);
    std::string text() const;

    Decimal operator+(const Decimal& other) const;
    Decimal operator-(const Decimal& other) const;
    Decimal operator*(const Decimal& other) const;
    // Exact quotients do not exist for all: the caller names the places. Code::Malformed for 0.
    Result<Decimal> divided_by(const Decimal& other, int places, Rounding mode) const;
    // To a whole multiple of 10^-places.
    Decimal rounded(int places, Rounding mode) const;
    // To a whole multiple of a step ("0.1" hours, "6" minutes), which must be positive.
    Result<Decimal> rounded_to(const Decimal& step, Rounding mode) const;
    int compare(const Decimal& other) const;
    int sign() const { return coefficient_.sign(); }

private:
    using Integer = boost::multiprecision::cpp_int;
    Decimal(Integer coefficient, int scale) : coefficient_(std::move(coefficient)), scale_(scale) {}
    Integer at_scale(int scale) const;

    Integer coefficient_ = 0;
    int scale_ = 0;  // digits behind the point
};

}  // namespace dutybook::worker
