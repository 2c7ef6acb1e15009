// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/watchdog.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds look_again = 1s;

}  // namespace

Watchdog::Watchdog(std::optional<std::chrono::milliseconds> timeout) : interval_{timeout.value_or(20s) / 2} {}

Watchdog::Verdict Watchdog::look(Steady now, const std::vector<std::string>& missing) {
  const bool is_well = missing.empty();
  const Verdict verdict{is_well, is_well != was_well_};
  was_well_ = is_well;
  due_ = now + (is_well ? interval_ : std::min(interval_, look_again));
  return verdict;
}

}  // namespace watchroom::agent
