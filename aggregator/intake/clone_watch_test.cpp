// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/intake/clone_watch.hpp"

#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;
using Finding = CloneWatch::Finding;

constexpr JournalId a{1}, b{2};

/// Plays births and deaths of one name, so that a test reads as a timeline.
class CloneWatchTest : public ::testing::Test {
 protected:
  Finding born(const JournalId& journal, std::uint64_t head, std::int64_t bd_seq,
               std::chrono::seconds after = 5s) {
    now += after;
    watch.born(journal, head, bd_seq, now);
    return watch.finding(now);
  }
  Finding dies_and_is_born(const JournalId& journal, std::uint64_t head, std::int64_t bd_seq,
                           std::chrono::seconds after = 5s) {
    watch.died();
    return born(journal, head, bd_seq, after);
  }
  Finding later(std::chrono::seconds time) { return watch.finding(now += time); }

  CloneWatch watch;
  Steady now{};
};

TEST_F(CloneWatchTest, TwoJournalsThatTakeTurnsAreTwoAgents) {
  EXPECT_EQ(born(a, 100, 7), Finding::unknown);
  EXPECT_EQ(dies_and_is_born(b, 0, 0), Finding::unknown);
  EXPECT_EQ(dies_and_is_born(a, 101, 8), Finding::unknown) << "the old disk may have been put back";
  EXPECT_EQ(dies_and_is_born(b, 3, 1), Finding::cloned);
  EXPECT_EQ(later(14min), Finding::cloned);
  EXPECT_EQ(later(2min), Finding::none) << "it has been quiet";
}

TEST_F(CloneWatchTest, ACopyOfTheWholeDiskStepsBackAgainAndAgain) {
  born(a, 100, 7);
  EXPECT_EQ(dies_and_is_born(a, 100, 7), Finding::unknown) << "the same number after its death";
  EXPECT_EQ(dies_and_is_born(a, 104, 8), Finding::unknown) << "nothing odd about this one";
  EXPECT_EQ(dies_and_is_born(a, 103, 8), Finding::unknown);
  EXPECT_EQ(dies_and_is_born(a, 108, 9), Finding::unknown);
  EXPECT_EQ(dies_and_is_born(a, 106, 9), Finding::cloned);
}

TEST_F(CloneWatchTest, AFightWithLongPausesIsSeenTooAndDoesNotFlicker) {
  born(a, 100, 7);
  dies_and_is_born(b, 0, 0, 5min);
  dies_and_is_born(a, 101, 8, 5min);
  std::int64_t bd_seq = 1;
  for (int i = 0; i < 6; ++i, ++bd_seq) {
    EXPECT_EQ(dies_and_is_born(b, 3, bd_seq, 5min), Finding::cloned);
    EXPECT_EQ(dies_and_is_born(a, 103, bd_seq + 8, 5min), Finding::cloned);
  }
}

TEST_F(CloneWatchTest, AnAgentThatRestartsAndAFlappingNetworkAreNoClone) {
  for (int i = 0; i < 600; ++i)
    ASSERT_NE(dies_and_is_born(a, 100u + static_cast<unsigned>(i / 3), i % 256, 2s), Finding::cloned) << i;
  EXPECT_EQ(later(0s), Finding::none);
}

TEST_F(CloneWatchTest, RebirthsThatAreAskedForAreNoClone) {
  for (int i = 0; i < 100; ++i) ASSERT_NE(born(a, 100u + static_cast<unsigned>(i), 7, 10s), Finding::cloned);
}

TEST_F(CloneWatchTest, MissedBirthsAreNoClone) {
  born(a, 100, 250);
  EXPECT_NE(dies_and_is_born(a, 100, 20), Finding::cloned);
  EXPECT_NE(born(a, 100, 90), Finding::cloned);
  EXPECT_NE(born(a, 100, 200), Finding::cloned);
}

TEST_F(CloneWatchTest, AReplacedDiskIsNoCloneAndNeitherIsTheOldOnePutBack) {
  born(a, 100, 7);
  dies_and_is_born(b, 0, 0);
  EXPECT_EQ(dies_and_is_born(b, 10, 1, 20min), Finding::none);
  EXPECT_EQ(dies_and_is_born(a, 100, 8), Finding::none);
  EXPECT_EQ(dies_and_is_born(a, 100, 9), Finding::none);
}

TEST_F(CloneWatchTest, ARestoredImageIsNoClone) {
  born(a, 100, 7);
  EXPECT_NE(dies_and_is_born(a, 20, 2), Finding::cloned);
  EXPECT_NE(dies_and_is_born(a, 21, 3), Finding::cloned);
}

TEST_F(CloneWatchTest, ADiskThatFailsNowAndThenIsNoClone) {
  std::int64_t bd_seq = 7;
  for (std::uint8_t i = 0; i < 40; ++i) {
    ASSERT_NE(dies_and_is_born(a, 100u + i, bd_seq++), Finding::cloned) << int{i};
    ASSERT_NE(dies_and_is_born(JournalId{0, i}, 0, 0), Finding::cloned) << "a journal in memory";
  }
}

TEST_F(CloneWatchTest, NothingIsKnownUntilItHasBeenWatched) {
  EXPECT_EQ(later(24h), Finding::unknown) << "never born";
  EXPECT_EQ(born(a, 1, 1), Finding::unknown);
  EXPECT_EQ(later(14min), Finding::unknown);
  EXPECT_EQ(later(1min), Finding::none);
}

}  // namespace
}  // namespace watchroom::aggregator
