// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {

/// Where a rule stands with a point on late readings alone: what must survive a crash in mid-backlog. In
/// phase normal there is nothing to keep. Times are the agent's.
struct LateWatch {
  std::string rule, site, agent, device, point;
  PhaseState state;
  Timestamp seen_until{};
  Timestamp raised_at{};
  Situation when_raised;
};

}  // namespace watchroom::aggregator
