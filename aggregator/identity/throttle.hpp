// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// Slows guessing down, per name and per address: after a few failures each further one doubles the wait. The
/// wait for a name stays short enough that nobody can lock a colleague out of an emergency; the one for an
/// address does not. Thread-safe. `clock` must outlive it.
class Throttle {
 public:
  explicit Throttle(const Clock& clock) : clock_{clock} {}

  /// Nothing: go on and try. Otherwise how long to wait. An attempt let through counts as failed until
  /// `succeeded` is called, so that attempts side by side gain nothing.
  std::optional<std::chrono::seconds> admit(std::string_view name, std::string_view address);
  void succeeded(std::string_view name, std::string_view address);
  /// The attempt was neither right nor wrong: as if it had not been.
  void taken_back(std::string_view name, std::string_view address);

 private:
  struct Rule {
    int free_failures;
    std::chrono::seconds first_wait;
    std::chrono::seconds longest_wait;
  };
  struct Record {
    int failures = 0;
    Steady last{};
    Steady open_at{};
  };
  using Records = std::map<std::string, Record, std::less<>>;

  static constexpr Rule name_rule{5, std::chrono::seconds{1}, std::chrono::seconds{60}};
  static constexpr Rule address_rule{10, std::chrono::seconds{1}, std::chrono::seconds{900}};
  static constexpr std::chrono::minutes forgotten_after{30};
  static constexpr std::size_t most_records = 20'000;

  static void take_back(Records& records, std::string_view key);
  Record& record_of(Records& records, std::string_view key);
  static void count(Record& record, const Rule& rule, Steady now);

  const Clock& clock_;
  std::mutex mutex_;
  Records names_;      // under mutex_
  Records addresses_;  // under mutex_
};

/// What counts as one address: for IPv6 its /64, which one client owns whole (RFC 6177).
std::string throttled_address(std::string_view address);

}  // namespace watchroom::aggregator
