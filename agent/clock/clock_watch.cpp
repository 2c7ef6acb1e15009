// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/clock/clock_watch.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "agent/clock/kernel_clock.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

milliseconds offset_of(Timestamp wall, Steady steady) {
  return wall.time_since_epoch() - steady.time_since_epoch();
}

bool is_within(milliseconds difference, milliseconds tolerance) {
  return difference < tolerance && difference > -tolerance;
}

}  // namespace

ClockWatch::ClockWatch(const MachineTime& start, Timestamp built, Timestamp known)
    : built_{built},
      machine_offset_{offset_of(start.wall, start.steady)},
      offset_{machine_offset_},
      trust_{ClockTrust::plausible},
      looked_at_{start.steady} {
  if (start.is_synchronised && start.wall >= built)
    trust_ = ClockTrust::confirmed;
  else if (start.wall < built || start.wall < known)
    trust_ = ClockTrust::unsure;
}

std::optional<ClockStep> ClockWatch::move_to(milliseconds offset, ClockTrust trust, std::string why) {
  ClockStep step{offset - offset_, trust_, trust, std::move(why)};
  offset_ = offset;
  trust_ = trust;
  const bool is_worth_telling = step.before != step.after || !is_within(step.by, jump);
  return is_worth_telling ? std::optional{std::move(step)} : std::nullopt;
}

std::optional<ClockStep> ClockWatch::look(const MachineTime& machine) {
  looked_at_ = machine.steady;
  const milliseconds before = std::exchange(machine_offset_, offset_of(machine.wall, machine.steady));
  if (machine.is_synchronised && machine.wall >= built_)
    return move_to(machine_offset_, is_disputed_ ? ClockTrust::unsure : ClockTrust::confirmed,
                   "the machine's clock is synchronised");
  // The kernel corrects small differences by running steady time faster or slower: a difference is a step.
  const milliseconds moved = machine_offset_ - before;
  if (is_within(moved, jump)) return move_to(offset_ + moved, trust_, "");
  if (machine.wall < built_)
    return ClockStep{milliseconds{0}, trust_, trust_,
                     fmt::format("the machine's clock was set to {}, which cannot be; ours goes on",
                                 to_rfc3339(machine.wall))};
  return move_to(machine_offset_, ClockTrust::unsure, "the machine's clock has jumped");
}

std::optional<ClockStep> ClockWatch::heard(Timestamp host, const MachineTime& machine) {
  if (host < built_) return std::nullopt;  // its clock is no better
  const milliseconds behind = offset_of(host, machine.steady) - offset_;
  const bool kernel_knows = machine.is_synchronised && trust_ == ClockTrust::confirmed;
  if (kernel_knows || (machine.is_synchronised && is_disputed_)) return compared(behind, machine.steady);
  is_disputed_ = false;
  return corrected(behind, machine.steady);
}

std::optional<ClockStep> ClockWatch::corrected(milliseconds behind, Steady now) {
  if (behind <= -host_tolerance) {
    const auto ahead = is_ahead(-behind, now);
    if (!ahead) return std::nullopt;
    return move_to(offset_ - *ahead, ClockTrust::confirmed, "the time was taken from the centre");
  }
  ahead_.reset();
  if (behind < jump) return move_to(offset_, ClockTrust::confirmed, "the centre's clock agrees");
  return move_to(offset_ + behind, ClockTrust::confirmed, "the time was taken from the centre");
}

std::optional<ClockStep> ClockWatch::compared(milliseconds behind, Steady now) {
  if (is_within(behind, dispute)) {
    ahead_.reset();
    is_disputed_ = false;
    return move_to(offset_, ClockTrust::confirmed, "the centre's clock agrees");
  }
  if (behind < 0ms) {
    const auto ahead = is_ahead(-behind, now);
    if (!ahead) return std::nullopt;
    behind = -*ahead;
  }
  is_disputed_ = true;
  return move_to(offset_, ClockTrust::unsure,
                 fmt::format("this machine's clock is synchronised, but {} s {} the centre's: one is wrong",
                             std::chrono::abs(behind).count() / 1000, behind < 0ms ? "ahead of" : "behind"));
}

/// It may be the message that was late, by its way or because we stood still.
std::optional<milliseconds> ClockWatch::is_ahead(milliseconds by, Steady now) {
  constexpr int enough_messages = 3;
  constexpr milliseconds enough_time{2000}, stood_still{3000};
  if (now - looked_at_ > stood_still) return std::nullopt;
  if (!ahead_) ahead_ = Ahead{now, 0, by};
  ++ahead_->messages;
  ahead_->least = std::min(ahead_->least, by);
  const bool is_sure = ahead_->messages >= enough_messages && now - ahead_->since >= enough_time;
  if (!is_sure && ahead_->least <= longest_way) return std::nullopt;
  return std::exchange(ahead_, std::nullopt)->least;
}

ClockFacts ClockFacts::of_this_machine() {
  ClockFacts facts{from_ms(std::int64_t{WATCHROOM_BUILT_S} * 1000), {}, [] {
                     return read_kernel_clock().is_synchronised.value_or(false);
                   }};
  std::ifstream{"/proc/sys/kernel/random/boot_id"} >> facts.boot;
  return facts;
}

CertificateTime ClockFacts::certificate_time(Timestamp machine) const {
  if (is_synchronised() && machine >= built) return {machine, true};
  return {built, false};
}

}  // namespace watchroom::agent
