// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/clock/kernel_clock.hpp"

#include <sys/timex.h>

namespace watchroom::agent {

KernelClock read_kernel_clock() {
  KernelClock clock;
  timex asked{};  // modes 0: only asks
  const int state = ::adjtimex(&asked);
  if (state < 0) return clock;
  clock.is_synchronised = state != TIME_ERROR && (asked.status & STA_UNSYNC) == 0;
  clock.offset_s = static_cast<double>(asked.offset) * ((asked.status & STA_NANO) != 0 ? 1e-9 : 1e-6);
  clock.most_error_s = static_cast<double>(asked.maxerror) * 1e-6;
  return clock;
}

}  // namespace watchroom::agent
