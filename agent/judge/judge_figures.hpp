// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.hpp"
#include "proto/trust/output_order.hpp"

namespace watchroom::agent {

enum class ReactionState : std::int64_t {
  normal = 0,
  delayed = 1,  ///< its condition holds, its on-delay runs
  raised = 2,
  latched = 3,  ///< its condition is gone, it waits for a reset
  unknown = 4,  ///< nothing could be read yet
};

enum class OutputState : std::int64_t {
  off = 0,
  on = 1,
  failed = 2,        ///< it is not as wanted, though it was written
  inhibited = 3,     ///< a reaction wants it on, and may not
  unknown = 4,       ///< it could not be read
  on_by_others = 5,  ///< not by us
};

struct ReactionFigures {
  std::string name;
  ReactionState state = ReactionState::unknown;
};

struct OutputFigures {
  std::string name;
  OutputState state = OutputState::unknown;
  std::uint64_t writes = 0;                        ///< since the start
  std::uint64_t failures = 0;                      ///< of those
  std::uint64_t order = 0;                         ///< number of the order that was taken last; 0: none
  OutputProgress progress = OutputProgress::none;  ///< of that order
  std::uint64_t refused = 0;                       ///< number of the order that was refused last
};

struct InhibitFigures {
  bool is_inhibited = false;
  std::string owner;
  std::string reason;
  Timestamp until{};
};

/// What the local judge does, at one moment.
struct JudgeFigures {
  std::vector<ReactionFigures> reactions;
  std::vector<OutputFigures> outputs;
  InhibitFigures inhibit;
  std::string inhibit_text;  ///< the same for people
};

}  // namespace watchroom::agent
