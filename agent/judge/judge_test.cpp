// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/judge.hpp"

#include <gmock/gmock.h>

#include "agent/judge/tested_judge.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(Judge, SwitchesOnWhileTheReactionIsRaised) {
  TestedJudge room{relays + reaction("off_delay_s = 10\n")};
  EXPECT_EQ(room.writes(0s), "siren off");  // at_start
  room.reads(20, 1, 1s);
  EXPECT_EQ(room.writes(1s), "siren on");
  EXPECT_EQ(room.state(), OutputState::on);
  room.reads(20, 0, 5s);
  EXPECT_EQ(room.writes(14s), "");
  EXPECT_EQ(room.writes(15s), "siren off");
}

TEST(Judge, LosingTheSensorSwitchesNothing) {
  TestedJudge room{relays + reaction()};
  room.writes(0s);
  room.loses_sensors(1s);
  EXPECT_EQ(room.writes(1s), "");
  room.reads(20, 1, 2s);
  EXPECT_EQ(room.writes(2s), "siren on");
  room.loses_sensors(3s);
  EXPECT_EQ(room.writes(600s), "");
  EXPECT_EQ(room.state(), OutputState::on);
}

TEST(Judge, AnOutputThatWasNeverWorkedIsLeftAloneWhereItsStartSaysKeep) {
  TestedJudge room{
      relays + reaction() +
      "[[reaction]]\nname = \"close\"\npoint = \"leak.state\"\nkind = \"state\"\nraise_when = [1]\n"
      "outputs = [\"valve\"]\n"};
  EXPECT_EQ(room.writes(0s), "siren off");
  room.loses_sensors(1s);
  EXPECT_EQ(room.writes(60s), "") << "nobody knows yet whether there is a leak";
  room.reads(20, 0, 61s);
  EXPECT_EQ(room.writes(61s), "valve off");
}

TEST(Judge, OneDrySensorOpensNoValveBeforeTheOthersWereRead) {
  TestedJudge room{relays +
                   "[[reaction]]\nname = \"any\"\npoint = \"*.state\"\nkind = \"state\"\nraise_when = [9]\n"
                   "outputs = [\"valve\"]\n"};
  room.writes(0s);
  room.reads(20, 0, 1s);
  EXPECT_EQ(room.writes(1s), "") << "the relays' points are watched, too, and were not read yet";
  EXPECT_EQ(room.judge().figures().reactions.at(0).state, ReactionState::unknown);
  room.sees_relays(0, 1, 2s);
  EXPECT_EQ(room.writes(2s), "valve off");
}

TEST(Judge, WhatItHasSwitchedOnGoesOffAlsoWhenAnotherSensorWasNeverRead) {
  TestedJudge room{
      relays +
      "[[reaction]]\nname = \"hot\"\npoint = \"ambient.temperature\"\nkind = \"high_limit\"\n"
      "unit = \"celsius\"\nraise_above = 40\noutputs = [\"valve\"]\n"
      "[[reaction]]\nname = \"module\"\npoint = \"relay[1].state\"\nkind = \"state\"\nraise_when = [5]\n"
      "outputs = [\"valve\"]\n"};
  room.writes(0s);
  room.reads(41, 0, 1s);
  EXPECT_EQ(room.writes(1s), "valve on");
  room.reads(30, 0, 2s);
  EXPECT_EQ(room.writes(2s), "valve off");
}

TEST(Judge, OfTwoReactionsTheOneThatWantsItOnWins) {
  TestedJudge room{
      relays + reaction() +
      "[[reaction]]\nname = \"hot\"\npoint = \"ambient.temperature\"\nkind = \"high_limit\"\n"
      "unit = \"celsius\"\nraise_above = 40\noutputs = [\"siren\"]\ndoes = \"pulse\"\npulse_s = 5\n"};
  room.writes(0s);
  room.reads(50, 1, 1s);
  EXPECT_EQ(room.writes(1s), "siren on");
  EXPECT_EQ(room.writes(60s), "") << "the pulse is over, the leak is not";
  room.reads(50, 0, 61s);
  EXPECT_EQ(room.writes(61s), "siren off");
}

