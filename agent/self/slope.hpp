// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>

#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// How much a counter has risen over the last `window`, or since it is known if that is shorter. Holds some
/// thirty samples, however often it is told. Pure.
class Slope {
 public:
  explicit Slope(std::chrono::milliseconds window) : window_{window} {}

  /// A counter that went back has begun anew.
  void add(Steady at, double count);
  double rise() const;
  /// Absent as long as no time has passed.
  std::optional<double> per_second() const;

 private:
  struct Sample {
    Steady at{};
    double count = 0;
  };
  std::chrono::milliseconds window_;
  std::deque<Sample> samples_;  // the first may be older than the window, the second is not
  Sample latest_;
};

/// The widest of what was told within the last `window`. Pure.
class Widest {
 public:
  explicit Widest(std::chrono::milliseconds window) : window_{window} {}

  void add(Steady at, std::chrono::milliseconds width);
  std::chrono::milliseconds value() const;

 private:
  struct Sample {
    Steady at{};
    std::chrono::milliseconds width{};
  };
  std::chrono::milliseconds window_;
  std::deque<Sample> samples_;  // falling
};

}  // namespace watchroom::agent
