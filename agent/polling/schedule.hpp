// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "agent/polling/turns.hpp"

namespace watchroom::agent {

/// Turns on one line, where one is asked at a time. Living devices go in the order of their due times. A
/// device that did not answer backs off, doubling up to 30 s, and is then asked in a probe slot: in a pause
/// of the living long enough for its time-out, or after a while anyway but only for a small share of the bus.
/// So is a device that was never asked, for it may be dead; but those share the bus with the living half and
/// half.
class Schedule final : public Turns {
 public:
  /// Everything is due at `start`; ties go to who has waited longest, then to the shorter interval.
  Schedule(const std::vector<std::chrono::milliseconds>& intervals, Steady start);

  std::optional<std::size_t> next(Steady now) override;
  Steady wake_at(Steady now) const override;
  void asked(std::size_t device, Steady began, Steady ended, bool answered) override;
  void hurry(std::size_t device, Steady now) override { entries_[device].haste.wish(now); }
  void set_interval(std::size_t device, std::chrono::milliseconds interval, Steady now) override {
    entries_[device].interval = interval;
    entries_[device].due = now;
  }

 private:
  enum class Standing { never_asked, living, dead };
  struct Entry {
    std::chrono::milliseconds interval{};
    Steady due{};
    Standing standing = Standing::never_asked;
    int failures = 0;
    std::chrono::milliseconds cost{};  // of the last time it was asked
    Steady asked_at{};
    Haste haste{};

    Steady turn() const { return haste.turn(due); }
    bool is_hurried() const { return turn() < due; }
  };
  std::optional<std::size_t> first_due(bool living) const;
  bool may_probe(const Entry& probed, const Entry* next_living, Steady now) const;

  std::vector<Entry> entries_;
  Steady probes_again_at_{};
};

}  // namespace watchroom::agent