TEST(Judge, APulseComesOnceEachTimeItIsRaised) {
  TestedJudge room{relays + reaction("does = \"pulse\"\npulse_s = 5\n")};
  room.writes(0s);
  room.reads(20, 1, 1s);
  EXPECT_EQ(room.writes(1s), "siren on");
  EXPECT_EQ(room.writes(5s), "");
  EXPECT_EQ(room.judge().deadline(), TestedJudge::at(6s).steady);
  EXPECT_EQ(room.writes(6s), "siren off");
  room.reads(20, 1, 7s);
  EXPECT_EQ(room.writes(7s), "");
  room.reads(20, 0, 8s);
  room.reads(20, 1, 9s);
  EXPECT_EQ(room.writes(9s), "siren on");
}

TEST(Judge, ALatchedReactionWaitsForItsResetAlsoOverARestart) {
  const std::string latching = relays + reaction("does = \"until_reset\"\n");
  TestedJudge room{latching};
  room.writes(0s);
  room.reads(20, 1, 1s);
  EXPECT_EQ(room.writes(1s), "siren on");
  EXPECT_FALSE(room.judge().reset("", "li", TestedJudge::at(2s))) << "it is still wet";
  room.reads(20, 0, 3s);
  EXPECT_EQ(room.writes(60s), "");
  const auto kept = room.judge().take_kept();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->latched, std::vector<std::string>{"leak"});

  TestedJudge again{latching};
  again.judge().restore(*kept, TestedJudge::at(0s));
  EXPECT_EQ(again.writes(0s), "siren on");
  again.reads(20, 0, 1s);
  EXPECT_EQ(again.judge().figures().reactions.at(0).state, ReactionState::latched);
  EXPECT_EQ(*again.judge().reset("leak", "li", TestedJudge::at(2s)), "leak");
  EXPECT_EQ(again.writes(2s), "siren off");
  EXPECT_FALSE(again.judge().reset("leak", "li", TestedJudge::at(3s)));
}

TEST(Judge, WhatIsOnAtTheStartIsNotSwitchedOnWhileAnInhibitHoldsOverARestart) {
  std::string tables{relays};
  tables.replace(tables.find("at_start = \"off\""), 16, "at_start = \"on\"");
  KeptByJudge kept;
  kept.inhibition = Inhibition{"li", "work", TestedJudge::at(60s).steady, TestedJudge::at(60s).wall, 60s};
  TestedJudge room{tables};
  room.judge().restore(kept, TestedJudge::at(0s));
  EXPECT_EQ(room.writes(0s), "");
  EXPECT_EQ(room.writes(60s), "siren on");
}

TEST(Judge, AWriteThatFailsIsTriedAgainAndTold) {
  TestedJudge room{relays + reaction()};
  room.writes(0s);
  room.reads(20, 1, 1s);
  room.told();
  EXPECT_EQ(room.writes(1s, false), "siren on");
  EXPECT_EQ(room.state(), OutputState::failed);
  EXPECT_THAT(room.told(), HasSubstr("output siren cannot be switched on, and is tried again: no answer"));
  EXPECT_EQ(room.writes(1400ms, false), "");
  EXPECT_EQ(room.writes(1500ms, false), "siren on");
  EXPECT_EQ(room.told(), "") << "once a minute is enough";
  for (auto time = 2500ms; time < 60s; time += 5s)
    EXPECT_EQ(room.writes(time, false), "siren on") << time.count();
  EXPECT_EQ(room.writes(70s), "siren on");
  EXPECT_EQ(room.state(), OutputState::on);
  EXPECT_THAT(room.told(), HasSubstr("is on at last"));
}

