// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/configuration_keeper.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "agent/journal/scratch_folder.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using enum ConfigurationState;

const Steady start{1h};
constexpr auto trial = 30s;

class ConfigurationKeeperTest : public testing::Test {
 protected:
  std::filesystem::path folder() const { return scratch_.path() / "configuration"; }
  /// Numbered 5, and good.
  void have_a_good_one() const {
    ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
    ASSERT_TRUE(keeper.try_out(fifth_, start));
    keeper.prove();
  }

  const ScratchFolder scratch_;
  const GivenConfiguration fifth_{5, "# five\n"}, sixth_{6, "# six\n"};
};

TEST_F(ConfigurationKeeperTest, WithoutOneTheLocalFileCounts) {
  ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
  EXPECT_FALSE(keeper.begin(start));
  EXPECT_EQ(keeper.report().state, local);
  EXPECT_FALSE(std::filesystem::exists(folder()));
}

TEST_F(ConfigurationKeeperTest, OneThatProvedItselfIsKeptOverRestarts) {
  have_a_good_one();
  ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
  EXPECT_EQ(keeper.begin(start), fifth_);
  EXPECT_EQ(keeper.report().state, good);
  EXPECT_EQ(keeper.report().running, 5u);
  EXPECT_FALSE(keeper.is_on_trial());
}

TEST_F(ConfigurationKeeperTest, OneThatDoesNotProveItselfInTimeGivesWayToTheOneBefore) {
  have_a_good_one();
  ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
  keeper.begin(start);
  ASSERT_TRUE(keeper.try_out(sixth_, start));
  EXPECT_EQ(keeper.report().state, on_trial);
  EXPECT_EQ(keeper.report().running, 6u);
  EXPECT_FALSE(keeper.trial_is_over(start + trial - 1s));
  ASSERT_TRUE(keeper.trial_is_over(start + trial));
  EXPECT_EQ(keeper.fall_back(), fifth_);
  EXPECT_EQ(keeper.report().state, fallen_back);
  EXPECT_EQ(keeper.report().running, 5u);
  EXPECT_EQ(keeper.report().given, 6u);
  ConfigurationKeeper later{folder(), Log::quiet(), trial};
  EXPECT_EQ(later.begin(start), fifth_);
  EXPECT_EQ(later.report().state, fallen_back);
}

TEST_F(ConfigurationKeeperTest, OneThatCannotBeStartedWithIsBegunThreeTimes) {
  have_a_good_one();
  {
    ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
    ASSERT_TRUE(keeper.try_out(sixth_, start));
  }
  for (int starts = 2; starts <= ConfigurationKeeper::most_starts; ++starts) {
    ConfigurationKeeper crashed{folder(), Log::quiet(), trial};
    EXPECT_EQ(crashed.begin(start), sixth_) << starts;
  }
  ConfigurationKeeper last{folder(), Log::quiet(), trial};
  EXPECT_EQ(last.begin(start), fifth_);
  EXPECT_EQ(last.report().state, fallen_back);
}

TEST_F(ConfigurationKeeperTest, AGoodOneThatIsOfNoUseAnyMoreGivesWayToTheLocalFile) {
  have_a_good_one();
  ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
  ASSERT_EQ(keeper.begin(start), fifth_);
  EXPECT_FALSE(keeper.fall_back());
  EXPECT_EQ(keeper.report().running, 0u);
  EXPECT_EQ(keeper.report().state, fallen_back);
}

TEST_F(ConfigurationKeeperTest, TheFirstOneFallsBackToTheLocalFile) {
  ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
  ASSERT_TRUE(keeper.try_out(fifth_, start));
  EXPECT_FALSE(keeper.fall_back());
  EXPECT_EQ(keeper.report().running, 0u);
  ConfigurationKeeper later{folder(), Log::quiet(), trial};
  EXPECT_FALSE(later.begin(start));
}

TEST_F(ConfigurationKeeperTest, WhatIsRefusedChangesNothingThatRuns) {
  have_a_good_one();
  ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
  keeper.begin(start);
  keeper.refuse(6);
  EXPECT_EQ(keeper.running(), fifth_);
  EXPECT_EQ(keeper.report().state, refused);
  EXPECT_EQ(keeper.report().given, 6u);
  EXPECT_EQ(keeper.report().running, 5u);
}

TEST_F(ConfigurationKeeperTest, WhatTheDiskDoesNotTakeIsNotTriedOut) {
  std::ofstream{folder()} << "a file where the folder should be";
  ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
  EXPECT_FALSE(keeper.try_out(fifth_, start));
  EXPECT_FALSE(keeper.running());
  EXPECT_FALSE(keeper.is_on_trial());
}

TEST_F(ConfigurationKeeperTest, ALostTextOrADamagedStateLeavesTheLocalFile) {
  have_a_good_one();
  std::filesystem::remove(folder() / "5.toml");
  {
    ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
    EXPECT_FALSE(keeper.begin(start));
    EXPECT_EQ(keeper.report().state, fallen_back);
  }
  std::ofstream{folder() / "state.json"} << "{";
  ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
  EXPECT_FALSE(keeper.begin(start));
}

TEST_F(ConfigurationKeeperTest, OldTextsAreRemovedOnceANewOneIsGood) {
  have_a_good_one();
  ConfigurationKeeper keeper{folder(), Log::quiet(), trial};
  ASSERT_TRUE(keeper.try_out(sixth_, start));
  EXPECT_TRUE(std::filesystem::exists(folder() / "5.toml"));
  keeper.prove();
  EXPECT_FALSE(std::filesystem::exists(folder() / "5.toml"));
  EXPECT_TRUE(std::filesystem::exists(folder() / "6.toml"));
}

}  // namespace
}  // namespace watchroom::agent
