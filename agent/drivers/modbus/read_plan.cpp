// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/read_plan.hpp"

#include <algorithm>
#include <utility>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Group = std::vector<RegisterSpan>;

constexpr std::chrono::seconds first_pause = 10s, longest_pause = 10min;

std::chrono::seconds pause_after(int times) {
  std::chrono::seconds pause = first_pause;
  for (int i = 1; i < times && pause < longest_pause; ++i) pause *= 2;
  return std::min(pause, longest_pause);
}

int end_of(const RegisterSpan& span) { return span.address + span.count; }

int end_of(const Group& group) {
  int end = 0;
  for (const RegisterSpan& span : group) end = std::max(end, end_of(span));
  return end;
}

ReadRequest request_for(const Group& group) {
  const std::uint16_t start = group.front().address;
  return {group.front().table, start, static_cast<std::uint16_t>(end_of(group) - start)};
}

bool fits(const Group& group, const RegisterSpan& span, const ModbusTraits& limits) {
  if (group.front().table != span.table) return false;
  const int most = is_bit_table(span.table) ? limits.max_bits : limits.max_registers;
  return span.address - end_of(group) <= limits.largest_hole &&
         std::max(end_of(group), end_of(span)) - group.front().address <= most;
}

/// Where to cut: at the widest hole, for that is where a device most likely has nothing; else in the middle.
std::size_t cut_of(const Group& group) {
  std::size_t cut = group.size() / 2;
  int widest = 0;
  for (std::size_t i = 1; i < group.size(); ++i) {
    const Group before{group.begin(), group.begin() + static_cast<std::ptrdiff_t>(i)};
    if (const int hole = group[i].address - end_of(before); hole > widest) widest = hole, cut = i;
  }
  return cut;
}

}  // namespace

ReadPlan::ReadPlan(std::vector<RegisterSpan> spans, const ModbusTraits& limits)
    : limits_{limits}, is_empty_{spans.empty()} {
  std::sort(spans.begin(), spans.end());
  spans.erase(std::unique(spans.begin(), spans.end()), spans.end());
  group(spans);
}

void ReadPlan::group(const std::vector<RegisterSpan>& spans) {
  groups_.clear();
  for (const RegisterSpan& span : spans) {
    if (groups_.empty() || !fits(groups_.back(), span, limits_) || is_parted(groups_.back(), span))
      groups_.push_back({span});
    else
      groups_.back().push_back(span);
  }
  rebuild();
}

/// Whether something that is left out stands between a group and a span behind it.
bool ReadPlan::is_parted(const Group& group, const RegisterSpan& span) const {
  return std::any_of(refused_.begin(), refused_.end(), [&](const auto& entry) {
    return entry.second.is_left_out && group.front() < entry.first && entry.first < span;
  });
}

void ReadPlan::forget() {
  std::vector<RegisterSpan> spans;
  for (const Group& group : groups_) spans.insert(spans.end(), group.begin(), group.end());
  for (const auto& [span, refusal] : refused_)
    if (refusal.is_left_out) spans.push_back(span);
  refused_.clear();
  std::sort(spans.begin(), spans.end());
  group(spans);
}

std::size_t ReadPlan::accept(std::size_t index) {
  const Group& group = groups_[index];
  if (group.size() == 1 && refused_.erase(group.front()) > 0) has_newcomers_ = true;
  return index + 1;
}

void ReadPlan::rebuild() {
  requests_.clear();
  for (const Group& group : groups_) requests_.push_back(request_for(group));
}

bool ReadPlan::refuse(std::size_t index, int exception, Steady now) {
  const auto at = groups_.begin() + static_cast<std::ptrdiff_t>(index);
  const bool was_cut = at->size() > 1;
  if (was_cut) {
    const auto cut = at->begin() + static_cast<std::ptrdiff_t>(cut_of(*at));
    Group tail{cut, at->end()};
    at->erase(cut, at->end());
    groups_.insert(groups_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(tail));
  } else {
    Refusal& refusal = refused_[at->front()];
    refusal = {exception, refusal.times + 1, now + pause_after(refusal.times + 1)};
    groups_.erase(at);
  }
  rebuild();
  return was_cut;
}

void ReadPlan::readmit(Steady now) {
  if (std::exchange(has_newcomers_, false)) {
    std::vector<RegisterSpan> spans;
    for (const Group& group : groups_) spans.insert(spans.end(), group.begin(), group.end());
    std::sort(spans.begin(), spans.end());
    group(spans);
  }
  for (auto& [span, refusal] : refused_) {
    if (!refusal.is_left_out || refusal.retry_at > now) continue;
    refusal.is_left_out = false;
    groups_.push_back({span});
  }
  rebuild();
}

bool ReadPlan::is_on_trial(std::size_t index) const {
  return groups_[index].size() == 1 && refused_.contains(groups_[index].front());
}

void ReadPlan::postpone(std::size_t index) {
  const auto at = groups_.begin() + static_cast<std::ptrdiff_t>(index);
  std::rotate(at, at + 1, groups_.end());
  rebuild();
}

int ReadPlan::times_refused(const RegisterSpan& span) const {
  const auto found = refused_.find(span);
  return found == refused_.end() ? 0 : found->second.times;
}

int ReadPlan::refusal(const RegisterSpan& span) const {
  const auto found = refused_.find(span);
  return found == refused_.end() || !found->second.is_left_out ? 0 : found->second.exception;
}

}  // namespace watchroom::agent
