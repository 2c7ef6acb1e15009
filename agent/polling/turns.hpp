// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// Whose turn it is among the devices of one bus. Pure: no clock, no lock.
class Turns {
 public:
  virtual ~Turns() = default;

  /// The device to ask now; nothing when nobody is due. Who was given must be reported by `asked` before it
  /// is given again.
  virtual std::optional<std::size_t> next(Steady now) = 0;
  /// When to ask `next` again; after now, unless `next` has an answer now.
  virtual Steady wake_at(Steady now) const = 0;
  /// The device was asked from `began` to `ended`.
  virtual void asked(std::size_t device, Steady began, Steady ended, bool answered) = 0;
  /// Its pace from its next turn on.
  virtual void set_interval(std::size_t device, std::chrono::milliseconds interval) = 0;
};

/// How long a device is left alone that did not answer `failures` times in a row: doubles up to 30 s, or its
/// interval where that is longer.
std::chrono::milliseconds back_off(std::chrono::milliseconds interval, int failures);
constexpr std::chrono::milliseconds longest_back_off{30'000};

/// The due time after `due` for a device asked until `ended`: the rhythm is kept, turns that were missed are
/// not made up for.
Steady next_due(Steady due, std::chrono::milliseconds interval, Steady ended);

}  // namespace watchroom::agent
