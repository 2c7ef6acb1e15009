// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/conversion.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace watchroom::agent {
namespace {

/// raw * 0.1 is 23.299999999999997 where raw / 10 is 23.3.
double scaled(double raw, double scale) {
  if (std::abs(scale) < 1.0) {
    const double divisor = std::round(1.0 / scale);
    if (1.0 / divisor == scale) return raw / divisor;
  }
  return raw * scale;
}

/// The same way back: 23.3 / 0.1 is 232.99999999999997 where 23.3 * 10 is 233.
double divided(double value, double scale) {
  if (std::abs(scale) < 1.0) {
    const double divisor = std::round(1.0 / scale);
    if (1.0 / divisor == scale) return value * divisor;
  }
  return value / scale;
}

double as_double(const RawNumber& raw) {
  if (const auto* integer = std::get_if<std::int64_t>(&raw)) return static_cast<double>(*integer);
  return std::get<double>(raw);
}

bool is_whole(double value) { return std::abs(value) < 9e15 && std::round(value) == value; }

}  // namespace

double widened(float value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  double wide = value;
  if (error == std::errc{}) std::from_chars(text, end, wide);
  return wide;
}

double unscaled(double value, const Conversion& conversion, double factor) {
  return divided(divided(value - conversion.offset, factor), conversion.scale);
}

Reading bad_reading(Timestamp at) { return {std::nullopt, Quality::bad, at}; }

Reading to_reading(const RawNumber& raw, const Conversion& conversion, Timestamp at, double factor,
                   double more_offset) {
  const auto* integer = std::get_if<std::int64_t>(&raw);
  if (integer &&
      std::find(conversion.invalid.begin(), conversion.invalid.end(), *integer) != conversion.invalid.end())
    return bad_reading(at);
  const double value =
      scaled(scaled(as_double(raw), conversion.scale), factor) + conversion.offset + more_offset;
  if (!std::isfinite(value) || (conversion.least_plausible && value < *conversion.least_plausible) ||
      (conversion.most_plausible && value > *conversion.most_plausible))
    return bad_reading(at);
  if (conversion.unit == Unit::state && !is_whole(value)) return bad_reading(at);
  if ((conversion.unit == Unit::state || conversion.unit == Unit::count) && is_whole(value))
    return {Value{static_cast<std::int64_t>(value)}, Quality::good, at};
  return {Value{value}, Quality::good, at};
}

}  // namespace watchroom::agent
