// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchroom {

/// UTC wall time in milliseconds: what readings and the wire carry (Sparkplug 3.0 payloads-timestamp-in-UTC).
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;
/// Time that never jumps: what delays, deadlines and ages are counted in.
using Steady = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;

inline std::int64_t to_ms(Timestamp at) { return at.time_since_epoch().count(); }
inline Timestamp from_ms(std::int64_t ms) { return Timestamp{std::chrono::milliseconds{ms}}; }

/// "2026-11-21T03:05:07.120Z" (RFC 3339).
std::string to_rfc3339(Timestamp at);
std::optional<Timestamp> from_rfc3339(std::string_view text);

/// The only source of time for code that decides anything. Thread-safe.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  virtual Timestamp now() const = 0;
  virtual Steady steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  Steady steady() const override;
};

/// A clock that a test moves by hand. Wall and steady time may be moved apart, as a bad NTP peer does.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Timestamp start = from_ms(1'800'000'000'000)) : wall_{to_ms(start)} {}

  Timestamp now() const override { return from_ms(wall_); }
  Steady steady() const override { return Steady{std::chrono::milliseconds{steady_}}; }

  void advance(std::chrono::milliseconds by) {
    wall_ += by.count();
    steady_ += by.count();
  }
  void jump_wall(std::chrono::milliseconds by) { wall_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> steady_ = 1'000'000;
};

}  // namespace watchroom
