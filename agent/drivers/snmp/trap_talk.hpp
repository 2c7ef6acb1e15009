// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <deque>

#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// How much one device has told lately: what came twice is told once, and a storm is told in one line.
/// Bounded in size. Pure.
class TrapTalk {
 public:
  /// True when a message of that fingerprint was told within the last five minutes (RFC 3414 2.2.3 refuses
  /// what is older than 150 s, and no sender repeats an inform for longer).
  bool is_repeated(std::uint64_t fingerprint, Steady now);
  void told(std::uint64_t fingerprint, Steady now);

  /// Whether one more may be told now.
  bool may_tell(Steady now);
  void could_not_tell(Steady now);
  /// How many are still to be told of in one line, once there is room for it; they count as told then.
  std::uint64_t take_untold(Steady now);
  bool has_untold() const { return untold_ > 0; }

 private:
  struct Seen {
    std::uint64_t fingerprint = 0;
    Steady at{};
  };
  void refill(Steady now);

  std::deque<Seen> seen_;
  double tokens_ = 0;
  bool is_new_ = true;
  Steady refilled_at_{};
  std::uint64_t untold_ = 0;
  Steady untold_since_{};
};

}  // namespace watchroom::agent
