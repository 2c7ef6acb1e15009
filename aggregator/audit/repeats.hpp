// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// Lets the same refusal be written down once a minute, with how often it happened, so that a guesser does
/// not fill the disk. Thread-safe. `clock` must outlive it.
class Repeats {
 public:
  explicit Repeats(const Clock& clock) : clock_{clock} {}

  /// How many of this kind were passed over since the last one that was let through; nothing: pass over this
  /// too.
  std::optional<std::uint64_t> admit(std::string kind);

 private:
  struct Record {
    Steady admitted{};
    std::uint64_t passed_over = 0;
  };
  static constexpr std::chrono::seconds interval{60};
  static constexpr std::size_t most_kinds = 5'000;

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Record> kinds_;  // under mutex_
};

}  // namespace watchroom::aggregator
