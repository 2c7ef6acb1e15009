// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/pool_schedule.hpp"

#include <algorithm>

namespace watchroom::agent {

PoolSchedule::PoolSchedule(const std::vector<std::chrono::milliseconds>& intervals, int workers, Steady start)
    : most_others_{std::max(1, workers / 2)} {
  for (const auto interval : intervals) {
    others_.emplace(start, entries_.size());
    entries_.push_back({.interval = interval, .due = start});
  }
}

std::optional<std::size_t> PoolSchedule::next(Steady now) {
  const auto is_due = [now](const Queue& queue) { return !queue.empty() && queue.begin()->first <= now; };
  if (is_due(living_)) return take(living_, now);
  if (others_taken_ >= most_others_ || !is_due(others_)) return std::nullopt;
  ++others_taken_;
  return take(others_, now);
}

std::size_t PoolSchedule::take(Queue& queue, Steady now) {
  const std::size_t device = queue.begin()->second;
  queue.erase(queue.begin());
  entries_[device].is_taken = true;
  entries_[device].haste.given(now);
  return device;
}

void PoolSchedule::enqueue(std::size_t device) {
  const Entry& entry = entries_[device];
  queue_of(entry).emplace(entry.haste.turn(entry.due), device);
}

Steady PoolSchedule::wake_at(Steady now) const {
  Steady wake = now + longest_back_off;
  if (!living_.empty()) wake = std::min(wake, living_.begin()->first);
  // With no worker left for them, whoever comes back from one looks again.
  if (!others_.empty() && others_taken_ < most_others_) wake = std::min(wake, others_.begin()->first);
  return wake;
}

void PoolSchedule::asked(std::size_t device, Steady began, Steady ended, bool answered) {
  Entry& entry = entries_[device];
  if (entry.failures > 0 || !entry.was_asked) --others_taken_;
  if (!answered) {
    ++entry.failures;
    entry.due = ended + back_off(entry.interval, entry.failures);
  } else if (std::exchange(entry.failures, 0) > 0 || !entry.was_asked) {
    // A place in the round of its own: neighbours in the list are not asked at one moment.
    const auto place = static_cast<std::chrono::milliseconds::rep>(device) + 1;
    const auto places = static_cast<std::chrono::milliseconds::rep>(entries_.size());
    entry.due = began + entry.interval * place / places;
    if (entry.due <= ended) entry.due = next_due(entry.due, entry.interval, ended);
  } else {
    entry.due = next_due(entry.due, entry.interval, ended);
  }
  entry.was_asked = true;
  entry.is_taken = false;
  enqueue(device);
}

void PoolSchedule::hurry(std::size_t device, Steady now) {
  Entry& entry = entries_[device];
  if (entry.is_taken) {  // what is being read may be older than what happened: once more afterwards
    entry.haste.wish(now);
    return;
  }
  queue_of(entry).erase({entry.haste.turn(entry.due), device});
  entry.haste.wish(now);
  enqueue(device);
}

}  // namespace watchroom::agent
