// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <optional>

#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// What a bouncing contact really is: a level counts once it has lasted. Pure: told what was seen and when,
/// by edges or by looking, in order of time.
class Debounce {
 public:
  /// The level found at the start counts at once.
  Debounce(bool level, std::chrono::milliseconds settle) : settle_{settle}, settled_{level}, seen_{level} {}

  void see(bool level, Steady at) {
    settled_ = this->level(at);
    if (level == seen_) return;
    seen_ = level;
    seen_at_ = at;
  }
  bool level(Steady now) const { return now - seen_at_ >= settle_ ? seen_ : settled_; }
  /// When the level that is seen will count; nothing when it counts already.
  std::optional<Steady> settles_at(Steady now) const {
    return level(now) == seen_ ? std::nullopt : std::optional{seen_at_ + settle_};
  }

 private:
  std::chrono::milliseconds settle_;
  bool settled_;
  bool seen_;
  Steady seen_at_{};
};

}  // namespace watchroom::agent
