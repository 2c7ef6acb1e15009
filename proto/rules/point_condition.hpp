// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/base/settings.hpp"
#include "proto/rules/phase.hpp"

namespace watchroom {

/// The newest of a point, as far as a condition judges it.
struct PointFacts {
  std::optional<double> value = {};  ///< nothing: not known, for whatever reason
  std::string_view state_zh = {};    ///< the profile's text for it, if it has one
  std::string_view state_en = {};
};

/// "Above 28 °C raises; below 26 °C clears." At the limit is not above it.
struct HighLimit {
  double raise_above;
  double clear_below;
};

/// "Below 18 °C raises; above 19 °C clears." At the limit is not below it.
struct LowLimit {
  double raise_below;
  double clear_above;
};

/// Raised while the point's code is one of these.
struct InCodes {
  std::vector<std::int64_t> codes;
};

/// Raised while the point is in one of the named states, or in any other, given as raw code or as the
/// profile's text in either language ("wet", "有水", "1"); capitals do not matter. When every other one
/// raises a raw code counts only where the profile has no text.
class NamedStates {
 public:
  enum class Raise { when_named, unless_named };

  NamedStates(std::vector<std::string> states, Raise raise);
  Verdict judge(const PointFacts& now) const;

 private:
  std::vector<std::string> states_;  // in lower case
  Raise raise_;
};

Verdict judge(const HighLimit& limit, const PointFacts& now);
Verdict judge(const LowLimit& limit, const PointFacts& now);
Verdict judge(const InCodes& codes, const PointFacts& now);
Verdict judge(const NamedStates& states, const PointFacts& now);

/// Their keys in a settings table; what is wrong goes to the table's problems.
HighLimit read_high_limit(const SettingsTable& table);
LowLimit read_low_limit(const SettingsTable& table);
NamedStates read_named_states(const SettingsTable& table);

/// What may be judged of a point where it is read, without the centre.
using PointCondition = std::variant<HighLimit, LowLimit, NamedStates>;
Verdict judge(const PointCondition& condition, const PointFacts& now);
/// Whether its limits are numbers in a unit.
bool has_unit(const PointCondition& condition);
/// The key `kind` and what belongs to it.
PointCondition read_point_condition(const SettingsTable& table);

}  // namespace watchroom
