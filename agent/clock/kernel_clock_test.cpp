// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/clock/kernel_clock.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <sys/timex.h>

namespace watchroom::agent {
namespace {

TEST(KernelClock, IsWhatTheKernelSays) {
  timex asked{};
  const int state = ::adjtimex(&asked);
  const KernelClock clock = read_kernel_clock();
  if (state < 0) GTEST_SKIP() << "the kernel does not tell of its clock here";
  EXPECT_EQ(clock.is_synchronised, state != TIME_ERROR && (asked.status & STA_UNSYNC) == 0);
  EXPECT_LT(std::abs(clock.offset_s.value()), 1.0) << "the kernel slews no more than half a second";
}

}  // namespace
}  // namespace watchroom::agent
