// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "proto/base/clock.hpp"
#include "proto/link/peer_judge.hpp"

namespace watchroom::agent {

/// How far the time of readings may be believed. The numbers are on the wire: `clock.state` of device self.
enum class ClockTrust : std::int64_t {
  confirmed = 0,  ///< the kernel is synchronised, or a host's clock agrees
  plausible = 1,  ///< nobody has confirmed it, and nothing speaks against it
  unsure = 2,     ///< it was never set, has jumped, or the host denies it: readings say so
};

/// What the machine says of its time at one moment.
struct MachineTime {
  Timestamp wall{};
  Steady steady{};
  bool is_synchronised = false;  ///< the kernel's own word (adjtimex)
};

/// The agent's clock goes another way from now on.
struct ClockStep {
  std::chrono::milliseconds by{0};  ///< what is added to its wall time; may be nothing
  ClockTrust before = ClockTrust::plausible;
  ClockTrust after = ClockTrust::plausible;
  std::string why;  ///< a sentence for the log
};

/// Judges the machine's clock. Pure. Where nobody is asked, the machine is followed; a jump nobody vouches
/// for makes the time unsure, and a host of ours whose time is known ends that. A kernel that is synchronised
/// is followed always, but not believed while the host's time is far from it: one of both is wrong.
class ClockWatch {
 public:
  static constexpr std::chrono::milliseconds jump{1000};
  /// A host's message may have been on its way for a while, so its time can only be late: a clock that is
  /// behind it is wrong, one that is ahead by less than this is not.
  static constexpr std::chrono::milliseconds host_tolerance{10'000};
  /// No message is late by more: the connection would have been given up.
  static constexpr std::chrono::milliseconds longest_way{120'000};
  /// Between a synchronised kernel and a host: clocks that are kept do not differ by so much.
  static constexpr std::chrono::milliseconds dispute{60'000};

  /// No time before `built` can be. A start before `known`, a time that was right once, is a clock that has
  /// lost its battery.
  ClockWatch(const MachineTime& start, Timestamp built, Timestamp known);

  /// To be called every second or so.
  std::optional<ClockStep> look(const MachineTime& machine);
  /// What a host's clock says.
  std::optional<ClockStep> heard(Timestamp host, const MachineTime& machine);

  ClockTrust trust() const { return trust_; }
  /// Our wall time less steady time.
  std::chrono::milliseconds offset() const { return offset_; }

 private:
  std::optional<ClockStep> corrected(std::chrono::milliseconds behind, Steady now);
  std::optional<ClockStep> compared(std::chrono::milliseconds behind, Steady now);
  /// By how much we are ahead, once it is sure.
  std::optional<std::chrono::milliseconds> is_ahead(std::chrono::milliseconds by, Steady now);
  std::optional<ClockStep> move_to(std::chrono::milliseconds offset, ClockTrust trust, std::string why);

  const Timestamp built_;
  std::chrono::milliseconds machine_offset_;  // the machine's wall time less steady time, seen last
  std::chrono::milliseconds offset_;
  ClockTrust trust_;
  Steady looked_at_;
  /// Messages in a row by which we are ahead, and the least of it: all but that was their way.
  struct Ahead {
    Steady since{};
    int messages = 0;
    std::chrono::milliseconds least{};
  };
  std::optional<Ahead> ahead_;
  bool is_disputed_ = false;  // between a synchronised kernel and the host
};

/// What the watch needs to know besides the clock itself.
struct ClockFacts {
  Timestamp built{};                      ///< when the program was built
  std::string boot;                       ///< steady times of one boot compare
  std::function<bool()> is_synchronised;  ///< asked on the core thread

  static ClockFacts of_this_machine();
  /// For a program that runs once and hears nobody: the machine's time when the kernel vouches for it, else
  /// no more than that we were built.
  CertificateTime certificate_time(Timestamp machine) const;
};

}  // namespace watchroom::agent
