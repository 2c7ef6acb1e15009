// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/clock/challenges.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include <fmt/ranges.h>
#include <sys/random.h>

namespace watchroom::agent {

std::string Challenges::fresh() {
  std::array<std::uint8_t, 16> bytes{};
  // With this few bytes it neither fails nor comes short once the kernel has started (getrandom(2)).
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  std::string challenge = fmt::format("{:02x}", fmt::join(bytes, ""));
  const std::lock_guard lock{mutex_};
  told_.emplace_back(challenge, clock_.steady());
  if (told_.size() > most) told_.pop_front();
  return challenge;
}

std::optional<std::chrono::milliseconds> Challenges::age_of(std::string_view challenge,
                                                            std::chrono::milliseconds held) const {
  const std::lock_guard lock{mutex_};
  const auto found =
      std::find_if(told_.begin(), told_.end(), [&](const auto& one) { return one.first == challenge; });
  if (found == told_.end()) return std::nullopt;
  return clock_.steady() - found->second - held;
}

}  // namespace watchroom::agent
