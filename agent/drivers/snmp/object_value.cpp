// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/object_value.hpp"

#include <charconv>
#include <cmath>

#include "agent/drivers/conversion.hpp"

namespace watchroom::agent {
namespace {

double power_of_ten(int exponent) {
  double power = 1.0;
  for (int i = 0; i < std::abs(exponent); ++i) power *= 10.0;
  return exponent < 0 ? 1.0 / power : power;
}

}  // namespace

std::optional<double> leading_number(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<std::int64_t> whole_number(const ObjectValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  const auto* text = std::get_if<std::string>(&value);
  const auto number = text ? leading_number(*text) : std::nullopt;
  if (!number || std::abs(*number) >= 9e15 || std::round(*number) != *number) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

Reading to_reading(const std::map<Oid, ObjectValue>& objects, const ObjectSource& source,
                   const Conversion& conversion, Timestamp at) {
  const auto value = objects.find(source.oid);
  if (value == objects.end()) return bad_reading(at);
  double factor = 1.0;
  if (source.decimals) {
    const auto found = objects.find(*source.decimals);
    const auto decimals = found == objects.end() ? std::nullopt : whole_number(found->second);
    if (!decimals || *decimals < -12 || *decimals > 12) return bad_reading(at);
    factor = power_of_ten(-static_cast<int>(*decimals));
  }
  if (source.factor) {
    const auto found = objects.find(source.factor->oid);
    const auto code = found == objects.end() ? std::nullopt : whole_number(found->second);
    const auto known = code ? source.factor->factors.find(*code) : source.factor->factors.end();
    if (known == source.factor->factors.end()) return bad_reading(at);
    factor *= known->second;
  }
  return to_reading(value->second, conversion, at, factor);
}

Reading to_reading(const ObjectValue& value, const Conversion& conversion, Timestamp at, double factor) {
  const auto* text = std::get_if<std::string>(&value);
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* number = std::get_if<double>(&value);
  if (conversion.unit == Unit::text) {
    if (text) return {Value{*text}, Quality::good, at};
    if (integer) return {Value{fmt::format("{}", *integer)}, Quality::good, at};
    return bad_reading(at);
  }
  if (integer) return to_reading(RawNumber{*integer}, conversion, at, factor);
  if (number) return to_reading(RawNumber{*number}, conversion, at, factor);
  const auto leading = text ? leading_number(*text) : std::nullopt;
  if (!leading) return bad_reading(at);
  // Markers of "no value" are integers, also where the device writes its numbers as text.
  if (std::abs(*leading) < 9e15 && std::round(*leading) == *leading)
    return to_reading(RawNumber{static_cast<std::int64_t>(*leading)}, conversion, at, factor);
  return to_reading(RawNumber{*leading}, conversion, at, factor);
}

}  // namespace watchroom::agent
