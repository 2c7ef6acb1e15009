// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "proto/base/clock.hpp"

namespace watchroom {

/// What a rule's condition says of the newest facts.
enum class Verdict {
  holds,    ///< beyond the limit
  between,  ///< neither beyond the limit nor back behind the clear limit: the hysteresis band
  gone,     ///< back behind the clear limit
  unknown,  ///< nothing can be said: no value, no contact
};

/// How long a condition must last before it counts, either way (ISA-18.2 on-delay and off-delay).
struct Delays {
  std::chrono::milliseconds on{0};
  std::chrono::milliseconds off{0};
};

enum class Phase { normal, pending, raised, clearing };

constexpr std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::normal: return "normal";
    case Phase::pending: return "pending";
    case Phase::raised: return "raised";
    case Phase::clearing: return "clearing";
  }
  return "normal";
}

constexpr std::optional<Phase> phase_named(std::string_view name) {
  for (const Phase phase : {Phase::normal, Phase::pending, Phase::raised, Phase::clearing})
    if (name_of(phase) == name) return phase;
  return std::nullopt;
}

/// Where one rule stands with one subject. `since` is when this phase began.
struct PhaseState {
  Phase phase = Phase::normal;
  Timestamp since{};
  bool operator==(const PhaseState&) const = default;
};

constexpr bool is_active(const PhaseState& state) {
  return state.phase == Phase::raised || state.phase == Phase::clearing;
}

/// New facts. Nothing known neither raises nor clears: the room may be burning behind a dead sensor. So while
/// pending, silence counts towards the on-delay; while clearing, it ends the clearing.
constexpr PhaseState step(const Delays& delays, PhaseState before, Verdict verdict, Timestamp now);

/// Time alone: readings come by exception, so a value that jumps and stays sends nothing more.
constexpr PhaseState tick(const Delays& delays, PhaseState before, Timestamp now);

/// When `tick` will change something; nothing while waiting for facts.
constexpr std::optional<Timestamp> deadline(const Delays& delays, const PhaseState& state);

constexpr PhaseState tick(const Delays& delays, PhaseState before, Timestamp now) {
  if (before.phase == Phase::pending && now - before.since >= delays.on) return {Phase::raised, now};
  if (before.phase == Phase::clearing && now - before.since >= delays.off) return {Phase::normal, now};
  return before;
}

constexpr PhaseState step(const Delays& delays, PhaseState before, Verdict verdict, Timestamp now) {
  before = tick(delays, before, now);
  const auto enter = [&](Phase phase) { return tick(delays, PhaseState{phase, now}, now); };
  switch (before.phase) {
    case Phase::normal: return verdict == Verdict::holds ? enter(Phase::pending) : before;
    case Phase::pending:
      return verdict == Verdict::holds || verdict == Verdict::unknown ? before : enter(Phase::normal);
    case Phase::raised: return verdict == Verdict::gone ? enter(Phase::clearing) : before;
    case Phase::clearing: return verdict == Verdict::gone ? before : enter(Phase::raised);
  }
  return before;
}

constexpr std::optional<Timestamp> deadline(const Delays& delays, const PhaseState& state) {
  if (state.phase == Phase::pending) return state.since + delays.on;
  if (state.phase == Phase::clearing) return state.since + delays.off;
  return std::nullopt;
}

}  // namespace watchroom
