// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace watchroom {

/// One thing that happens at a point, and whether the rule is raised after it.
struct TimelineStep {
  enum class What { reads, loses, waits };
  std::chrono::seconds at;
  What what;
  double value;
  bool is_raised;
};

/// A rule, as its keys, and what it must do: for the centre's engine and the agent's judge alike.
struct Timeline {
  std::string_view story;
  std::string_view point;
  std::string_view keys;
  std::vector<TimelineStep> steps;
};

/// For tests: both ends judge these.
inline std::vector<Timeline> shared_timelines() {
  using namespace std::chrono_literals;
  constexpr auto reads = TimelineStep::What::reads, loses = TimelineStep::What::loses,
                 waits = TimelineStep::What::waits;
  constexpr std::string_view hot =
      "kind = \"high_limit\"\nunit = \"celsius\"\nraise_above = 28.0\nclear_below = 26.0\non_delay_s = 30\n"
      "off_delay_s = 10\n";
  constexpr std::string_view cold =
      "kind = \"low_limit\"\nunit = \"celsius\"\nraise_below = 18.0\nclear_above = 19.0\n";
  constexpr std::string_view wet = "kind = \"state\"\nraise_when = [\"Wet\", 2]\noff_delay_s = 20\n";
  constexpr std::string_view not_dry = "kind = \"state\"\nraise_unless = [\"dry\"]\n";
  return {
      {"AtTheLimitIsNotAboveIt",
       "ambient.temperature",
       hot,
       {{0s, reads, 28.0, false}, {60s, waits, 0, false}}},
      {"OneReadingThenSilenceRaises",
       "ambient.temperature",
       hot,
       {{0s, reads, 28.1, false}, {29s, waits, 0, false}, {30s, waits, 0, true}}},
      {"AnExcursionShorterThanTheDelayIsForgotten",
       "ambient.temperature",
       hot,
       {{0s, reads, 31, false},
        {29s, reads, 27, false},
        {30s, reads, 31, false},
        {59s, waits, 0, false},
        {60s, waits, 0, true}}},
      {"LosingTheSensorWhilePendingStillRaises",
       "ambient.temperature",
       hot,
       {{0s, reads, 31, false}, {10s, loses, 0, false}, {30s, waits, 0, true}}},
      {"LosingTheSensorRaisesNothing",
       "ambient.temperature",
       hot,
       {{0s, loses, 0, false}, {600s, waits, 0, false}}},
      {"LosingTheSensorClearsNothing",
       "ambient.temperature",
       hot,
       {{0s, reads, 31, false}, {30s, waits, 0, true}, {40s, loses, 0, true}, {900s, waits, 0, true}}},
      {"TheHysteresisBandKeepsItRaised",
       "ambient.temperature",
       hot,
       {{0s, reads, 31, false},
        {30s, waits, 0, true},
        {40s, reads, 26.0, true},
        {90s, waits, 0, true},
        {100s, reads, 25.9, true},
        {110s, waits, 0, false}}},
      {"SilenceWhileClearingStopsTheClearing",
       "ambient.temperature",
       hot,
       {{0s, reads, 31, false},
        {30s, waits, 0, true},
        {40s, reads, 20, true},
        {45s, loses, 0, true},
        {60s, waits, 0, true},
        {70s, reads, 20, true},
        {80s, waits, 0, false}}},
      {"ALowLimitRaisesBelowIt",
       "ambient.temperature",
       cold,
       {{0s, reads, 18.0, false},
        {1s, reads, 17.9, true},
        {2s, reads, 19.0, true},
        {3s, reads, 19.1, false}}},
      {"AStateRaisesByTextOrCode",
       "leak.state",
       wet,
       {{0s, reads, 0, false},
        {1s, reads, 1, true},
        {2s, reads, 0, true},
        {22s, waits, 0, false},
        {30s, reads, 2, true}}},
      {"EveryOtherStateRaises",
       "leak.state",
       not_dry,
       {{0s, reads, 0, false}, {1s, loses, 0, false}, {2s, reads, 7, true}, {3s, reads, 0, false}}},
  };
}

/// The texts of the states of leak.state in these stories: 0 dry, 1 wet, others none.
constexpr std::string_view timeline_state(double code) { return code == 0 ? "dry" : code == 1 ? "wet" : ""; }

}  // namespace watchroom
