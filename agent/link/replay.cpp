// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/link/replay.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto shortest_interval = 100ms;
// Records sent this close together age as one.
constexpr auto flight_grain = 500ms;
// Hosts acknowledge each 1 to 5 s: enough on the way not to stop in between.
constexpr std::uint64_t window_seconds = 6;
constexpr std::uint64_t least_window = 100;

}  // namespace

Replay::Replay(Journal& journal, int records_per_s)
    : journal_{journal},
      interval_{std::max<std::chrono::milliseconds>(shortest_interval, 1000ms / std::max(records_per_s, 1))},
      batch_{static_cast<std::size_t>(std::max<std::int64_t>(1, records_per_s * interval_.count() / 1000))},
      window_{
          std::max(least_window, window_seconds * static_cast<std::uint64_t>(std::max(records_per_s, 1)))} {}

void Replay::clear() {
  waiting_.clear();
  flights_.clear();
}

void Replay::add_all_but_flights(RecordRange range) {
  add(range);
  for (const Flight& flight : flights_) waiting_.remove(flight.range.first, flight.range.last);
}

void Replay::note_sent(std::uint64_t number, Kind kind, Steady now) {
  waiting_.remove(number, number);
  if (!flights_.empty()) {
    Flight& last = flights_.back();
    if (last.kind == kind && last.range.last + 1 == number && now - last.sent_at < flight_grain) {
      last.range.last = number;
      return;
    }
  }
  flights_.push_back({{number, number}, kind, now});
}

void Replay::expire(Steady now, const std::vector<std::string>& hosts) {
  while (!flights_.empty() && now - flights_.front().sent_at >= patience) {
    for (const RecordRange& range : journal_.missing(flights_.front().range, hosts)) add(range);
    flights_.pop_front();
  }
}

std::uint64_t Replay::on_their_way(const std::vector<std::string>& hosts) const {
  std::uint64_t sum = 0;
  for (const Flight& flight : flights_)
    if (flight.kind == Kind::replayed)
      for (const RecordRange& range : journal_.missing(flight.range, hosts))
        sum += range.last - range.first + 1;
  return sum;
}

Result<std::vector<JournalRecord>> Replay::take(Steady now, const std::vector<std::string>& hosts) {
  std::vector<JournalRecord> taken;
  if (now < next_at_ || is_drained()) return taken;
  next_at_ = now + interval_;
  const std::uint64_t flying = on_their_way(hosts);
  const std::size_t most = std::min<std::uint64_t>(batch_, window_ - std::min(window_, flying));
  for (RecordRange range : waiting_.ranges()) {
    range.last = std::min(range.last, journal_.head());
    if (taken.size() >= most || range.first > range.last) break;
    const std::size_t wanted = most - taken.size();
    auto records = journal_.read(range, wanted, hosts);
    if (!records) return records.error();
    // Numbers that were passed over are acknowledged or lost.
    waiting_.remove(range.first, records->size() < wanted ? range.last : records->back().number);
    std::move(records->begin(), records->end(), std::back_inserter(taken));
  }
  return taken;
}

bool Replay::is_drained() const { return waiting_.empty() || waiting_.lowest() > journal_.head(); }

std::optional<Steady> Replay::deadline(bool is_paused, const std::vector<std::string>& hosts) const {
  std::optional<Steady> due;
  if (!flights_.empty()) due = flights_.front().sent_at + patience;
  if (is_paused || is_drained() || on_their_way(hosts) >= window_) return due;
  return std::min(due.value_or(next_at_), next_at_);
}

}  // namespace watchroom::agent
