// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <atomic>

#include "proto/base/clock.hpp"
#include "proto/link/peer_judge.hpp"

namespace watchroom::agent {

/// The agent's wall time: the machine's steady time plus an offset that only the `ClockWatch` moves. So a
/// machine clock that jumps moves no reading until somebody has looked at the jump. Thread-safe; `machine`
/// must outlive it.
class AgentClock final : public Clock {
 public:
  explicit AgentClock(const Clock& machine)
      : machine_{machine},
        offset_{(machine.now().time_since_epoch() - machine.steady().time_since_epoch()).count()} {}

  Timestamp now() const override { return from_ms(machine_.steady().time_since_epoch().count() + offset_); }
  Steady steady() const override { return machine_.steady(); }

  const Clock& machine() const { return machine_; }
  /// Wall time less steady time.
  std::chrono::milliseconds offset() const { return std::chrono::milliseconds{offset_}; }
  void set_offset(std::chrono::milliseconds offset) { offset_ = offset.count(); }

  /// By a clock that nobody vouches for a certificate may seem run out for ever, and the centre, who knows
  /// the time, stay out of reach: then the latest time that has surely been is what counts.
  CertificateTime certificate_time() const {
    if (is_confirmed_) return {now(), true};
    return {from_ms(surely_past_ms_), false};
  }
  void set_confirmed(bool is_confirmed) { is_confirmed_ = is_confirmed; }
  void set_surely_past(Timestamp time) { surely_past_ms_ = time.time_since_epoch().count(); }

 private:
  const Clock& machine_;
  std::atomic<std::int64_t> offset_;
  std::atomic<bool> is_confirmed_ = false;
  std::atomic<std::int64_t> surely_past_ms_ = 0;
};

}  // namespace watchroom::agent
