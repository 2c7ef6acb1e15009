// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <gmock/gmock.h>

#include "agent/judge/judge.hpp"
#include "agent/judge/tested_judge.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(JudgeOrders, AnOrderHoldsUntilItsTimeAndAReactionCountsMore) {
  TestedJudge room{relays + reaction()};
  room.reads(20, 0, 0s);
  room.writes(0s);
  ASSERT_TRUE(room.orders("siren", Drive::on, 30s, 1s));
  EXPECT_EQ(room.writes(1s), "siren on");
  EXPECT_EQ(room.writes(30s), "siren off");
  ASSERT_TRUE(room.orders("siren", Drive::off, 90s, 31s));
  room.reads(20, 1, 32s);
  EXPECT_EQ(room.writes(32s), "siren on");
  EXPECT_FALSE(room.orders("bell", Drive::on, 90s, 33s));
  room.judge().inhibit({"li", "work", TestedJudge::at(60s).steady, TestedJudge::at(60s).wall, 60s},
                       TestedJudge::at(34s));
  EXPECT_FALSE(room.orders("siren", Drive::on, 90s, 35s));
}

TEST(JudgeOrders, AnOrderIsDoneOnceItWasReadBack) {
  TestedJudge room{relays};
  room.writes(0s);
  EXPECT_EQ(room.progress(), OutputProgress::none);
  ASSERT_TRUE(room.orders("siren", Drive::on, 60s, 1s));
  EXPECT_EQ(room.progress(), OutputProgress::under_way);
  EXPECT_EQ(room.writes(1s, false), "siren on");
  room.waits(1s);
  EXPECT_EQ(room.progress(), OutputProgress::under_way) << "it was written, and nobody has seen it on";
  EXPECT_EQ(room.writes(2s), "siren on");
  room.waits(2s);
  EXPECT_EQ(room.progress(), OutputProgress::done);
  EXPECT_THAT(room.told(), HasSubstr("is on as ordered by li"));
  EXPECT_EQ(room.writes(60s), "siren off");
  EXPECT_EQ(room.progress(), OutputProgress::ended);
}

TEST(JudgeOrders, AnOrderThatIsNotDoneInTimeIsGivenUpAndNotDoneLater) {
  TestedJudge room{relays};
  room.writes(0s);
  ASSERT_TRUE(room.orders("siren", Drive::on, 60s, 1s));
  EXPECT_EQ(room.writes(1s, false), "siren on");
  EXPECT_EQ(room.writes(5s, false), "siren on");
  EXPECT_EQ(room.judge().deadline(), TestedJudge::at(6s).steady)
      << "it is tried again, then given up at 11 s";
  EXPECT_EQ(room.writes(11s), "siren off");
  EXPECT_EQ(room.progress(), OutputProgress::failed);
  EXPECT_THAT(room.told(), HasSubstr("was not done in its time and is given up"));
  EXPECT_EQ(room.writes(20s), "");
}

TEST(JudgeOrders, WhatSeemsToBeAsOrderedIsWrittenAndReadAllTheSame) {
  TestedJudge room{relays};
  room.writes(0s);
  ASSERT_TRUE(room.orders("siren", Drive::off, 60s, 1s));
  EXPECT_EQ(room.writes(1s), "siren off");
  room.waits(1s);
  EXPECT_EQ(room.progress(), OutputProgress::done);
  room.sees_relays(1, 0, 2s);
  EXPECT_EQ(room.writes(2s), "") << "somebody has switched it on by hand, and is not fought";
  ASSERT_TRUE(room.orders("siren", Drive::off, 60s, 3s));
  EXPECT_EQ(room.progress(), OutputProgress::under_way);
  EXPECT_EQ(room.writes(3s), "siren off");
}

