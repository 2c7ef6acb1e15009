// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/register_image.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "agent/drivers/conversion.hpp"
#include "agent/drivers/readable_text.hpp"

namespace watchroom::agent {
namespace {

constexpr int most_decimals = 9;

bool swaps_words(ByteOrder order) { return order == ByteOrder::cdab || order == ByteOrder::dcba; }
bool swaps_bytes(ByteOrder order) { return order == ByteOrder::badc || order == ByteOrder::dcba; }

std::uint64_t joined(std::span<const std::uint16_t> words, ByteOrder order) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint16_t word = words[swaps_words(order) ? words.size() - 1 - i : i];
    if (swaps_bytes(order)) word = static_cast<std::uint16_t>(word << 8 | word >> 8);
    value = value << 16 | word;
  }
  return value;
}

/// Decimal digits, four bits each; no number when one of them is above 9.
double from_bcd(std::uint64_t bits) {
  double value = 0;
  for (int shift = 28; shift >= 0; shift -= 4) {
    const std::uint64_t digit = bits >> shift & 0xf;
    if (digit > 9) return std::numeric_limits<double>::quiet_NaN();
    value = value * 10 + static_cast<double>(digit);
  }
  return value;
}

RawNumber number_of(std::uint64_t bits, RegisterType type) {
  switch (type) {
    case RegisterType::i16: return std::int64_t{static_cast<std::int16_t>(bits)};
    case RegisterType::i32: return std::int64_t{static_cast<std::int32_t>(bits)};
    case RegisterType::i64: return static_cast<std::int64_t>(bits);
    case RegisterType::f32: return widened(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    case RegisterType::f64: return std::bit_cast<double>(bits);
    case RegisterType::bcd16:
    case RegisterType::bcd32: return from_bcd(bits);
    case RegisterType::u64:
      if (bits >> 63 != 0) return static_cast<double>(bits);
      return static_cast<std::int64_t>(bits);
    case RegisterType::text:
    case RegisterType::bit:
    case RegisterType::u16:
    case RegisterType::u32: break;
  }
  return static_cast<std::int64_t>(bits);
}

/// Two letters a register, or one in its low byte (Wiren Board, register 200).
std::string letters_of(std::span<const std::uint16_t> words, ByteOrder order) {
  const bool is_one_each = std::ranges::all_of(words, [](std::uint16_t word) { return word <= 0xff; });
  std::string bytes;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint16_t word = words[swaps_words(order) ? words.size() - 1 - i : i];
    const char high = static_cast<char>(word >> 8), low = static_cast<char>(word & 0xff);
    if (!is_one_each) bytes += swaps_bytes(order) ? low : high;
    bytes += swaps_bytes(order) && !is_one_each ? high : low;
  }
  return bytes;
}

/// A text ends at its first zero; one of nothing but ones was never set.
Reading text_of(std::span<const std::uint16_t> words, ByteOrder order, Timestamp at) {
  const bool is_unset = std::ranges::all_of(words, [](std::uint16_t word) { return word == 0xffff; });
  if (is_unset) return bad_reading(at);
  const std::string bytes = letters_of(words, order);
  std::string_view text = std::string_view{bytes}.substr(0, bytes.find('\0'));
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return {Value{readable_text(text)}, Quality::good, at};
}

RegisterSpan own_span(const RegisterSource& source) { return {source.table, source.address, source.width()}; }

}  // namespace

std::vector<std::uint16_t> words_of(std::uint64_t bits, const RegisterSource& source) {
  std::vector<std::uint16_t> words(source.width());
  for (std::size_t i = 0; i < words.size(); ++i, bits >>= 16) {
    auto word = static_cast<std::uint16_t>(bits & 0xffff);
    if (swaps_bytes(source.order)) word = static_cast<std::uint16_t>(word << 8 | word >> 8);
    words[swaps_words(source.order) ? i : words.size() - 1 - i] = word;
  }
  return words;
}

std::vector<RegisterSpan> spans_of(const RegisterSource& source) {
  std::vector<RegisterSpan> spans{own_span(source)};
  if (source.decimals_register) spans.push_back({source.table, *source.decimals_register, 1});
  if (source.factor_register) spans.push_back({source.table, source.factor_register->address, 1});
  return spans;
}

void RegisterImage::add(const ReadRequest& request, std::vector<std::uint16_t> words) {
  blocks_.push_back({request, std::move(words)});
}

std::optional<std::span<const std::uint16_t>> RegisterImage::find(const RegisterSpan& span) const {
  for (const Block& block : blocks_) {
    const std::size_t start = block.request.address;
    if (block.request.table != span.table || span.address < start ||
        span.address + std::size_t{span.count} > start + block.words.size())
      continue;
    return std::span{block.words}.subspan(span.address - start, span.count);
  }
  return std::nullopt;
}

std::optional<double> RegisterImage::factor_of(const RegisterSource& source) const {
  double factor = 1.0;
  if (source.factor_register) {
    const auto code = find({source.table, source.factor_register->address, 1});
    if (!code) return std::nullopt;
    const auto found = source.factor_register->factors.find((*code)[0]);
    if (found == source.factor_register->factors.end()) return std::nullopt;
    factor = found->second;
  }
  if (source.decimals_register) {
    const auto decimals = find({source.table, *source.decimals_register, 1});
    if (!decimals || (*decimals)[0] > most_decimals) return std::nullopt;
    factor /= std::pow(10.0, (*decimals)[0]);
  }
  return factor;
}

Reading RegisterImage::read(const RegisterSource& source, const Conversion& conversion, Timestamp at) const {
  const auto words = find(own_span(source));
  if (!words) return bad_reading(at);
  if (source.type == RegisterType::text) return text_of(*words, source.order, at);
  const std::uint64_t bits = joined(*words, source.order);
  const RawNumber raw = number_of(bits, source.type);
  if (source.mask) {
    // A marker of "no value" fills the word: bit by bit it would be every alarm at once.
    const auto* whole = std::get_if<std::int64_t>(&raw);
    if (whole && std::ranges::count(conversion.invalid, *whole) > 0) return bad_reading(at);
    const auto masked = (bits & *source.mask) >> std::countr_zero(*source.mask);
    Conversion part = conversion;
    part.invalid.clear();
    return to_reading(static_cast<std::int64_t>(masked), part, at);
  }

  const auto factor = factor_of(source);
  return factor ? to_reading(raw, conversion, at, *factor) : bad_reading(at);
}

}  // namespace watchroom::agent
