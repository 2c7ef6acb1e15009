// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/engine.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

std::vector<Rule> rules_from(std::string_view text) {
  Problems problems;
  const auto table = SettingsTable::parse(text, "rules.toml", problems);
  auto rules = read_rules(*table);
  EXPECT_TRUE(problems.empty()) << problems.str();
  return rules;
}

constexpr std::string_view hot = R"(
[[rule]]
id = "hot"
kind = "high_limit"
point = "ambient.temperature"
unit = "celsius"
raise_above = 28.0
clear_below = 26.0
on_delay_s = 30
title_zh = "过热"
[[rule]]
id = "gone"
kind = "agent_offline"
on_delay_s = 20
title_zh = "离线"
[[rule]]
id = "silent"
kind = "lost_data"
on_delay_s = 5
title_zh = "无数据"
)";

class EngineTest : public ::testing::Test {
 protected:
  std::vector<AlarmChange> reads(double celsius, std::chrono::seconds at) {
    return engine.observe(point, {.value = celsius, .unit = Unit::celsius}, Timestamp{at});
  }

  Engine engine{rules_from(hot)};
  SubjectId point =
      engine.subject({Subject::point, "hq", "room1", "th1", "ambient.temperature", "前门", "温度", "T"});
};

TEST_F(EngineTest, OneReadingAboveTheLimitThenSilenceRaises) {
  EXPECT_TRUE(reads(31.0, 0s).empty());
  ASSERT_EQ(engine.next_deadline(), Timestamp{30s});
  EXPECT_TRUE(engine.tick(Timestamp{29s}).empty());
  const auto changes = engine.tick(Timestamp{30s});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].event, AlarmEvent::raised);
  EXPECT_EQ(changes[0].alarm.text_zh, "31 °C，高于上限 28 °C");
  EXPECT_FALSE(engine.next_deadline());
}

TEST_F(EngineTest, ClearedBeforeAcknowledgedStaysOpenUntilSomebodyAnswers) {
  reads(31.0, 0s);
  engine.tick(Timestamp{30s});
  const auto cleared = reads(25.0, 40s);
  ASSERT_EQ(cleared.size(), 1u);
  EXPECT_EQ(cleared[0].alarm.state, AlarmLifeCycle::returned_unacknowledged);
  const auto answered = engine.acknowledge(1, "li", "看过了", Timestamp{50s});
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->alarm.state, AlarmLifeCycle::normal);
  EXPECT_TRUE(engine.open().empty());
}

TEST_F(EngineTest, ComingBackUnansweredIsTheSameAlarmAgain) {
  reads(31.0, 0s);
  engine.tick(Timestamp{30s});
  reads(25.0, 40s);
  reads(31.0, 50s);
  const auto again = engine.tick(Timestamp{80s});
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].alarm.id, 1);
  EXPECT_EQ(again[0].alarm.occurrence, 2);
}

TEST_F(EngineTest, AfterAnAnswerANewOccurrenceIsANewAlarm) {
  reads(31.0, 0s);
  engine.tick(Timestamp{30s});
  ASSERT_TRUE(engine.acknowledge(1, "li", "", Timestamp{35s}));
  EXPECT_FALSE(engine.acknowledge(1, "wang", "", Timestamp{36s}));
  EXPECT_EQ(reads(25.0, 40s)[0].alarm.state, AlarmLifeCycle::normal);
  reads(31.0, 50s);
  EXPECT_EQ(engine.tick(Timestamp{80s})[0].alarm.id, 2);
}

TEST_F(EngineTest, AStaleSensorRaisesItsOwnAlarmAndClearsNothing) {
  reads(31.0, 0s);
  engine.tick(Timestamp{30s});
  engine.observe(point, {.quality = Quality::stale}, Timestamp{40s});
  const auto changes = engine.tick(Timestamp{45s});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].alarm.rule, "silent");
  EXPECT_TRUE(engine.find(1)->is_active);
}

TEST_F(EngineTest, ASilentDeviceIsOneAlarmOnItsCommunication) {
  const auto communication =
      engine.subject({Subject::point, "hq", "room1", "th1", "communication.state", "前门", "通信", "C"});
  engine.observe(point, {.device_answers = false, .quality = Quality::stale}, Timestamp{0s});
  engine.observe(communication, {.device_answers = false, .is_communication_point = true, .value = 1.0},
                 Timestamp{0s});
  const auto changes = engine.tick(Timestamp{60s});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].alarm.point, "communication.state");
}

TEST_F(EngineTest, AnAgentOutOfKnowledgeIsNeitherOfflineNorBack) {
  const auto agent = engine.subject({Subject::agent, "hq", "room1", "", "", "", "", ""});
  engine.observe(agent, {.contact = Contact::unknown}, Timestamp{0s});
  EXPECT_TRUE(engine.tick(Timestamp{600s}).empty());
  engine.observe(agent, {.contact = Contact::offline}, Timestamp{600s});
  EXPECT_EQ(engine.tick(Timestamp{620s}).size(), 1u);
  EXPECT_TRUE(engine.observe(agent, {.contact = Contact::unknown}, Timestamp{630s}).empty());
  EXPECT_EQ(engine.observe(agent, {.contact = Contact::online}, Timestamp{640s})[0].event,
            AlarmEvent::cleared);
}

