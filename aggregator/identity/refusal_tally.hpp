// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "aggregator/live/refusals.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// Counts what was refused, so that somebody is told who tries passwords or tokens. Memory is bounded,
/// whoever asks. Thread-safe. `clock` must outlive it.
class RefusalTally {
 public:
  static constexpr std::chrono::minutes window{10};
  static constexpr std::size_t most_kept = 1'000;  ///< addresses, and secrets; beyond them all is counted

  explicit RefusalTally(const Clock& clock) : clock_{clock}, since_{clock.steady()} {}

  /// A password or one-time code, or one that was not even looked at. Each counts.
  void password(std::string_view name, std::string_view address);
  /// A token or certificate. The same one again is a program that nobody told, and no guess.
  void secret(std::string_view secret, std::string_view address);
  /// A log-in's cookie. After a start every page that is open has one that is unknown: not counted then.
  void session(std::string_view id, std::string_view address);

  Refusals lately();

 private:
  struct Second {
    Steady begun;
    std::uint64_t count = 0;
  };
  using Seen = std::map<std::string, Steady, std::less<>>;

  bool is_whole(Steady now) const { return now - since_ >= window; }
  void count(std::string_view name, std::string_view address, Steady now);
  void forget(Steady now);
  /// Whether it was there already.
  static bool see(Seen& seen, std::string key, Steady now);

  const Clock& clock_;
  const Steady since_;
  std::mutex mutex_;
  std::deque<Second> seconds_;  // under mutex_, as all below
  Seen addresses_;              // as the throttle tells them apart
  Seen secrets_;                // SHA-256
  std::string last_name_, last_address_;
};

}  // namespace watchroom::aggregator
