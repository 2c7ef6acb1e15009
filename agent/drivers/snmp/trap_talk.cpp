// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_talk.hpp"

#include <algorithm>
#include <utility>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto remembered = 5min;
constexpr std::size_t most_remembered = 64;
// A device that loses its mains tells some dozens of things at once; more than that is a fault of its own.
constexpr double most_at_once = 60;
constexpr double a_second = 2;

}  // namespace

bool TrapTalk::is_repeated(std::uint64_t fingerprint, Steady now) {
  while (!seen_.empty() && now - seen_.front().at > remembered) seen_.pop_front();
  return std::any_of(seen_.begin(), seen_.end(),
                     [&](const Seen& one) { return one.fingerprint == fingerprint; });
}

void TrapTalk::told(std::uint64_t fingerprint, Steady now) {
  if (seen_.size() == most_remembered) seen_.pop_front();
  seen_.push_back({fingerprint, now});
}

void TrapTalk::refill(Steady now) {
  const double seconds = std::chrono::duration<double>{now - refilled_at_}.count();
  tokens_ = is_new_ ? most_at_once : std::min(most_at_once, tokens_ + seconds * a_second);
  is_new_ = false;
  refilled_at_ = now;
}

void TrapTalk::could_not_tell(Steady now) {
  if (untold_++ == 0) untold_since_ = now;
}

bool TrapTalk::may_tell(Steady now) {
  refill(now);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

std::uint64_t TrapTalk::take_untold(Steady now) {
  if (untold_ == 0) return 0;
  refill(now);
  // When the storm is over, or now and then while it lasts.
  if (tokens_ < most_at_once / 6 && now - untold_since_ < 30s) return 0;
  return std::exchange(untold_, 0);
}

}  // namespace watchroom::agent
