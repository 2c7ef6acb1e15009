// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// Whose turn it is among the devices of one bus. Pure: no clock, no lock.
class Turns {
 public:
  virtual ~Turns() = default;

  /// The device to ask now; nothing when nobody is due. Who was given must be reported by `asked` before it
  /// is given again.
  virtual std::optional<std::size_t> next(Steady now) = 0;
  /// The same for one thread that asks several together; `most` at most, and nobody when nobody is due.
  virtual std::vector<std::size_t> next_several(Steady now, [[maybe_unused]] std::size_t most) {
    const auto one = next(now);
    return one ? std::vector{*one} : std::vector<std::size_t>{};
  }
  /// When to ask `next` again; after now, unless `next` has an answer now.
  virtual Steady wake_at(Steady now) const = 0;
  /// The device was asked from `began` to `ended`.
  virtual void asked(std::size_t device, Steady began, Steady ended, bool answered) = 0;
  /// The device is to be asked as soon as may be, besides its rhythm: something has happened to it. However
  /// often that is said, it costs one turn at a time and one a second at most.
  virtual void hurry(std::size_t device, Steady now) = 0;
  /// Another pace, which begins now; only while the device is being asked.
  virtual void set_interval(std::size_t device, std::chrono::milliseconds interval, Steady now) = 0;
};

/// One device's wish to be asked out of turn.
class Haste {
 public:
  void wish(Steady now) {
    if (!wanted_at_) wanted_at_ = std::max(now, again_at_);
  }
  /// When it is its turn, `due` being when its rhythm says so.
  Steady turn(Steady due) const { return wanted_at_ ? std::min(due, *wanted_at_) : due; }
  /// It is given a turn. What is wished from here on is wished anew.
  void given(Steady now) {
    if (wanted_at_) again_at_ = now + pause;
    wanted_at_.reset();
  }

 private:
  static constexpr std::chrono::seconds pause{1};
  std::optional<Steady> wanted_at_;
  Steady again_at_{};
};

/// How long a device is left alone that did not answer `failures` times in a row: doubles up to 30 s, or its
/// interval where that is longer.
std::chrono::milliseconds back_off(std::chrono::milliseconds interval, int failures);
constexpr std::chrono::milliseconds longest_back_off{30'000};

/// The due time after `due` for a device asked until `ended`: the rhythm is kept, also by one that was asked
/// out of turn; turns that were missed are not made up for.
Steady next_due(Steady due, std::chrono::milliseconds interval, Steady ended);

}  // namespace watchroom::agent
