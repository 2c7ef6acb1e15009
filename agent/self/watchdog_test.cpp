// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/watchdog.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

const std::vector<std::string> nobody;
const std::vector<std::string> core{"the core thread should have come by 5 s ago"};

TEST(Watchdog, PingsAtHalfOfTheTimeOut) {
  FakeClock clock;
  Watchdog watchdog{30s};
  EXPECT_LE(watchdog.due(), clock.steady()) << "the first at once";
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(watchdog.look(clock.steady(), nobody).is_well);
    EXPECT_EQ(watchdog.due(), clock.steady() + 15s);
    clock.advance(15s);
  }
}

TEST(Watchdog, KeepsSilentAsLongAsSomebodyIsMissingAndSaysSoOnce) {
  FakeClock clock;
  Watchdog watchdog{30s};
  EXPECT_FALSE(watchdog.look(clock.steady(), nobody).has_changed);
  clock.advance(15s);
  Watchdog::Verdict verdict = watchdog.look(clock.steady(), core);
  EXPECT_FALSE(verdict.is_well);
  EXPECT_TRUE(verdict.has_changed);
  for (int second = 0; second < 20; ++second) {
    EXPECT_EQ(watchdog.due(), clock.steady() + 1s) << "looks soon again";
    clock.advance(1s);
    verdict = watchdog.look(clock.steady(), core);
    EXPECT_FALSE(verdict.is_well);
    EXPECT_FALSE(verdict.has_changed);
  }
}

TEST(Watchdog, PingsAsSoonAsEverybodyIsBack) {
  FakeClock clock;
  Watchdog watchdog{30s};
  watchdog.look(clock.steady(), core);
  clock.advance(1s);
  const Watchdog::Verdict verdict = watchdog.look(clock.steady(), nobody);
  EXPECT_TRUE(verdict.is_well);
  EXPECT_TRUE(verdict.has_changed);
  EXPECT_EQ(watchdog.due(), clock.steady() + 15s);
}

TEST(Watchdog, LooksAlsoWhenNobodyWouldRestartUs) {
  FakeClock clock;
  Watchdog watchdog{std::nullopt};
  watchdog.look(clock.steady(), nobody);
  EXPECT_GT(watchdog.due(), clock.steady());
  EXPECT_LE(watchdog.due(), clock.steady() + 10s);
}

TEST(Watchdog, AShortTimeOutIsNotLookedPast) {
  FakeClock clock;
  Watchdog watchdog{500ms};
  watchdog.look(clock.steady(), core);
  EXPECT_EQ(watchdog.due(), clock.steady() + 250ms);
}

}  // namespace
}  // namespace watchroom::agent
