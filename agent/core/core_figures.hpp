// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>

#include "agent/clock/clock_watch.hpp"
#include "agent/journal/journal_figures.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// How the core does, as of its last pass.
struct CoreFigures {
  JournalFigures journal;
  std::optional<Steady> connected_since;  ///< absent without a session
  Steady disconnected_since{};            ///< counts only without one
  std::optional<Steady> host_heard_at;    ///< when a host acknowledged last
  std::uint64_t sessions = 0;             ///< ever begun
  std::uint64_t failed_attempts = 0;      ///< to begin one
  std::uint64_t refused_acknowledgements = 0;
  ClockTrust clock_trust = ClockTrust::plausible;
  std::size_t mailbox_fill = 0;
  std::size_t mailbox_room = 0;  ///< for polls: beyond it they are dropped
  std::uint64_t mailbox_refused = 0;
  Steady back_by = Steady::max();  ///< by then the core comes by, unless it is stuck
};

}  // namespace watchroom::agent
