// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/object_value.hpp"

#include <bit>
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

/// Bit n of BITS is the (n mod 8)th of octet n/8, counted from the highest (RFC 2578 7.1.4).
std::optional<std::int64_t> bit_in(const ObjectValue& value, std::uint32_t bit) {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return bit < 64
               ? std::optional{static_cast<std::int64_t>(static_cast<std::uint64_t>(*integer) >> bit & 1u)}
               : std::nullopt;
  const auto* octets = std::get_if<std::string>(&value);
  if (!octets) return std::nullopt;
  if (bit / 8 >= octets->size()) return 0;  // RFC 2578 7.1.4: trailing zeros may be left out
  return static_cast<unsigned char>((*octets)[bit / 8]) >> (7 - bit % 8) & 1;
}

std::optional<std::int64_t> masked(const ObjectValue& value, std::uint64_t mask) {
  const auto number = whole_number(value);
  if (!number) return std::nullopt;
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(*number) & mask) >> std::countr_zero(mask));
}

std::optional<std::int64_t> code_of_text(const std::string& bytes, const CodePart& part) {
  std::string text = readable_text(bytes);
  if (part.character) {
    if (*part.character > text.size()) return std::nullopt;
    text = text.substr(*part.character - 1, 1);
  }
  const auto known = part.texts.find(text);
  if (known != part.texts.end()) return known->second;
  if (!part.character || !part.texts.empty()) return std::nullopt;
  return text[0] >= '0' && text[0] <= '9' ? std::optional<std::int64_t>{text[0] - '0'} : std::nullopt;
}

std::optional<std::int64_t> code_in(const ObjectValue& value, const CodePart& part) {
  if (part.bit) return bit_in(value, *part.bit);
  if (part.mask) return masked(value, *part.mask);
  if (const auto* text = std::get_if<std::string>(&value)) return code_of_text(*text, part);
  return part.character ? std::nullopt : whole_number(value);
}

}  // namespace

std::optional<double> leading_number(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number)) return std::nullopt;
  // "21,6" is 21.6 where decimals follow a comma and "1,234" a thousand where it groups: 21 and 1 are
  // neither.
  const std::string_view rest{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  if (rest.size() > 1 && rest[0] == ',' && rest[1] >= '0' && rest[1] <= '9') return std::nullopt;
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
  double offset = 0.0;
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
    factor *= known->second.scale;
    offset = known->second.offset;
  }
  return to_reading(value->second, source, conversion, at, {factor, offset});
}

Reading to_reading(const ObjectValue& value, const ObjectSource& source, const Conversion& conversion,
                   Timestamp at, UnitFactor factor) {
  if (!source.part) return to_reading(value, conversion, at, factor);
  const auto code = code_in(value, *source.part);
  return code ? to_reading(ObjectValue{*code}, conversion, at, factor) : bad_reading(at);
}

Reading to_reading(const ObjectValue& value, const Conversion& conversion, Timestamp at, UnitFactor factor) {
  const auto* text = std::get_if<std::string>(&value);
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* number = std::get_if<double>(&value);
  if (conversion.unit == Unit::text) {
    if (text) return {Value{readable_text(*text)}, Quality::good, at};
    if (integer) return {Value{fmt::format("{}", *integer)}, Quality::good, at};
    return bad_reading(at);
  }
  if (integer) return to_reading(RawNumber{*integer}, conversion, at, factor.scale, factor.offset);
  if (number) return to_reading(RawNumber{*number}, conversion, at, factor.scale, factor.offset);
  const auto leading = text ? leading_number(*text) : std::nullopt;
  if (!leading) return bad_reading(at);
  // Markers of "no value" are integers, also where the device writes its numbers as text.
  if (std::abs(*leading) < 9e15 && std::round(*leading) == *leading)
    return to_reading(RawNumber{static_cast<std::int64_t>(*leading)}, conversion, at, factor.scale,
                      factor.offset);
  return to_reading(RawNumber{*leading}, conversion, at, factor.scale, factor.offset);
}

}  // namespace watchroom::agent
