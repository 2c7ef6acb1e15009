// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// Random words that the agent tells with each birth and heartbeat. An order that answers one was made after
/// that: so its age is known by the steady clock, which needs nobody to vouch for it. Thread-safe; `clock`
/// must outlive it.
class Challenges {
 public:
  static constexpr std::size_t most = 32;  ///< older ones are forgotten

  explicit Challenges(const Clock& clock) : clock_{clock} {}

  /// A new one, to be told now.
  std::string fresh();
  /// How old an order is that answers `challenge`, which its issuer had had for `held` when it signed. What
  /// the challenge took on its way counts as age. Nothing: it is none of the last ones.
  std::optional<std::chrono::milliseconds> age_of(std::string_view challenge,
                                                  std::chrono::milliseconds held) const;

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::deque<std::pair<std::string, Steady>> told_;
};

}  // namespace watchroom::agent
