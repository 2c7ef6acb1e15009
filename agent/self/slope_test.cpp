// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/slope.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

TEST(Slope, IsTheRiseOverTheTimeThatIsKnown) {
  Slope slope{1min};
  EXPECT_EQ(slope.per_second(), std::nullopt);
  slope.add(Steady{0s}, 100);
  EXPECT_EQ(slope.per_second(), std::nullopt) << "one look is no slope";
  slope.add(Steady{10s}, 120);
  EXPECT_DOUBLE_EQ(slope.per_second().value(), 2.0);
}

TEST(Slope, ForgetsWhatIsOlderThanItsWindow) {
  Slope slope{1min};
  double count = 0;
  for (int second = 0; second <= 120; second += 10)
    slope.add(Steady{second * 1s}, count += second <= 50 ? 100 : 0);
  EXPECT_DOUBLE_EQ(slope.rise(), 0.0) << "nothing has risen in the last minute";
}

TEST(Slope, KeepsItsWindowWhenItIsToldMoreOften) {
  Slope slope{1min};
  for (int ms = 0; ms <= 600'000; ms += 100) slope.add(Steady{ms * 1ms}, ms / 1000.0);
  EXPECT_NEAR(slope.rise(), 60.0, 2.1);
  EXPECT_NEAR(slope.per_second().value(), 1.0, 1e-9);
}

TEST(Slope, ACounterThatWentBackBeginsAnew) {
  Slope slope{1min};
  slope.add(Steady{0s}, 1000);
  slope.add(Steady{10s}, 2000);
  slope.add(Steady{20s}, 5);
  EXPECT_EQ(slope.per_second(), std::nullopt);
  slope.add(Steady{30s}, 15);
  EXPECT_DOUBLE_EQ(slope.per_second().value(), 1.0);
}

TEST(Widest, IsForgottenAfterItsWindow) {
  Widest widest{5min};
  EXPECT_EQ(widest.value(), 0ms);
  widest.add(Steady{0s}, 900ms);
  widest.add(Steady{60s}, 200ms);
  widest.add(Steady{120s}, 300ms);
  EXPECT_EQ(widest.value(), 900ms);
  widest.add(Steady{301s}, 0ms);
  EXPECT_EQ(widest.value(), 300ms);
}

}  // namespace
}  // namespace watchroom::agent
