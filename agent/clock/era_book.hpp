// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>

#include "agent/clock/clock_watch.hpp"

namespace watchroom::agent {

/// A stretch in which the agent's wall time ran along its steady time with one offset. Each record knows its
/// era, so that its times can be put right when the true time becomes known.
struct ClockEra {
  std::int64_t number = 0;
  std::string boot;                          ///< of the machine
  std::chrono::milliseconds offset{0};       ///< wall time less steady time
  ClockTrust trust = ClockTrust::plausible;  ///< confirmed: `correction` holds
  std::chrono::milliseconds correction{0};   ///< to be added to its wall times

  bool operator==(const ClockEra&) const = default;
};

/// What is to be done to the times of a record.
struct ClockCorrection {
  std::chrono::milliseconds by{0};
  bool is_unsure = false;
};

/// The eras whose records are still kept. Pure but for the numbers, which are drawn by chance: those of a
/// journal that was out of reach when an era began must not be met again.
class EraBook {
 public:
  /// Begins the present one.
  std::int64_t begin(const std::string& boot, std::chrono::milliseconds offset, ClockTrust trust);
  /// The true offset in this boot is known: so are the times of all its eras that nobody had confirmed.
  void confirm(const std::string& boot, std::chrono::milliseconds offset);
  /// What a file knew.
  void add(ClockEra era) { eras_.insert_or_assign(era.number, std::move(era)); }

  std::int64_t present() const { return present_; }
  ClockCorrection correction(std::int64_t era) const;
  const std::map<std::int64_t, ClockEra>& all() const { return eras_; }

 private:
  std::map<std::int64_t, ClockEra> eras_;
  std::int64_t present_ = 0;  // 0: nobody watches the clock
  std::random_device chance_;
};

}  // namespace watchroom::agent