TEST(Judge, AModuleThatStartedAnewIsSetAgain) {
  TestedJudge room{relays + reaction()};
  room.writes(0s);
  room.reads(20, 1, 1s);
  room.writes(1s);
  room.told();
  room.sees_relays(0, 0, 10s);
  EXPECT_EQ(room.writes(10s), "siren on");
  EXPECT_THAT(room.told(), HasSubstr("was switched by somebody else, or its module has started anew"));
  room.loses_module(20s);
  EXPECT_EQ(room.writes(20s, false), "siren on") << "it may come back at any moment, and be off";
  EXPECT_EQ(room.writes(60s), "siren on");
}

TEST(Judge, WhatSomebodyElseSwitchedOnIsToldAndLeftAlone) {
  TestedJudge room{relays + reaction()};
  room.writes(0s);
  room.sees_relays(0, 0, 1s);
  room.told();
  room.sees_relays(1, 0, 2s);
  EXPECT_EQ(room.writes(2s), "");
  EXPECT_EQ(room.state(), OutputState::on_by_others);
  EXPECT_THAT(room.told(), HasSubstr("it should be off"));
  room.sees_relays(1, 0, 3s);
  EXPECT_EQ(room.told(), "");
}

TEST(Judge, WhatIsAlwaysPutRightIsSwitchedOffAgain) {
  std::string tables = relays;
  tables.replace(tables.find("at_start = \"off\""), 0, "put_right = \"always\"\n");
  TestedJudge room{tables + reaction()};
  room.writes(0s);
  room.sees_relays(1, 0, 2s);
  EXPECT_EQ(room.writes(2s), "siren off");
}

TEST(Judge, WithoutABrokerItGivesTheDeclaredStateUntilTheBrokerIsBack) {
  std::string tables = relays;
  const std::string key = "on_link_loss = \"keep\"";
  tables.replace(tables.find(key), key.size(), "on_link_loss = \"on\"\nlink_loss_s = 60");
  TestedJudge room{tables + reaction()};
  room.reads(20, 0, 0s);
  EXPECT_EQ(room.writes(0s), "siren off");
  EXPECT_EQ(room.judge().deadline(), TestedJudge::at(60s).steady);
  EXPECT_EQ(room.writes(59s), "");
  EXPECT_EQ(room.writes(60s), "siren on");
  room.judge().link_changed(true, TestedJudge::at(70s));
  EXPECT_EQ(room.writes(70s), "siren off");
  room.judge().link_changed(false, TestedJudge::at(80s));
  EXPECT_EQ(room.writes(139s), "");
  room.judge().link_changed(false, TestedJudge::at(139s)) /* another attempt that failed */;
  EXPECT_EQ(room.writes(140s), "siren on");
}

TEST(Judge, ARaisedReactionCountsMoreThanALostLink) {
  std::string tables = relays;
  const std::string key = "on_link_loss = \"keep\"";
  tables.replace(tables.find(key), key.size(), "on_link_loss = \"off\"\nlink_loss_s = 60");
  TestedJudge room{tables + reaction()};
  room.writes(0s);
  room.reads(20, 1, 100s);
  EXPECT_EQ(room.writes(100s), "siren on");
}

TEST(Judge, WhileInhibitedReactionsSwitchNothingOn) {
  TestedJudge room{relays + reaction()};
  room.writes(0s);
  room.reads(20, 1, 1s);
  EXPECT_EQ(room.writes(1s), "siren on");
  room.judge().inhibit({"li", "pipe work", TestedJudge::at(101s).steady, TestedJudge::at(101s).wall, 100s},
                       TestedJudge::at(1s));
  EXPECT_EQ(room.writes(2s), "siren off");
  EXPECT_EQ(room.state(), OutputState::inhibited);
  EXPECT_THAT(room.told(), HasSubstr("inhibited by li until"));
  EXPECT_THAT(room.judge().figures().inhibit_text, HasSubstr("pipe work"));
  EXPECT_TRUE(room.judge().take_kept()->inhibition);
  EXPECT_EQ(room.writes(100s), "");
  EXPECT_EQ(room.writes(101s), "siren on") << "it has run out, and it is wet still";
  EXPECT_THAT(room.told(), HasSubstr("has run out"));
  EXPECT_FALSE(room.judge().take_kept()->inhibition);
}