TEST_F(EngineTest, ARestartForgetsNothingAndRepeatsNothing) {
  reads(31.0, 0s);
  engine.tick(Timestamp{30s});
  Engine after{rules_from(hot)};
  after.restore({engine.open().at(1)}, 1);
  EXPECT_TRUE(after.withdraw_orphans(Timestamp{40s}).empty());
  const auto same =
      after.subject({Subject::point, "hq", "room1", "th1", "ambient.temperature", "前门", "温度", "T"});
  EXPECT_TRUE(after.observe(same, {.value = 31.0, .unit = Unit::celsius}, Timestamp{50s}).empty());
  const auto cleared = after.observe(same, {.value = 25.0, .unit = Unit::celsius}, Timestamp{60s});
  ASSERT_EQ(cleared.size(), 1u);
  EXPECT_EQ(cleared[0].alarm.id, 1);
}

TEST_F(EngineTest, WhatWasToldBeforeARestartIsNotToldAgainByABacklog) {
  reads(31.0, 0s);
  engine.tick(Timestamp{30s});
  Engine after{rules_from(hot)};
  after.restore({engine.open().at(1)}, 1);
  const auto same =
      after.subject({Subject::point, "hq", "room1", "th1", "ambient.temperature", "前门", "温度", "T"});
  ASSERT_TRUE(after.acknowledge(1, "li", "", Timestamp{45s}));
  const Situation cool{.value = 22.0, .taken_at = Timestamp{60s}, .unit = Unit::celsius};
  ASSERT_EQ(after.observe(same, cool, Timestamp{60s}).size(), 1u);
  after.observe_past(same, {.value = 31.0, .unit = Unit::celsius}, Timestamp{1s});
  after.observe_past(same, {.value = 31.0, .unit = Unit::celsius}, Timestamp{40s});
  EXPECT_TRUE(after.observe_past(same, {.value = 22.0, .unit = Unit::celsius}, Timestamp{60s}).empty());
}

TEST_F(EngineTest, AnAlarmWhoseRuleIsGoneIsWithdrawn) {
  reads(31.0, 0s);
  engine.tick(Timestamp{30s});
  Engine after{{}};
  after.restore({engine.open().at(1)}, 1);
  const auto changes = after.withdraw_orphans(Timestamp{40s});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].event, AlarmEvent::withdrawn);
  EXPECT_TRUE(after.open().empty());
}

TEST_F(EngineTest, WhatCameAndWentUnheardIsToldOnceAsPast) {
  const auto late = [&](double celsius, std::chrono::seconds at) {
    return engine.observe_past(point, {.value = celsius, .unit = Unit::celsius}, Timestamp{at});
  };
  reads(22.0, 200s);
  EXPECT_TRUE(late(31.0, 10s).empty());
  EXPECT_TRUE(late(31.0, 50s).empty());
  const auto told = late(22.0, 60s);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, AlarmEvent::past);
  EXPECT_EQ(told[0].alarm.raised_at, Timestamp{40s});
  EXPECT_EQ(told[0].alarm.cleared_at, Timestamp{60s});
  EXPECT_EQ(told[0].alarm.state, AlarmLifeCycle::returned_unacknowledged);
  EXPECT_TRUE(late(31.0, 20s).empty()) << "late readings do not go back";
  EXPECT_TRUE(engine.settle_past(point, Timestamp{200s}, Timestamp{200s}).empty());
}

TEST_F(EngineTest, OneLateReadingAndANormalValueNowIsPastToo) {
  reads(22.0, 200s);
  engine.observe_past(point, {.value = 31.0, .unit = Unit::celsius}, Timestamp{10s});
  const auto told = engine.settle_past(point, Timestamp{200s}, Timestamp{200s});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].alarm.raised_at, Timestamp{40s});
}

TEST_F(EngineTest, WhatStillHoldsIsAnAlarmOfNow) {
  reads(31.0, 200s);
  engine.tick(Timestamp{230s});
  engine.observe_past(point, {.value = 31.0, .unit = Unit::celsius}, Timestamp{10s});
  EXPECT_TRUE(engine.settle_past(point, Timestamp{200s}, Timestamp{200s}).empty());
  EXPECT_EQ(engine.open().size(), 1u);
}

TEST_F(EngineTest, WhatBeganUnheardAndIsPendingNowIsRaisedAtOnce) {
  engine.observe_past(point, {.value = 35.0, .unit = Unit::celsius}, Timestamp{10s});
  engine.observe_past(point, {.value = 36.0, .unit = Unit::celsius}, Timestamp{50s});
  reads(35.0, 60s);
  const auto raised = engine.settle_past(point, Timestamp{60s}, Timestamp{75s});
  ASSERT_EQ(raised.size(), 1u);
  EXPECT_EQ(raised[0].event, AlarmEvent::raised);
  EXPECT_EQ(raised[0].alarm.raised_at, Timestamp{40s});
  EXPECT_EQ(reads(22.0, 80s)[0].event, AlarmEvent::cleared);
}

