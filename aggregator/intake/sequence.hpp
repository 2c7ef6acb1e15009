// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>

#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// Watches a node's message numbers (0 … 255, 0 …). Messages are not held back for order; a gap that is still
/// open when the reorder timeout ends calls for a rebirth (operational-behavior-host-reordering-*). Pure.
class Sequence {
 public:
  /// The number of the NBIRTH.
  void start(std::uint8_t seq) {
    next_ = static_cast<std::uint8_t>(seq + 1);
    early_.reset();
    gap_since_.reset();
  }

  /// True when this message opens a gap.
  bool note(std::uint8_t seq, Steady now) {
    const auto ahead = static_cast<std::uint8_t>(seq - next_);
    if (ahead >= 128) return false;  // late, or repeated by the broker
    if (ahead > 0) {
      early_.set(seq);
      if (gap_since_) return false;
      gap_since_ = now;
      return true;
    }
    ++next_;
    while (early_.test(next_)) early_.reset(next_++);
    if (early_.none()) gap_since_.reset();
    return false;
  }

  std::optional<Steady> gap_since() const { return gap_since_; }

 private:
  std::uint8_t next_ = 0;
  std::bitset<256> early_;
  std::optional<Steady> gap_since_;
};

}  // namespace watchroom::aggregator
