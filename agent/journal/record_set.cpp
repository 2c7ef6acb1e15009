// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/record_set.hpp"

#include <algorithm>

namespace watchroom::agent {

void RecordSet::add(std::uint64_t first, std::uint64_t last) {
  if (first > last) return;
  auto next = ranges_.upper_bound(first);
  if (next != ranges_.begin()) {
    const auto before = std::prev(next);
    if (before->second + 1 >= first) {
      first = before->first;
      last = std::max(last, before->second);
      next = ranges_.erase(before);
    }
  }
  while (next != ranges_.end() && next->first <= last + 1) {
    last = std::max(last, next->second);
    next = ranges_.erase(next);
  }
  ranges_.emplace(first, last);
}

void RecordSet::remove(std::uint64_t first, std::uint64_t last) {
  if (first > last) return;
  auto at = ranges_.upper_bound(first);
  if (at != ranges_.begin()) --at;
  while (at != ranges_.end() && at->first <= last) {
    const RecordRange old{at->first, at->second};
    at = ranges_.erase(at);
    if (old.last < first) {
      at = std::next(ranges_.emplace(old.first, old.last).first);
      continue;
    }
    if (old.first < first) ranges_.emplace(old.first, first - 1);
    if (old.last > last) ranges_.emplace(last + 1, old.last);
  }
}

bool RecordSet::contains(std::uint64_t number) const {
  const auto after = ranges_.upper_bound(number);
  return after != ranges_.begin() && std::prev(after)->second >= number;
}

std::uint64_t RecordSet::count() const {
  std::uint64_t sum = 0;
  for (const auto& [first, last] : ranges_) sum += last - first + 1;
  return sum;
}

std::vector<RecordRange> RecordSet::ranges() const {
  std::vector<RecordRange> all;
  for (const auto& [first, last] : ranges_) all.push_back({first, last});
  return all;
}

std::vector<RecordRange> RecordSet::missing(RecordRange within) const {
  std::vector<RecordRange> gaps;
  auto at = ranges_.upper_bound(within.first);
  if (at != ranges_.begin()) --at;
  std::uint64_t next = within.first;
  for (; at != ranges_.end() && at->first <= within.last && next <= within.last; ++at) {
    if (at->second < next) continue;
    if (at->first > next) gaps.push_back({next, at->first - 1});
    next = at->second + 1;
  }
  if (next <= within.last) gaps.push_back({next, within.last});
  return gaps;
}

RecordSet RecordSet::common_with(const RecordSet& other) const {
  RecordSet common;
  auto a = ranges_.begin();
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    common.add(std::max(a->first, b->first), std::min(a->second, b->second));
    if (a->second < b->second)
      ++a;
    else
      ++b;
  }
  return common;
}

}  // namespace watchroom::agent
