// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/throttle.hpp"

#include <functional>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

class ThrottleTest : public ::testing::Test {
 protected:
  FakeClock clock;
  Throttle throttle{clock};
};

TEST_F(ThrottleTest, TheWaitForANameDoublesAndStaysBearable) {
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(throttle.admit("li", "10.0.0.1")) << i;
  std::vector<long> waits;
  for (int i = 0; i < 8; ++i) {
    const std::string address = fmt::format("10.0.1.{}", i);  // many machines, one name
    const auto wait = throttle.admit("li", address);
    ASSERT_TRUE(wait) << i;
    waits.push_back(wait->count());
    clock.advance(*wait);
    EXPECT_FALSE(throttle.admit("li", address)) << i;
  }
  EXPECT_EQ(waits, (std::vector<long>{1, 2, 4, 8, 16, 32, 60, 60}));
}

TEST_F(ThrottleTest, TheWaitForAnAddressGrowsFurther) {
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(throttle.admit(fmt::format("name{}", i), "10.0.0.1"));
  std::chrono::seconds longest{0};
  for (int i = 0; i < 20; ++i) {
    const auto wait = throttle.admit(fmt::format("other{}", i), "10.0.0.1");
    if (wait) longest = *wait, clock.advance(*wait);
  }
  EXPECT_GE(longest, 256s);
}

TEST_F(ThrottleTest, AttemptsSideBySideGainNothing) {
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += throttle.admit("li", "10.0.0.1") ? 0 : 1;
  EXPECT_EQ(admitted, 5);
}

TEST_F(ThrottleTest, KnowingOnePasswordBuysNoGuessesAtAnother) {
  int guesses = 0;
  for (int i = 0; i < 100; ++i) {
    if (!throttle.admit(fmt::format("name{}", i), "10.0.0.1")) ++guesses;
    if (!throttle.admit("mine", "10.0.0.1")) throttle.succeeded("mine", "10.0.0.1");
  }
  EXPECT_LE(guesses, 10);
}

TEST_F(ThrottleTest, HalfAnHourWithoutFailuresForgetsThem) {
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(throttle.admit("li", "10.0.0.1"));
  EXPECT_TRUE(throttle.admit("li", "10.0.0.1"));
  clock.advance(30min);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(throttle.admit("li", "10.0.0.1")) << i;
}

TEST_F(ThrottleTest, MemoryIsBoundedHoweverManyNamesAreTried) {
  for (int i = 0; i < 21'000; ++i) {
    (void)throttle.admit(fmt::format("name{}", i), fmt::format("10.0.{}.{}", i / 250, i % 250));
    clock.advance(1ms);
  }
  EXPECT_FALSE(throttle.admit("li", "192.0.2.1"));
}

TEST(ThrottledAddress, AnIpv6ClientIsItsWholeNetwork) {
  EXPECT_EQ(throttled_address("2001:db8::1"), throttled_address("2001:db8::ffff:1"));
  EXPECT_NE(throttled_address("2001:db8::1"), throttled_address("2001:db8:0:1::1"));
  EXPECT_EQ(throttled_address("::ffff:10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(throttled_address("10.0.0.1"), "10.0.0.1");
}

/// Plays guesses as fast as the throttle lets them through; how long `count` of them take.
std::chrono::seconds time_for(int count, const std::function<std::string(int)>& name,
                              const std::function<std::string(int)>& address) {
  FakeClock clock;
  Throttle throttle{clock};
  std::chrono::seconds passed{0};
  for (int guess = 0; guess < count; ++guess)
    while (const auto wait = throttle.admit(name(guess), address(guess))) {
      clock.advance(*wait);
      passed += *wait;
    }
  return passed;
}

std::string one(int) { return "one"; }
std::string many(int guess) { return fmt::format("no {}", guess); }

TEST(Guessing, AThousandGuessesAtOneNameFromOneAddressTakeTenDays) {
  EXPECT_GT(time_for(1'000, one, one), std::chrono::hours{240});
}

TEST(Guessing, AThousandGuessesAtOneNameFromAsManyAddressesTakeSixteenHours) {
  EXPECT_GT(time_for(1'000, one, many), std::chrono::hours{16});
  EXPECT_LT(time_for(1'000, one, many), std::chrono::hours{17})
      << "whose name it is must still get in: a minute";
}

TEST(Guessing, AThousandNamesFromOneAddressTakeTenDays) {
  EXPECT_GT(time_for(1'000, many, one), std::chrono::hours{240});
}

/// What the throttle cannot slow down is what the cost of argon2id and the wait of each name are for: one
/// guess at each of a thousand names is no way to guess a password that is worth anything.
TEST(Guessing, AThousandNamesFromAsManyAddressesAreNotSlowedDown) {
  EXPECT_EQ(time_for(1'000, many, many), std::chrono::seconds{0});
}

TEST(Guessing, AnAttemptThatIsTakenBackCountsForNothingAndUndoesNothing) {
  FakeClock clock;
  Throttle throttle{clock};
  for (int i = 0; i < 50; ++i) {
    ASSERT_FALSE(throttle.admit("li", "10.0.0.7")) << i;
    throttle.taken_back("li", "10.0.0.7");
  }
  for (int i = 0; i < 5; ++i) ASSERT_FALSE(throttle.admit("li", "10.0.0.7"));
  EXPECT_TRUE(throttle.admit("li", "10.0.0.7"));
}

}  // namespace
}  // namespace watchroom::aggregator
