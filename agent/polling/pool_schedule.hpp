// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <set>
#include <utility>
#include <vector>

#include "agent/polling/turns.hpp"

namespace watchroom::agent {

/// Turns among many devices that are asked several at a time and do not share a line. All are asked at the
/// start; after that their turns are spread over their interval. Devices that do not answer back off and take
/// half of the workers at most.
class PoolSchedule final : public Turns {
 public:
  PoolSchedule(const std::vector<std::chrono::milliseconds>& intervals, int workers, Steady start);

  std::optional<std::size_t> next(Steady now) override;
  Steady wake_at(Steady now) const override;
  void asked(std::size_t device, Steady began, Steady ended, bool answered) override;
  void hurry(std::size_t device, Steady now) override;
  void set_interval(std::size_t device, std::chrono::milliseconds interval, Steady now) override {
    entries_[device].interval = interval;
    entries_[device].due = now;
  }

 private:
  struct Entry {
    std::chrono::milliseconds interval{};
    Steady due{};
    int failures = 0;
    bool was_asked = false;
    bool is_taken = false;
    Haste haste{};
  };
  using Queue = std::set<std::pair<Steady, std::size_t>>;
  std::size_t take(Queue& queue, Steady now);
  void enqueue(std::size_t device);
  Queue& queue_of(const Entry& entry) { return entry.failures == 0 && entry.was_asked ? living_ : others_; }

  std::vector<Entry> entries_;
  Queue living_;
  Queue others_;  // never asked, or silent
  int most_others_;
  int others_taken_ = 0;
};

}  // namespace watchroom::agent
