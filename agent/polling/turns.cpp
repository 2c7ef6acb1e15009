// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/turns.hpp"

#include <algorithm>

namespace watchroom::agent {

using std::chrono::milliseconds;

milliseconds back_off(milliseconds interval, int failures) {
  constexpr milliseconds shortest{1'000};
  milliseconds pause = std::max(interval, shortest);
  for (int i = 1; i < failures && pause < longest_back_off; ++i) pause *= 2;
  return std::min(pause, std::max(longest_back_off, interval));
}

Steady next_due(Steady due, milliseconds interval, Steady ended) {
  if (due > ended) return due;
  return due + interval * (1 + (ended - due) / interval);
}

}  // namespace watchroom::agent
