// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/schedule.hpp"

#include <algorithm>
#include <tuple>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// A probe that finds no pause long enough waits this long past its due time before it takes a slot anyway…
constexpr milliseconds probe_patience = 5s;
// …and after each probe the bus belongs to the living for this many times its length.
constexpr int living_share = 4;
constexpr int living_share_at_start = 1;

}  // namespace

Schedule::Schedule(const std::vector<milliseconds>& intervals, Steady start) {
  for (const milliseconds interval : intervals) entries_.push_back({.interval = interval, .due = start});
}

std::optional<std::size_t> Schedule::first_due(bool living) const {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if ((entry.standing == Standing::living) != living) continue;
    const auto rank = [](const Entry& one) { return std::tuple{one.turn(), one.asked_at, one.interval}; };
    if (!first || rank(entry) < rank(entries_[*first])) first = i;
  }
  return first;
}

bool Schedule::may_probe(const Entry& probed, const Entry* next_living, Steady now) const {
  if (probed.turn() > now) return false;
  if (!next_living) return true;
  if (now < probes_again_at_) return false;
  return probed.is_hurried() || next_living->turn() >= now + probed.cost ||
         now >= probed.due + probe_patience;
}

std::optional<std::size_t> Schedule::next(Steady now) {
  const auto living = first_due(true);
  const auto probed = first_due(false);
  const bool is_probe = probed && may_probe(entries_[*probed], living ? &entries_[*living] : nullptr, now);
  const auto given = is_probe ? probed : living && entries_[*living].turn() <= now ? living : std::nullopt;
  if (given) entries_[*given].haste.given(now);
  return given;
}

Steady Schedule::wake_at(Steady now) const {
  const auto living = first_due(true);
  const auto probed = first_due(false);
  Steady wake = now + longest_back_off;
  if (living) wake = std::min(wake, entries_[*living].turn());
  if (probed) {
    const Entry& entry = entries_[*probed];
    Steady probe = living ? std::max(entry.turn(), probes_again_at_) : entry.turn();
    if (living && probe <= now) probe = std::max(entry.due + probe_patience, probes_again_at_);
    wake = std::min(wake, probe);
  }
  return wake;
}

void Schedule::asked(std::size_t device, Steady began, Steady ended, bool answered) {
  Entry& entry = entries_[device];
  const Standing before = entry.standing;
  entry.cost = ended - began;
  entry.asked_at = began;
  if (before != Standing::living)
    probes_again_at_ = ended + entry.cost * (before == Standing::dead ? living_share : living_share_at_start);
  if (!answered) {
    entry.standing = Standing::dead;
    ++entry.failures;
    entry.due = ended + back_off(entry.interval, entry.failures);
    return;
  }
  entry.standing = Standing::living;
  entry.failures = 0;
  if (before != Standing::living) entry.due = began;
  // Whose answer takes longer than its interval has no rhythm to keep: the bus must not rest for one.
  const bool is_too_slow = entry.cost >= entry.interval;
  entry.due = is_too_slow ? began + entry.interval : next_due(entry.due, entry.interval, ended);
}

}  // namespace watchroom::agent