TEST_F(EngineTest, WhatBeganUnheardIsNotOverBecauseNothingIsKnownNow) {
  engine.observe_past(point, {.value = 35.0, .unit = Unit::celsius}, Timestamp{10s});
  engine.observe(point, {.quality = Quality::stale, .unit = Unit::celsius}, Timestamp{60s});
  const auto raised = engine.settle_past(point, Timestamp{60s}, Timestamp{75s});
  ASSERT_EQ(raised.size(), 1u);
  EXPECT_EQ(raised[0].event, AlarmEvent::raised);
  EXPECT_EQ(raised[0].alarm.text_zh, "35 °C，高于上限 28 °C");
}

TEST_F(EngineTest, ADelayThatBeganUnheardCountsFromThere) {
  engine.observe_past(point, {.value = 35.0, .unit = Unit::celsius}, Timestamp{50s});
  engine.observe(point, {.value = 35.0, .taken_at = Timestamp{60s}, .unit = Unit::celsius}, Timestamp{1060s});
  EXPECT_TRUE(engine.settle_past(point, Timestamp{60s}, Timestamp{1075s}).empty());
  EXPECT_EQ(engine.next_deadline(), Timestamp{1080s});
}

TEST_F(EngineTest, ALateExcursionShorterThanTheDelayIsForgotten) {
  reads(22.0, 200s);
  engine.observe_past(point, {.value = 31.0, .unit = Unit::celsius}, Timestamp{10s});
  EXPECT_TRUE(engine.observe_past(point, {.value = 22.0, .unit = Unit::celsius}, Timestamp{39s}).empty());
  EXPECT_TRUE(engine.settle_past(point, Timestamp{200s}, Timestamp{200s}).empty());
}

TEST_F(EngineTest, WhatWasHeardLiveIsNotToldAgainWhenItComesAsHistory) {
  const auto reading = [](double celsius, std::chrono::seconds taken_at) {
    return Situation{.value = celsius, .taken_at = Timestamp{taken_at}, .unit = Unit::celsius};
  };
  // The agent's clock is 1000 s behind ours.
  engine.observe(point, reading(31.0, 10s), Timestamp{1010s});
  engine.tick(Timestamp{1040s});
  engine.observe(point, reading(22.0, 60s), Timestamp{1060s});
  ASSERT_TRUE(engine.acknowledge(1, "li", "", Timestamp{1070s}));
  EXPECT_TRUE(engine.observe_past(point, reading(31.0, 10s), Timestamp{10s}).empty());
  EXPECT_TRUE(engine.observe_past(point, reading(22.0, 60s), Timestamp{60s}).empty());
  EXPECT_TRUE(engine.settle_past(point, Timestamp{60s}, Timestamp{60s}).empty());
  engine.observe_past(point, reading(31.0, 70s), Timestamp{70s});
  EXPECT_EQ(engine.observe_past(point, reading(22.0, 170s), Timestamp{170s}).size(), 1u) << "this one is new";
}

TEST(Rules, TheBuiltInOnesAreValid) {
  Problems problems;
  EXPECT_GE(load_rules({}, problems).size(), 10u);
  EXPECT_TRUE(problems.empty()) << problems.str();
}

TEST(Rules, ABuiltInOneIsTakenAwayByItsIdAlone) {
  const std::string file = ::testing::TempDir() + "rules.toml";
  const auto load = [&](std::string_view text) {
    std::ofstream{file} << text;
    Problems problems;
    AlarmSettings settings;
    settings.rules_file = file;
    const auto count = load_rules(settings, problems).size();
    return std::pair{count, problems.str()};
  };
  const auto [all, none] = load("");
  const auto [fewer, nothing_wrong] = load("[[rule]]\nid = \"leak\"\nenabled = false\n");
  EXPECT_EQ(nothing_wrong, "");
  EXPECT_EQ(fewer + 1, all);
  const auto [same, unknown] = load("[[rule]]\nid = \"leaks\"\nenabled = false\n");
  EXPECT_NE(unknown.find("rule[0].id: \"leaks\" is not valid"), std::string::npos) << unknown;
}

TEST(Rules, EveryMistakeIsToldWithItsPlace) {
  Problems problems;
  const auto table = SettingsTable::parse(R"(
[[rule]]
id = "a"
kind = "high_limit"
point = "ambient.temprature"
unit = "celsius"
raise_above = 28
clear_below = 29
title_zh = "x"
[[rule]]
id = "a"
kind = "low_limit"
point = "ambient.temperature"
unit = "volt"
raise_below = 10
colour = "red"
title_zh = "x"
)",
                                          "rules.toml", problems);
  (void)read_rules(*table);
  const std::string text = problems.str();
  for (const auto* part :
       {"rules.toml:5: rule[0].point", "rules.toml:8: rule[0].clear_below", "rules.toml:11: rule[1].id",
        "rules.toml:14: rule[1].unit: \"volt\" is not valid, expected \"celsius\"",
        "rules.toml:16: rule[1].colour: unknown key"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

}  // namespace
}  // namespace watchroom::aggregator
