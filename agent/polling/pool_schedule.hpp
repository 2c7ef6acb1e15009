// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "agent/polling/turns.hpp"

namespace watchroom::agent {

/// Turns among many devices that are asked several at a time and do not share a line. All are asked at the
/// start; after that their turns are spread over their interval. Who is late by his own pace goes first.
/// Whoever may keep a worker for long leaves some to the others: devices that are slow or do not answer, and
/// those whose last answer is not of this moment, for a whole network may have fallen silent since.
class PoolSchedule final : public Turns {
 public:
  /// A worker asks one device at a time, or several that `next_several` gave it.
  PoolSchedule(const std::vector<std::chrono::milliseconds>& intervals, int workers, Steady start);

  std::optional<std::size_t> next(Steady now) override;
  std::vector<std::size_t> next_several(Steady now, std::size_t most) override;
  Steady wake_at(Steady now) const override;
  void asked(std::size_t device, Steady began, Steady ended, bool answered) override;
  void hurry(std::size_t device, Steady now) override;
  void set_interval(std::size_t device, std::chrono::milliseconds interval, Steady now) override {
    entries_[device].interval = interval;
    entries_[device].due = now;
  }

 private:
  enum class Standing { other, slow, quick };  // other: never asked, or silent
  struct Entry {
    std::chrono::milliseconds interval{};
    Steady due{};
    Standing standing = Standing::other;
    int failures = 0;
    bool was_asked = false;
    Steady answered_at{};
    Haste haste{};
    bool is_taken = false;
    std::size_t worker = 0;  // who has it

    Steady turn() const { return haste.turn(due); }
    Steady deadline() const;
    bool is_fresh(Steady now) const;
  };
  using Queue = std::set<std::pair<Steady, std::size_t>>;
  struct Line {
    Queue waiting;  // by their turn
    Queue due;      // by the moment until which their turn keeps the pace
  };
  enum class Risk { none, some, silence };  // that a worker is gone for long
  struct Choice {
    Risk risk = Risk::none;
    Queue::iterator first;
  };
  struct Worker {
    Risk risk = Risk::none;
    std::size_t left = 0;
  };

  Line& line_of(const Entry& entry) { return lines_[static_cast<std::size_t>(entry.standing)]; }
  Line& line_of(Standing standing) { return lines_[static_cast<std::size_t>(standing)]; }
  void enqueue(std::size_t device);
  void let_come_due(Steady now);
  std::optional<Choice> choose(Steady now);
  std::optional<Choice> choose_quick(Steady now);
  Queue::iterator take(Queue& queue, Queue::iterator place, Steady now);
  void give_back(std::size_t device);
  bool may_risk() const;

  std::vector<Entry> entries_;
  std::array<Line, 3> lines_;  // by standing
  int most_others_;
  int most_at_risk_;
  std::array<int, 3> out_{};               // workers, by their risk
  std::map<std::size_t, Worker> workers_;  // those that are out
  std::size_t next_worker_ = 0;
};

}  // namespace watchroom::agent
