// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/pool_schedule.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// What takes longer than this keeps a worker from others.
constexpr milliseconds quick_within = 500ms;
// Who answered this lately has hardly fallen silent since.
constexpr milliseconds fresh_for = 3s;
// What is asked out of turn competes with the fastest pace.
constexpr milliseconds hurried_pace = 1s;

}  // namespace

Steady PoolSchedule::Entry::deadline() const {
  return turn() + (turn() < due ? std::min(interval, hurried_pace) : interval);
}

bool PoolSchedule::Entry::is_fresh(Steady now) const { return now - answered_at <= fresh_for; }

PoolSchedule::PoolSchedule(const std::vector<milliseconds>& intervals, int workers, Steady start)
    : most_others_{std::max(1, workers / 2)}, most_at_risk_{std::max(1, workers * 3 / 4)} {
  for (const auto interval : intervals) {
    entries_.push_back({.interval = interval, .due = start});
    enqueue(entries_.size() - 1);
  }
}

std::optional<std::size_t> PoolSchedule::next(Steady now) {
  const auto devices = next_several(now, 1);
  return devices.empty() ? std::nullopt : std::optional{devices.front()};
}

std::vector<std::size_t> PoolSchedule::next_several(Steady now, std::size_t most) {
  let_come_due(now);
  const auto choice = choose(now);
  if (!choice) return {};
  Worker worker{.risk = choice->risk};
  std::vector<std::size_t> devices;
  Queue& queue = line_of(entries_[choice->first->second]).due;
  for (auto place = choice->first; place != queue.end() && devices.size() < most;) {
    // Who is fresh waits for nobody who is not.
    const bool fits = worker.risk != Risk::none || entries_[place->second].is_fresh(now);
    if (fits) devices.push_back(place->second);
    place = fits ? take(queue, place, now) : std::next(place);
  }
  worker.left = devices.size();
  ++out_[static_cast<std::size_t>(worker.risk)];
  workers_.emplace(next_worker_++, worker);
  return devices;
}

void PoolSchedule::let_come_due(Steady now) {
  for (Line& line : lines_)
    while (!line.waiting.empty() && line.waiting.begin()->first <= now) {
      const std::size_t device = line.waiting.begin()->second;
      line.waiting.erase(line.waiting.begin());
      line.due.emplace(entries_[device].deadline(), device);
    }
}

std::optional<PoolSchedule::Choice> PoolSchedule::choose(Steady now) {
  Queue& slow = line_of(Standing::slow).due;
  Queue& others = line_of(Standing::other).due;
  const auto quick = choose_quick(now);
  if (!slow.empty() && may_risk() && !(quick && quick->first->first <= slow.begin()->first))
    return Choice{Risk::some, slow.begin()};
  if (quick) return quick;
  const bool has_room = out_[static_cast<std::size_t>(Risk::silence)] < most_others_ && may_risk();
  if (!others.empty() && has_room) return Choice{Risk::silence, others.begin()};
  return std::nullopt;
}

std::optional<PoolSchedule::Choice> PoolSchedule::choose_quick(Steady now) {
  Queue& due = line_of(Standing::quick).due;
  const auto is_fresh = [&](const auto& place) { return entries_[place.second].is_fresh(now); };
  auto first = due.begin();
  if (!may_risk()) first = std::find_if(first, due.end(), is_fresh);
  if (first == due.end()) return std::nullopt;
  return Choice{is_fresh(*first) ? Risk::none : Risk::some, first};
}

PoolSchedule::Queue::iterator PoolSchedule::take(Queue& queue, Queue::iterator place, Steady now) {
  Entry& entry = entries_[place->second];
  entry.is_taken = true;
  entry.worker = next_worker_;
  entry.haste.given(now);
  return queue.erase(place);
}

void PoolSchedule::give_back(std::size_t device) {
  entries_[device].is_taken = false;
  const auto worker = workers_.find(entries_[device].worker);
  if (--worker->second.left > 0) return;
  --out_[static_cast<std::size_t>(worker->second.risk)];
  workers_.erase(worker);
}

bool PoolSchedule::may_risk() const {
  return out_[static_cast<std::size_t>(Risk::some)] + out_[static_cast<std::size_t>(Risk::silence)] <
         most_at_risk_;
}

void PoolSchedule::enqueue(std::size_t device) {
  const Entry& entry = entries_[device];
  line_of(entry).waiting.emplace(entry.turn(), device);
}

Steady PoolSchedule::wake_at(Steady now) const {
  Steady wake = now + longest_back_off;
  for (const Line& line : lines_)
    if (!line.waiting.empty()) wake = std::min(wake, line.waiting.begin()->first);
  return wake;  // those that are due have no worker left: whoever comes back looks again
}

void PoolSchedule::asked(std::size_t device, Steady began, Steady ended, bool answered) {
  Entry& entry = entries_[device];
  give_back(device);
  const bool is_quick = answered && ended - began <= quick_within;
  if (!answered) {
    ++entry.failures;
    entry.due = ended + back_off(entry.interval, entry.failures);
  } else if (std::exchange(entry.failures, 0) > 0 || !entry.was_asked) {
    // A place in the round of its own: neighbours in the list are not asked at one moment.
    const auto place = static_cast<milliseconds::rep>(device) + 1;
    const auto places = static_cast<milliseconds::rep>(entries_.size());
    entry.due = began + entry.interval * place / places;
    if (entry.due <= ended) entry.due = next_due(entry.due, entry.interval, ended);
  } else {
    entry.due = next_due(entry.due, entry.interval, ended);
  }
  if (answered) entry.answered_at = ended;
  entry.standing = is_quick ? Standing::quick : answered ? Standing::slow : Standing::other;
  entry.was_asked = true;
  enqueue(device);
}

void PoolSchedule::hurry(std::size_t device, Steady now) {
  Entry& entry = entries_[device];
  if (entry.is_taken) {  // what is being read may be older than what happened: once more afterwards
    entry.haste.wish(now);
    return;
  }
  line_of(entry).waiting.erase({entry.turn(), device});
  line_of(entry).due.erase({entry.deadline(), device});
  entry.haste.wish(now);
  enqueue(device);
}

}  // namespace watchroom::agent
