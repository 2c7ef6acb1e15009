// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/gpio/debounce.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

const Steady start{1000h};

TEST(Debounce, TheFirstLevelCountsAtOnce) {
  const Debounce contact{true, 20ms};
  EXPECT_TRUE(contact.level(start));
  EXPECT_FALSE(contact.settles_at(start));
}

TEST(Debounce, ALevelCountsOnceItHasLasted) {
  Debounce contact{false, 20ms};
  contact.see(true, start);
  EXPECT_FALSE(contact.level(start + 19ms));
  EXPECT_EQ(contact.settles_at(start + 5ms), start + 20ms);
  EXPECT_TRUE(contact.level(start + 20ms));
  EXPECT_FALSE(contact.settles_at(start + 20ms));
}

TEST(Debounce, BouncingRestartsTheWait) {
  Debounce contact{false, 20ms};
  for (int i = 0; i < 5; ++i) contact.see(i % 2 == 0, start + i * 3ms);
  EXPECT_FALSE(contact.level(start + 31ms));
  EXPECT_TRUE(contact.level(start + 32ms));  // 20 ms after the last edge
}

TEST(Debounce, AGlitchIsNothing) {
  Debounce contact{false, 20ms};
  contact.see(true, start);
  contact.see(false, start + 1ms);
  for (auto at = 0ms; at < 100ms; at += 1ms) EXPECT_FALSE(contact.level(start + at)) << at.count();
}

TEST(Debounce, LookingAgainAndAgainChangesNothing) {
  Debounce contact{false, 20ms};
  for (auto at = 0ms; at <= 20ms; at += 2ms) contact.see(true, start + at);
  EXPECT_TRUE(contact.level(start + 20ms));
}

TEST(Debounce, AShortDropAfterALongLevelIsNothing) {
  Debounce contact{false, 20ms};
  contact.see(true, start);
  contact.see(false, start + 50ms);
  EXPECT_TRUE(contact.level(start + 60ms));
  contact.see(true, start + 60ms);
  EXPECT_TRUE(contact.level(start + 61ms));
  EXPECT_TRUE(contact.level(start + 90ms));
}

TEST(Debounce, WithoutATimeEveryEdgeCounts) {
  Debounce contact{false, 0ms};
  contact.see(true, start);
  EXPECT_TRUE(contact.level(start));
}

}  // namespace
}  // namespace watchroom::agent
