// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/register_encoding.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/ranges.h>

#include "agent/drivers/conversion.hpp"

namespace watchroom::agent {
namespace {

struct Range {
  double least;
  double most;
};

/// Beyond 2^53 a double does not tell neighbouring integers apart.
constexpr double most_exact = 9007199254740992.0;

Range range_of(RegisterType type) {
  switch (type) {
    case RegisterType::u16: return {0, 65535};
    case RegisterType::i16: return {-32768, 32767};
    case RegisterType::u32: return {0, 4294967295.0};
    case RegisterType::i32: return {-2147483648.0, 2147483647};
    case RegisterType::u64: return {0, most_exact};
    case RegisterType::i64: return {-most_exact, most_exact};
    case RegisterType::bcd16: return {0, 9999};
    case RegisterType::bcd32: return {0, 99999999};
    case RegisterType::bit: return {0, 1};
    case RegisterType::f32:
    case RegisterType::f64:
    case RegisterType::text: break;
  }
  return {0, 0};
}

std::uint64_t to_bcd(std::uint64_t number) {
  std::uint64_t bits = 0;
  for (int shift = 0; number > 0; shift += 4, number /= 10) bits |= (number % 10) << shift;
  return bits;
}

std::uint64_t bits_of(std::int64_t raw, RegisterType type) {
  const auto bits = static_cast<std::uint64_t>(raw);
  return type == RegisterType::bcd16 || type == RegisterType::bcd32 ? to_bcd(bits) : bits;
}

double value_of(double raw, const Conversion& conversion, double factor) {
  Conversion plain = conversion;
  plain.unit = Unit::none;
  plain.invalid.clear();
  plain.least_plausible.reset();
  plain.most_plausible.reset();
  const Reading reading = to_reading(RawNumber{raw}, plain, Timestamp{}, factor);
  return reading.value ? watchroom::number_of(*reading.value).value_or(0.0) : 0.0;
}

Result<std::uint64_t> encode_float(double raw, RegisterType type) {
  if (type == RegisterType::f64) return std::bit_cast<std::uint64_t>(raw);
  const auto narrow = static_cast<float>(raw);
  if (!std::isfinite(narrow))
    return fail(Errc::invalid, Retry::never, "{} does not fit into the register", raw);
  return std::uint64_t{std::bit_cast<std::uint32_t>(narrow)};
}

Result<std::uint64_t> encode_integer(double value, double raw, RegisterType type,
                                     const Conversion& conversion, double factor) {
  const double whole = std::round(raw);
  const Range range = range_of(type);
  if (whole < range.least || whole > range.most)
    return fail(Errc::invalid, Retry::never, "{} does not fit into the register, which holds {} to {}", value,
                value_of(range.least, conversion, factor), value_of(range.most, conversion, factor));
  const double nearest = value_of(whole, conversion, factor);
  if (std::abs(nearest - value) > 1e-9 * std::max(1.0, std::abs(value)))
    return fail(Errc::invalid, Retry::never,
                "{} lies between two steps of the device, the nearest are {} and {}", value,
                value_of(std::floor(raw), conversion, factor), value_of(std::ceil(raw), conversion, factor));
  const auto integer = static_cast<std::int64_t>(whole);
  if (std::ranges::count(conversion.invalid, integer) > 0)
    return fail(Errc::invalid, Retry::never, "{} is what the device takes for \"no value\"", value);
  return bits_of(integer, type);
}

Result<std::uint64_t> encode_number(const RegisterSource& source, const Conversion& conversion, double value,
                                    double factor) {
  const double least = conversion.least_plausible.value_or(-INFINITY);
  const double most = conversion.most_plausible.value_or(INFINITY);
  if (!std::isfinite(value) || value < least || value > most)
    return fail(Errc::invalid, Retry::never, "{} is not plausible, expected {} to {}", value, least, most);
  const double raw = unscaled(value, conversion, factor);
  const bool is_float = source.type == RegisterType::f32 || source.type == RegisterType::f64;
  return is_float ? encode_float(raw, source.type)
                  : encode_integer(value, raw, source.type, conversion, factor);
}

}  // namespace

Result<std::vector<std::uint16_t>> encode_value(const RegisterSource& source, const Conversion& conversion,
                                                const Value& value, double factor) {
  if (!source.write || source.mask || source.type == RegisterType::text)
    return fail(Errc::invalid, Retry::never, "this point is only read");
  const auto number = watchroom::number_of(value);
  if (!number) return fail(Errc::invalid, Retry::never, "\"{}\" is no number", to_text(value));
  if (conversion.unit == Unit::state) {
    const auto& contents = source.write->contents;
    const auto content = contents.find(static_cast<std::int64_t>(*number));
    if (content == contents.end() || static_cast<double>(content->first) != *number)
      return fail(Errc::invalid, Retry::never, "there is no state {}", *number);
    return words_of(bits_of(content->second, source.type), source);
  }
  const auto bits = encode_number(source, conversion, *number, factor);
  if (!bits) return bits.error();
  return words_of(*bits, source);
}

}  // namespace watchroom::agent