TEST(JudgeOrders, AReactionOverrulesAnOrderAndWhatItForbidsAtOnceIsRefused) {
  TestedJudge room{relays + reaction()};
  room.reads(20, 0, 0s);
  room.writes(0s);
  ASSERT_TRUE(room.orders("siren", Drive::off, 60s, 1s));
  room.writes(1s);
  room.reads(20, 1, 2s);
  EXPECT_EQ(room.writes(2s), "siren on");
  room.waits(2s);
  EXPECT_EQ(room.progress(), OutputProgress::overruled);
  const auto refused = room.orders("siren", Drive::off, 60s, 3s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_THAT(refused.error().text, HasSubstr("wants siren on"));
  EXPECT_EQ(room.judge().figures().outputs.at(0).order, 1u);
  EXPECT_EQ(room.judge().figures().outputs.at(0).refused, 2u);
  EXPECT_EQ(room.progress(), OutputProgress::overruled) << "of the first, which goes on";
  room.reads(20, 0, 4s);
  EXPECT_EQ(room.progress(), OutputProgress::under_way) << "nobody has seen it off yet";
  EXPECT_EQ(room.writes(4s), "siren off") << "as ordered first: that was never refused";
  room.waits(4s);
  EXPECT_EQ(room.progress(), OutputProgress::done);
}

TEST(JudgeOrders, BackToItsReactionsEndsAnOrder) {
  TestedJudge room{relays};
  room.writes(0s);
  ASSERT_TRUE(room.orders("siren", Drive::on, 60s, 1s));
  EXPECT_EQ(room.writes(1s), "siren on");
  ASSERT_TRUE(room.orders("siren", Drive::keep, 60s, 2s));
  EXPECT_EQ(room.progress(), OutputProgress::under_way);
  EXPECT_EQ(room.writes(2s, false), "siren off");
  EXPECT_EQ(room.progress(), OutputProgress::under_way) << "it sounds on";
  EXPECT_EQ(room.writes(3s), "siren off");
  room.waits(3s);
  EXPECT_EQ(room.progress(), OutputProgress::done);
}

std::string relays_at_start(const std::string& drive) {
  std::string tables{relays};
  const auto at = tables.find("at_start = \"off\"");
  return tables.replace(at, 16, "at_start = \"" + drive + "\"");
}

TEST(JudgeOrders, NothingIsSwitchedOnUnderTheHandsOfWhoInhibits) {
  TestedJudge room{relays_at_start("on")};
  EXPECT_EQ(room.writes(0s), "siren on");
  ASSERT_TRUE(room.orders("siren", Drive::off, 60s, 1s));
  EXPECT_EQ(room.writes(1s), "siren off");
  room.judge().inhibit({"li", "work", TestedJudge::at(120s).steady, TestedJudge::at(120s).wall, 120s},
                       TestedJudge::at(2s));
  EXPECT_EQ(room.writes(3s), "") << "it was ordered off";
  EXPECT_EQ(room.progress(), OutputProgress::done);
  EXPECT_EQ(room.writes(60s), "") << "the order is over, and somebody works there";
  EXPECT_EQ(room.writes(120s), "siren on");
}

TEST(JudgeOrders, AfterAnOrderAnOutputIsAsAtItsStartUntilItsReactionsAreJudged) {
  TestedJudge room{relays_at_start("on") + reaction()};
  EXPECT_EQ(room.writes(0s), "siren on");  // its sensor is dead
  ASSERT_TRUE(room.orders("siren", Drive::off, 60s, 1s));
  EXPECT_EQ(room.writes(1s), "siren off");
  EXPECT_EQ(room.writes(60s), "siren on");
  room.reads(20, 0, 61s);
  EXPECT_EQ(room.writes(61s), "siren off");
}

TEST(JudgeOrders, AnOutputThatIsLeftAsItIsIsPutBackAfterAnOrder) {
  for (const int before : {0, 1}) {
    TestedJudge room{relays};  // the valve: at_start = "keep", no reaction
    room.writes(0s);
    room.sees_relays(0, before, 0s);
    ASSERT_TRUE(room.orders("valve", before == 1 ? Drive::off : Drive::on, 60s, 1s));
    EXPECT_EQ(room.writes(1s), before == 1 ? "valve off" : "valve on");
    room.waits(2s);
    EXPECT_EQ(room.progress(1), OutputProgress::done);
    ASSERT_TRUE(room.judge().take_kept());
    EXPECT_EQ(room.writes(60s), before == 1 ? "valve on" : "valve off");
    room.waits(61s);
    const auto kept = room.judge().take_kept();
    ASSERT_TRUE(kept);
    EXPECT_TRUE(kept->put_back.empty());
    room.sees_relays(0, 1 - before, 62s);
    EXPECT_EQ(room.writes(62s), "") << "it is left as it is again";
  }
}

TEST(JudgeOrders, ARestartPutsBackWhatWasOrdered) {
  KeptByJudge kept;
  {
    TestedJudge room{relays};
    room.writes(0s);
    room.sees_relays(0, 0, 0s);
    ASSERT_TRUE(room.orders("valve", Drive::on, 600s, 1s));
    EXPECT_EQ(room.writes(1s), "valve on");
    kept = room.judge().take_kept().value();
  }
  TestedJudge after{relays};
  after.judge().restore(kept, TestedJudge::at(0s));
  EXPECT_EQ(after.writes(0s), "siren off, valve off");
}

TEST(JudgeOrders, WhatSeemsToBeOffIsWrittenAlsoWhenNobodyWantedAnythingBefore) {
  TestedJudge room{relays};
  room.writes(0s);
  room.sees_relays(0, 0, 0s);
  ASSERT_TRUE(room.orders("valve", Drive::off, 60s, 20s));
  EXPECT_EQ(room.progress(1), OutputProgress::under_way) << "it was last seen off, 20 s ago";
  EXPECT_EQ(room.writes(20s), "valve off");
}

TEST(JudgeOrders, AnOrderWhoseTimeIsOverBeforeItWasDoneHasFailed) {
  TestedJudge room{relays};
  room.writes(0s);
  ASSERT_TRUE(room.orders("siren", Drive::on, 6s, 1s));
  EXPECT_EQ(room.writes(1s, false), "siren on");
  room.writes(6s, false);
  EXPECT_EQ(room.progress(), OutputProgress::failed);
}

TEST(JudgeOrders, AWriteThatIsOrderedIsNotToBeMadeAfterItsDeadline) {
  TestedJudge room{relays};
  room.writes(0s);
  ASSERT_TRUE(room.orders("siren", Drive::on, 60s, 1s));
  const auto writes = room.judge().take_writes(TestedJudge::at(1s));
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_EQ(writes[0].not_after, TestedJudge::at(11s).steady);
}

TEST(JudgeOrders, AWriteThatAReactionWantsTooHasNoDeadline) {
  TestedJudge room{relays + reaction()};
  room.reads(20, 0, 0s);
  room.writes(0s);
  ASSERT_TRUE(room.orders("siren", Drive::on, 60s, 1s));
  room.reads(20, 1, 1s);
  const auto writes = room.judge().take_writes(TestedJudge::at(1s));
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_FALSE(writes[0].not_after);
}

TEST(JudgeOrders, OtherSettingsLeaveNothingSwitchedThatNobodyCanSwitchBack) {
  TestedJudge room{relays};
  room.writes(0s);
  room.sees_relays(0, 0, 0s);
  ASSERT_TRUE(room.orders("valve", Drive::on, 600s, 1s));
  EXPECT_EQ(room.writes(1s), "valve on");
  std::string without = relays.substr(0, relays.find("[[output]]\nname = \"valve\""));
  room.judge().let_go(TestedJudge::read(without), TestedJudge::at(2s));
  EXPECT_EQ(room.judge().still_to_put_back(), std::vector<std::string>{"valve"});
  EXPECT_EQ(room.writes(2s), "valve off");
  room.waits(3s);
  EXPECT_TRUE(room.judge().still_to_put_back().empty());
  EXPECT_EQ(room.progress(1), OutputProgress::ended);
}

TEST(JudgeOrders, AnOutputMayTakeNoOrders) {
  std::string tables{relays};
  tables.insert(tables.find("at_start"), "orders = false\n");
  TestedJudge room{tables};
  room.writes(0s);
  const auto refused = room.orders("siren", Drive::on, 60s, 1s);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("takes no orders"));
  EXPECT_EQ(room.writes(1s), "");
}

}  // namespace
}  // namespace watchroom::agent
