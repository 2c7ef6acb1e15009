// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/read_plan.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

using Group = std::vector<RegisterSpan>;

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

bool fits(const Group& group, const RegisterSpan& span, const ModbusLimits& limits) {
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

ReadPlan::ReadPlan(std::vector<RegisterSpan> spans, const ModbusLimits& limits) : limits_{limits} {
  std::sort(spans.begin(), spans.end());
  spans.erase(std::unique(spans.begin(), spans.end()), spans.end());
  for (const RegisterSpan& span : spans) {
    if (groups_.empty() || !fits(groups_.back(), span, limits_))
      groups_.push_back({span});
    else
      groups_.back().push_back(span);
  }
  rebuild();
}

void ReadPlan::rebuild() {
  requests_.clear();
  for (const Group& group : groups_) requests_.push_back(request_for(group));
}

bool ReadPlan::refuse(std::size_t index, int exception, Steady retry_at) {
  const auto at = groups_.begin() + static_cast<std::ptrdiff_t>(index);
  const bool was_cut = at->size() > 1;
  if (was_cut) {
    const auto cut = at->begin() + static_cast<std::ptrdiff_t>(cut_of(*at));
    Group tail{cut, at->end()};
    at->erase(cut, at->end());
    groups_.insert(groups_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(tail));
  } else {
    refused_[at->front()] = {exception, retry_at};
    groups_.erase(at);
  }
  rebuild();
  return was_cut;
}

void ReadPlan::readmit(Steady now) {
  for (auto at = refused_.begin(); at != refused_.end();) {
    if (at->second.retry_at > now) {
      ++at;
      continue;
    }
    groups_.push_back({at->first});
    at = refused_.erase(at);
  }
  rebuild();
}

int ReadPlan::refusal(const RegisterSpan& span) const {
  const auto found = refused_.find(span);
  return found == refused_.end() ? 0 : found->second.exception;
}

}  // namespace watchroom::agent
