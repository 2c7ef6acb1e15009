// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/model/reading.hpp"

namespace watchroom {

/// An alarm worth having on a point by default, as its device's profile says. The agent announces it, the
/// centre judges by it.
struct PointAlarm {
  enum class Raised { above, below, in_states };

  Raised raised = Raised::above;
  Severity severity = Severity::major;
  double limit = 0.0;                ///< above and below: in the point's unit
  double clear_limit = 0.0;          ///< on the limit's harmless side, or the limit itself
  std::vector<std::int64_t> states;  ///< codes that raise it
  std::chrono::milliseconds on_delay{0}, off_delay{0};
  /// The centre's own rules of the same direction are not to watch this point besides.
  bool is_instead = false;
  std::string title_zh, title_en;

  bool operator==(const PointAlarm&) const = default;
};

inline constexpr std::size_t longest_alarms_text = 32 * 1024;  // bytes; a longer one is not looked into
inline constexpr std::size_t most_point_alarms = 16;
inline constexpr std::size_t most_alarm_states = 256;
inline constexpr std::size_t longest_alarm_title = 200;  // bytes
inline constexpr std::chrono::hours longest_alarm_delay{24};

/// The wire's text: compact JSON, empty for no alarms.
std::string to_json(const std::vector<PointAlarm>& alarms);

/// What an announcement holds. Untrusted: what cannot be an alarm leaves its place empty, so that the others
/// keep their numbers.
struct AnnouncedAlarms {
  std::vector<std::optional<PointAlarm>> alarms;
  std::string trouble;  ///< what was wrong first, for the log; empty: nothing
};
AnnouncedAlarms alarms_from_json(std::string_view text);

}  // namespace watchroom
