// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/rules/point_condition.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace watchroom {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower{text};
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

}  // namespace

Verdict judge(const HighLimit& limit, const PointFacts& now) {
  if (!now.value) return Verdict::unknown;
  if (*now.value > limit.raise_above) return Verdict::holds;
  // Without hysteresis the limit itself is not beyond it, so it is back behind it: a count above 0.
  const bool is_back = *now.value < limit.clear_below || limit.clear_below == limit.raise_above;
  return is_back ? Verdict::gone : Verdict::between;
}

Verdict judge(const LowLimit& limit, const PointFacts& now) {
  if (!now.value) return Verdict::unknown;
  if (*now.value < limit.raise_below) return Verdict::holds;
  const bool is_back = *now.value > limit.clear_above || limit.clear_above == limit.raise_below;
  return is_back ? Verdict::gone : Verdict::between;
}

Verdict judge(const InCodes& codes, const PointFacts& now) {
  if (!now.value) return Verdict::unknown;
  const bool is_in = std::any_of(codes.codes.begin(), codes.codes.end(),
                                 [&](std::int64_t code) { return static_cast<double>(code) == *now.value; });
  return is_in ? Verdict::holds : Verdict::gone;
}

NamedStates::NamedStates(std::vector<std::string> states, Raise raise)
    : states_{std::move(states)}, raise_{raise} {
  for (std::string& state : states_) state = lower_case(state);
}

Verdict NamedStates::judge(const PointFacts& now) const {
  if (!now.value) return Verdict::unknown;
  const std::string code = fmt::format("{}", *now.value);
  const std::string english = lower_case(now.state_en);
  // What is normal by its text in one device is an alarm by its number in another.
  const bool counts_by_code = raise_ == Raise::when_named || (now.state_en.empty() && now.state_zh.empty());
  const bool is_named = std::any_of(states_.begin(), states_.end(), [&](const std::string& state) {
    return state == english || state == now.state_zh || (state == code && counts_by_code);
  });
  return is_named == (raise_ == Raise::when_named) ? Verdict::holds : Verdict::gone;
}

Verdict judge(const NamedStates& states, const PointFacts& now) { return states.judge(now); }

Verdict judge(const PointCondition& condition, const PointFacts& now) {
  return std::visit([&](const auto& one) { return judge(one, now); }, condition);
}

bool has_unit(const PointCondition& condition) { return !std::holds_alternative<NamedStates>(condition); }

HighLimit read_high_limit(const SettingsTable& table) {
  const double raise_above = table.number("raise_above", {.help = "Raised above this value"});
  const double clear_below =
      table.number("clear_below", {.help = "Cleared below this value", .fallback = raise_above});
  if (clear_below > raise_above) table.reject("clear_below", "a value not above raise_above");
  return {raise_above, clear_below};
}

LowLimit read_low_limit(const SettingsTable& table) {
  const double raise_below = table.number("raise_below", {.help = "Raised below this value"});
  const double clear_above =
      table.number("clear_above", {.help = "Cleared above this value", .fallback = raise_below});
  if (clear_above < raise_below) table.reject("clear_above", "a value not below raise_below");
  return {raise_below, clear_above};
}

NamedStates read_named_states(const SettingsTable& table) {
  if (table.is_description())
    table.scalars("raise_unless", "Or the states that do not raise; every other one does");
  if (table.has("raise_unless") && !table.has("raise_when"))
    return {table.scalars("raise_unless", "The states that do not raise; every other one does"),
            NamedStates::Raise::unless_named};
  auto states = table.scalars("raise_when", "The states that raise: texts of the profile or raw codes");
  if (states.empty()) table.reject("raise_when", "a list of at least one state, such as [\"wet\"] or [1]");
  return {std::move(states), NamedStates::Raise::when_named};
}

PointCondition read_point_condition(const SettingsTable& table) {
  enum class Kind { high_limit, low_limit, state };
  const auto kind = table.choice<Kind>(
      "kind", {{"high_limit", Kind::high_limit}, {"low_limit", Kind::low_limit}, {"state", Kind::state}},
      std::nullopt,
      "What it judges: raise_above and clear_below; raise_below and clear_above; raise_when or raise_unless");
  if (table.is_description()) {
    read_high_limit(table);
    read_low_limit(table);
    return read_named_states(table);
  }
  switch (kind) {
    case Kind::high_limit: return read_high_limit(table);
    case Kind::low_limit: return read_low_limit(table);
    case Kind::state: break;
  }
  return read_named_states(table);
}

}  // namespace watchroom