TEST(Judge, AnInhibitIsEndedByCommand) {
  TestedJudge room{relays + reaction()};
  EXPECT_FALSE(room.judge().end_inhibition("li", TestedJudge::at(0s)));
  room.judge().inhibit({"li", "work", TestedJudge::at(3600s).steady, TestedJudge::at(3600s).wall, 3600s},
                       TestedJudge::at(0s));
  EXPECT_EQ(room.writes(0s), "siren off") << "the state at the start holds";
  room.reads(20, 1, 1s);
  EXPECT_EQ(room.writes(1s), "");
  EXPECT_TRUE(room.judge().end_inhibition("wang", TestedJudge::at(2s)));
  EXPECT_EQ(room.writes(2s), "siren on");
}

TEST(Judge, AKeySwitchInhibitsButNotForEver) {
  TestedJudge room{
      relays + reaction() +
      "[[inhibit]]\nname = \"key\"\ndevice = \"io\"\npoint = \"relay[2].state\"\nkind = \"state\"\n"
      "raise_when = [\"on\"]\nlongest_h = 1\n"};
  room.writes(0s);
  room.sees_relays(0, 1, 1s);
  room.reads(20, 1, 2s);
  EXPECT_EQ(room.writes(2s), "");
  EXPECT_EQ(room.state(), OutputState::inhibited);
  room.loses_module(3s);
  EXPECT_EQ(room.writes(4s), "") << "a key that cannot be read is where it was";
  EXPECT_EQ(room.writes(3600s), "");
  EXPECT_EQ(room.writes(3601s), "siren on");
  EXPECT_THAT(room.told(), HasSubstr("the inhibit input key has been on for longer than it may"));
  room.sees_relays(1, 0, 3700s);
  room.sees_relays(1, 1, 3701s);
  EXPECT_EQ(room.writes(3701s), "siren off");
}

TEST(Judge, AnOutputThatKeepsWhileInhibitedIsNotTouched) {
  std::string tables = relays;
  tables.replace(tables.find("at_start = \"off\""), 0, "on_inhibit = \"keep\"\n");
  TestedJudge room{tables + reaction()};
  room.writes(0s);
  room.reads(20, 1, 1s);
  room.writes(1s);
  room.judge().inhibit({"li", "work", TestedJudge::at(60s).steady, TestedJudge::at(60s).wall, 60s},
                       TestedJudge::at(2s));
  EXPECT_EQ(room.writes(2s), "") << "it goes on sounding";
  room.sees_relays(0, 0, 3s);
  EXPECT_EQ(room.writes(3s), "") << "somebody has silenced it, and may";
}

/// Of `relays`, with the siren's at_start as given.
TEST(Judge, OtherSettingsForgetNothingThatHasTheSameName) {
  const std::string tables = relays + reaction("does = \"until_reset\"\n");
  TestedJudge room{tables};
  room.writes(0s);
  room.reads(20, 1, 1s);
  EXPECT_EQ(room.judge().take_writes(TestedJudge::at(1s)).size(), 1u);  // never answered: polling has stopped
  Judge after{
      TestedJudge::read(tables + "[[inhibit]]\nname = \"key\"\npoint = \"relay[2].state\"\nkind = \"state\"\n"
                                 "raise_when = [1]\n"),
      TestedJudge::devices(), room.judge(), TestedJudge::at(2s)};
  const auto writes = after.take_writes(TestedJudge::at(2s));
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_EQ(writes[0].code, 1);
  EXPECT_EQ(after.figures().reactions.at(0).state, ReactionState::raised);
}

}  // namespace
}  // namespace watchroom::agent
