// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/refusal_tally.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

class RefusalTallyTest : public ::testing::Test {
 protected:
  FakeClock clock;
  RefusalTally tally{clock};
};

TEST_F(RefusalTallyTest, CountsAllAddressesTogetherAndSaysWhoWasLast) {
  tally.password("admin", "10.0.0.1");
  tally.password("admin", "10.0.0.1");
  tally.password("li\n", "10.0.0.2");
  const Refusals told = tally.lately();
  EXPECT_EQ(told.count, 3u);
  EXPECT_EQ(told.addresses, 2u);
  EXPECT_EQ(told.last_name.find('\n'), std::string::npos) << told.last_name;
  EXPECT_EQ(told.last_name.substr(0, 2), "li");
  EXPECT_EQ(told.last_address, "10.0.0.2");
  tally.secret("guess", "10.0.0.3");
  EXPECT_EQ(tally.lately().last_name, "");
}

TEST_F(RefusalTallyTest, ForgetsWhatIsTenMinutesOldAndNothingBefore) {
  tally.password("admin", "10.0.0.1");
  clock.advance(5min);
  tally.password("admin", "10.0.0.2");
  clock.advance(5min - 1s);
  EXPECT_EQ(tally.lately().count, 2u);
  clock.advance(1s);
  EXPECT_EQ(tally.lately().count, 1u);
  EXPECT_EQ(tally.lately().addresses, 1u);
  clock.advance(5min);
  EXPECT_EQ(tally.lately().count, 0u);
  EXPECT_EQ(tally.lately().last_name, "");
}

TEST_F(RefusalTallyTest, AProgramWithATokenThatEndedCountsOnceHoweverOftenItAsks) {
  for (int i = 0; i < 100; ++i) {
    tally.secret("ended", "10.0.0.1");
    clock.advance(15s);
  }
  EXPECT_LE(tally.lately().count, 1u);
  for (int i = 0; i < 30; ++i) tally.secret(fmt::format("guess {}", i), "10.0.0.1");
  EXPECT_EQ(tally.lately().count, 30u) << "whoever guesses takes another one each time";
}

TEST_F(RefusalTallyTest, OpenPagesAfterAStartAreNoAttackButUnknownSessionsLaterAre) {
  for (int i = 0; i < 50; ++i) tally.session(fmt::format("open page {}", i), "10.0.0.1");
  EXPECT_EQ(tally.lately().count, 0u);
  EXPECT_FALSE(tally.lately().is_whole);
  clock.advance(10min);
  EXPECT_TRUE(tally.lately().is_whole);
  for (int i = 0; i < 50; ++i) tally.session(fmt::format("guess {}", i), "10.0.0.1");
  EXPECT_EQ(tally.lately().count, 50u);
}

TEST_F(RefusalTallyTest, ManyAddressesAndSecretsAreAllCountedButNotAllKept) {
  for (int i = 0; i < 5'000; ++i)
    tally.secret(fmt::format("guess {}", i), fmt::format("10.0.{}.{}", i / 250, i % 250));
  EXPECT_EQ(tally.lately().count, 5'000u);
  EXPECT_EQ(tally.lately().addresses, RefusalTally::most_kept);
}

TEST_F(RefusalTallyTest, AStepOfTheWallClockForgetsNothing) {
  tally.password("admin", "10.0.0.1");
  clock.jump_wall(48h);
  EXPECT_EQ(tally.lately().count, 1u);
}

TEST_F(RefusalTallyTest, ANetworkOfVersionSixIsOneAddress) {
  tally.password("admin", "2001:db8::1");
  tally.password("admin", "2001:db8::2");
  EXPECT_EQ(tally.lately().addresses, 1u);
}

}  // namespace
}  // namespace watchroom::aggregator
