// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/audit/repeats.hpp"

namespace watchroom::aggregator {

std::optional<std::uint64_t> Repeats::admit(std::string kind) {
  const Steady now = clock_.steady();
  const std::lock_guard lock{mutex_};
  if (kinds_.size() >= most_kinds && !kinds_.contains(kind)) {
    std::erase_if(kinds_, [&](const auto& entry) {
      return entry.second.passed_over == 0 && now - entry.second.admitted >= interval;
    });
    // Too many at once to tell apart: they share what is left.
    if (kinds_.size() >= most_kinds) kind.clear();
  }
  const auto [at, is_new] = kinds_.try_emplace(std::move(kind), Record{now, 0});
  Record& record = at->second;
  if (!is_new && now - record.admitted < interval) {
    ++record.passed_over;
    return std::nullopt;
  }
  record.admitted = now;
  return std::exchange(record.passed_over, 0);
}

}  // namespace watchroom::aggregator
