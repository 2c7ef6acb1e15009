// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "agent/drivers/modbus/line.hpp"
#include "agent/drivers/modbus/recognition.hpp"
#include "agent/drivers/modbus/register_image.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t surveyed = 48;  // registers of each table
constexpr ExchangeTiming timing{.reply_timeout = 1000ms, .gap = 50ms};
constexpr std::array orders{ByteOrder::abcd, ByteOrder::cdab, ByteOrder::badc, ByteOrder::dcba};
constexpr std::array<std::string_view, 4> order_names{"abcd", "cdab", "badc", "dcba"};

/// What a sensor, a meter or a UPS may measure. Register pairs that are no float mostly give tiny or huge
/// numbers.
bool is_plausible(double value) {
  return std::isfinite(value) && (value == 0.0 || (std::abs(value) >= 1e-3 && std::abs(value) < 1e7));
}

/// Words of a table from 0 on, as far as the device has them.
std::vector<std::optional<std::uint16_t>> words_of(Line& line, int unit, RegisterTable table) {
  std::vector<std::optional<std::uint16_t>> words(surveyed);
  std::uint16_t step = surveyed;
  for (std::uint16_t at = 0; at < surveyed;) {
    const auto count = std::min<std::uint16_t>(step, static_cast<std::uint16_t>(surveyed - at));
    const auto reply = line.ask(unit, {table, at, count}, timing);
    // Some are silent to what others refuse.
    if (!reply && (at > 0 || step <= 2 || reply.error().code != Errc::no_answer)) return words;
    if (reply && reply->exception == 0) {
      for (std::size_t i = 0; i < reply->words.size(); ++i) words[at + i] = reply->words[i];
    } else if (step > 2) {
      step = 2;  // pairs, the width of a float
      continue;
    }
    at = static_cast<std::uint16_t>(at + count);
  }
  return words;
}

std::optional<double> as_float(const std::vector<std::optional<std::uint16_t>>& words, std::size_t at,
                               ByteOrder order) {
  if (at + 1 >= words.size() || !words[at] || !words[at + 1]) return std::nullopt;
  RegisterSource source;
  source.type = RegisterType::f32;
  source.order = order;
  RegisterImage image;
  image.add({source.table, 0, 2}, {*words[at], *words[at + 1]});
  Conversion conversion;
  conversion.unit = Unit::volt;  // any unit of a number
  const Reading reading = image.read(source, conversion, Timestamp{});
  return reading.value ? number_of(*reading.value) : std::nullopt;
}

void describe(std::string_view table, const std::vector<std::optional<std::uint16_t>>& words,
              std::vector<std::string>& lines) {
  std::array<int, 4> plausible{};
  int pairs = 0;
  std::vector<std::string> rows;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (!words[at]) continue;
    std::string row =
        fmt::format("{:>5} {:>6} {:>9.1f}", at, *words[at], static_cast<std::int16_t>(*words[at]) / 10.0);
    const bool is_pair = at % 2 == 0 && as_float(words, at, ByteOrder::abcd).has_value();
    const bool is_zero = is_pair && *words[at] == 0 && *words[at + 1] == 0;
    const bool is_rest_of_zero = at % 2 == 1 && *words[at] == 0 && words[at - 1] == std::uint16_t{0};
    if (is_zero || is_rest_of_zero) continue;
    if (is_pair) ++pairs;
    for (std::size_t i = 0; i < orders.size() && is_pair; ++i) {
      const double value = *as_float(words, at, orders[i]);
      if (is_plausible(value)) ++plausible[i];
      row += is_plausible(value) ? fmt::format(" {:>12.6g}", value) : fmt::format(" {:>12}", "-");
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return;
  lines.push_back(fmt::format(
      "{} registers: address, content, as 0.1 signed, and as float abcd cdab badc dcba (-: implausible)",
      table));
  lines.insert(lines.end(), rows.begin(), rows.end());
  const auto best = std::max_element(plausible.begin(), plausible.end());
  if (pairs > 0 && *best * 2 > pairs)
    lines.push_back(fmt::format("probably floats in the order {}: {} of {} pairs are plausible",
                                order_names[static_cast<std::size_t>(best - plausible.begin())], *best,
                                pairs));
}

}  // namespace

std::vector<std::string> survey_modbus(const DeviceAddress& address, const BusContext& context) {
  const auto& where = address.where.as<ModbusAddress>();
  Line line{where, context.stop};
  std::vector<std::string> lines;
  if (const auto identity = line.identify(where.unit, timing); identity)
    for (const auto& [object, text] : *identity)
      lines.push_back(fmt::format("identification {}: {}", object, text));
  describe("input", words_of(line, where.unit, RegisterTable::input), lines);
  describe("holding", words_of(line, where.unit, RegisterTable::holding), lines);
  return lines;
}

}  // namespace watchroom::agent
