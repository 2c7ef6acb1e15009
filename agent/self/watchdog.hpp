// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// Decides whether to say that we are well: only while nobody is missing. Pure.
class Watchdog {
 public:
  /// How long one may keep silent before one is restarted; absent: nobody would do that, and it only looks.
  explicit Watchdog(std::optional<std::chrono::milliseconds> timeout);

  struct Verdict {
    bool is_well = false;
    bool has_changed = false;  ///< since the last look: worth a line in the log
  };
  /// `missing`: who has not come by in time (who_is_missing).
  Verdict look(Steady now, const std::vector<std::string>& missing);
  /// When to look again. Half of the timeout, as sd_watchdog_enabled(3) has it; at once after a recovery.
  Steady due() const { return due_; }

 private:
  std::chrono::milliseconds interval_;
  Steady due_{};
  bool was_well_ = true;
};

}  // namespace watchroom::agent
