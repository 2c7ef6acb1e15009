// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/slope.hpp"

namespace watchroom::agent {

void Slope::add(Steady at, double count) {
  constexpr int samples_a_window = 30;
  if (!samples_.empty() && count < latest_.count) samples_.clear();
  latest_ = {at, count};
  if (samples_.empty() || at - samples_.back().at >= window_ / samples_a_window) samples_.push_back(latest_);
  while (samples_.size() > 1 && samples_[1].at <= at - window_) samples_.pop_front();
}

double Slope::rise() const { return samples_.empty() ? 0.0 : latest_.count - samples_.front().count; }

std::optional<double> Slope::per_second() const {
  if (samples_.empty() || latest_.at <= samples_.front().at) return std::nullopt;
  return rise() / std::chrono::duration<double>(latest_.at - samples_.front().at).count();
}

void Widest::add(Steady at, std::chrono::milliseconds width) {
  while (!samples_.empty() && samples_.back().width <= width) samples_.pop_back();
  samples_.push_back({at, width});
  while (samples_.front().at <= at - window_) samples_.pop_front();
}

std::chrono::milliseconds Widest::value() const {
  return samples_.empty() ? std::chrono::milliseconds{0} : samples_.front().width;
}

}  // namespace watchroom::agent
