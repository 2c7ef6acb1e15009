// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/alarms/engine.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view built_in_text = R"(
[[rule]]
id = "warm"
kind = "high_limit"
point = "ambient.temperature"
unit = "celsius"
raise_above = 27.0
clear_below = 26.0
on_delay_s = 10
severity = "major"
title_zh = "热"
[[rule]]
id = "cold"
kind = "low_limit"
point = "ambient.temperature"
unit = "celsius"
raise_below = 15.0
clear_above = 16.0
severity = "minor"
title_zh = "冷"
[[rule]]
id = "leak"
kind = "state"
point = "leak.state"
raise_unless = [0, "dry"]
on_delay_s = 5
severity = "major"
title_zh = "漏水"
)";

std::vector<Rule> built_in_rules(std::string_view site_rules = "") {
  Problems problems;
  auto rules = read_rules(*SettingsTable::parse(built_in_text, "built_in.toml", problems));
  for (Rule& rule : rules) rule.layer = Layer::built_in;
  for (Rule& rule : read_rules(*SettingsTable::parse(site_rules, "rules.toml", problems)))
    rules.push_back(std::move(rule));
  EXPECT_TRUE(problems.empty()) << problems.str();
  return rules;
}

PointAlarm above(double limit, Severity severity, std::chrono::seconds on_delay = 0s) {
  PointAlarm alarm;
  alarm.limit = limit;
  alarm.clear_limit = limit - 1;
  alarm.severity = severity;
  alarm.on_delay = on_delay;
  alarm.title_zh = alarm.title_en = "profile's";
  return alarm;
}

PointAlarm in_states(std::vector<std::int64_t> states, Severity severity) {
  PointAlarm alarm;
  alarm.raised = PointAlarm::Raised::in_states;
  alarm.states = std::move(states);
  alarm.severity = severity;
  alarm.title_zh = alarm.title_en = "profile's";
  return alarm;
}

/// One point of a device with a profile, played with a clock of its own.
class Played {
 public:
  Played(std::vector<Rule> rules, std::string point_name, std::vector<std::optional<PointAlarm>> alarms)
      : engine{std::move(rules)},
        point{engine.subject({Subject::point, "hq", "room1", "d1", std::move(point_name), "", "", ""})} {
    changes = engine.set_profile_alarms(point, std::move(alarms), now);
  }

  void reads(double value) {
    const Situation situation{.value = value, .taken_at = now};
    take(engine.observe(point, situation, now));
  }
  void passes(std::chrono::seconds time) {
    for (auto passed = 0s; passed < time; passed += 1s) {
      now += 1s;
      take(engine.tick(now));
    }
  }
  /// "rule event" since the last look.
  std::vector<std::string> news() {
    std::vector<std::string> told;
    for (const AlarmChange& change : std::exchange(changes, {}))
      told.push_back(fmt::format("{} {}", change.alarm.rule, name_of(change.event)));
    return told;
  }
  std::optional<Severity> worst() const {
    std::optional<Severity> worst;
    for (const auto& [id, alarm] : engine.open())
      if (alarm.is_active && (!worst || alarm.severity < *worst)) worst = alarm.severity;
    return worst;
  }
  void take(std::vector<AlarmChange> more) {
    changes.insert(changes.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  Timestamp now{100s};
  Engine engine;
  SubjectId point;
  std::vector<AlarmChange> changes;
};

TEST(ProfileAlarms, TakeThePlaceOfABuiltInRuleThatSaysNoMore) {
  Played room{built_in_rules(), "ambient.temperature", {above(25, Severity::major)}};
  room.reads(30);
  room.passes(60s);
  EXPECT_THAT(room.news(), ElementsAre("profile:ambient.temperature:1 raised"));
  room.reads(20);
  EXPECT_THAT(room.news(), ElementsAre("profile:ambient.temperature:1 cleared"));
}

TEST(ProfileAlarms, ThatAreLaxerStandBesideTheBuiltInRule) {
  Played room{built_in_rules(), "ambient.temperature", {above(60, Severity::critical)}};
  room.reads(30);
  room.passes(10s);
  EXPECT_THAT(room.news(), ElementsAre("warm raised"));
  room.reads(70);
  EXPECT_THAT(room.news(), ElementsAre("profile:ambient.temperature:1 raised"));
}

TEST(ProfileAlarms, ThatAreMilderSilenceNothing) {
  Played room{built_in_rules(), "ambient.temperature", {above(25, Severity::warning)}};
  room.reads(30);
  room.passes(10s);
  EXPECT_THAT(room.news(), ElementsAre("profile:ambient.temperature:1 raised", "warm raised"));
}

TEST(ProfileAlarms, OfOneDirectionLeaveTheOtherAlone) {
  Played room{built_in_rules(), "ambient.temperature", {above(25, Severity::critical)}};
  room.reads(10);
  EXPECT_THAT(room.news(), ElementsAre("cold raised"));
}

TEST(ProfileAlarms, OnOneStateLeaveTheOtherBadOnesToTheBuiltInRule) {
  Played room{built_in_rules(), "leak.state", {in_states({4}, Severity::critical)}};
  room.reads(3);
  room.passes(5s);
  EXPECT_THAT(room.news(), ElementsAre("leak raised"));
  room.reads(0);
  room.reads(4);
  room.passes(60s);
  EXPECT_THAT(room.news(), ElementsAre("leak cleared", "profile:leak.state:1 raised"));
  room.reads(3);
  EXPECT_THAT(room.news(), ElementsAre("profile:leak.state:1 cleared", "leak raised"))
      << "it has been bad all the time";
}

TEST(ProfileAlarms, SilenceABuiltInRuleOnlyWhenTheySaySo) {
  PointAlarm only = in_states({4}, Severity::warning);
  only.is_instead = true;
  Played room{built_in_rules(), "leak.state", {only}};
  room.reads(3);
  room.passes(60s);
  EXPECT_THAT(room.news(), IsEmpty());
  room.reads(4);
  EXPECT_THAT(room.news(), ElementsAre("profile:leak.state:1 raised"));
}

TEST(ProfileAlarms, AreTakenAwayByIdForOneDeviceOrForAll) {
  for (const auto* off : {R"(id = "profile:ambient.temperature:1")", R"(id = "profile:ambient.*")",
                          "id = \"profile:*:1\"\ndevice = \"d1\""}) {
    const auto rules = fmt::format("[[rule]]\n{}\nenabled = false\n", off);
    Played room{built_in_rules(rules), "ambient.temperature", {above(25, Severity::critical)}};
    room.reads(30);
    room.passes(10s);
    EXPECT_THAT(room.news(), ElementsAre("warm raised")) << off;
  }
  Played room{built_in_rules("[[rule]]\nid = \"profile:*\"\nenabled = false\ndevice = \"other\"\n"),
              "ambient.temperature",
              {above(25, Severity::critical)}};
  room.reads(30);
  EXPECT_THAT(room.news(), ElementsAre("profile:ambient.temperature:1 raised"));
}

TEST(ProfileAlarms, GiveWayToTheSitesOwnWord) {
  const std::string site_rule = R"(
[[rule]]
id = "profile:ambient.temperature:1"
kind = "high_limit"
point = "ambient.temperature"
unit = "celsius"
raise_above = 40
severity = "warning"
title_zh = "现场"
[[rule]]
id = "hot-here"
kind = "high_limit"
point = "ambient.temperature"
unit = "celsius"
raise_above = 22
severity = "critical"
title_zh = "现场"
)";
  Played room{built_in_rules(site_rule),
              "ambient.temperature",
              {above(25, Severity::critical), above(23, Severity::critical)}};
  room.reads(24);
  EXPECT_THAT(room.news(), ElementsAre("hot-here raised")) << "one alarm says it for both";
}

TEST(ProfileAlarms, SurviveARestartAndAreWithdrawnWhenTheProfileDropsThem) {
  const std::vector<std::optional<PointAlarm>> alarms{std::nullopt, above(25, Severity::major)};
  Played before{built_in_rules(), "ambient.temperature", alarms};
  before.reads(30);
  EXPECT_THAT(before.news(), ElementsAre("profile:ambient.temperature:2 raised"));
  Engine after{built_in_rules()};
  after.restore({before.engine.open().at(1)}, 1);
  const auto point = after.subject({Subject::point, "hq", "room1", "d1", "ambient.temperature", "", "", ""});
  EXPECT_TRUE(after.set_profile_alarms(point, alarms, before.now).empty());
  EXPECT_TRUE(after.withdraw_orphans(before.now).empty());
  EXPECT_TRUE(after.observe(point, {.value = 30.0}, before.now).empty());
  after.tick(before.now + 30s);
  EXPECT_EQ(after.open().size(), 1u);
  EXPECT_TRUE(after.set_profile_alarms(point, alarms, before.now + 30s).empty()) << "the same birth again";
  const auto dropped = after.set_profile_alarms(point, {}, before.now + 40s);
  ASSERT_EQ(dropped.size(), 2u);
  EXPECT_EQ(dropped[0].event, AlarmEvent::withdrawn);
  EXPECT_EQ(dropped[0].alarm.rule, "profile:ambient.temperature:2");
  EXPECT_EQ(dropped[1].event, AlarmEvent::raised)
      << "it is still too warm, and now the built-in rule says so";
  EXPECT_EQ(dropped[1].alarm.rule, "warm");
}

TEST(ProfileAlarms, OfAPointNobodyAnnouncesAnyMoreAreOrphans) {
  Played before{built_in_rules(), "ambient.temperature", {above(25, Severity::major)}};
  before.reads(30);
  Engine after{built_in_rules()};
  after.restore({before.engine.open().at(1)}, 1);
  EXPECT_EQ(after.withdraw_orphans(before.now).size(), 1u);
}

TEST(ProfileAlarms, WhatCameAndWentUnheardIsToldOnce) {
  Played room{built_in_rules(), "ambient.temperature", {above(25, Severity::major)}};
  room.reads(20);
  const auto late = [&](double value, std::chrono::seconds at) {
    return room.take(room.engine.observe_past(room.point, {.value = value}, Timestamp{at}));
  };
  late(30, 10s);
  late(30, 50s);
  late(20, 60s);
  EXPECT_THAT(room.news(), ElementsAre("profile:ambient.temperature:1 past"));
}

TEST(ProfileAlarms, WithDelaysThatRunKeepThemWhenAnotherComesBesideThem) {
  Played room{built_in_rules(), "ambient.temperature", {}};
  room.reads(30);
  room.passes(5s);
  room.take(room.engine.set_profile_alarms(room.point, {above(60, Severity::critical)}, room.now));
  room.passes(5s);
  EXPECT_THAT(room.news(), ElementsAre("warm raised"));
}

/// Whatever a profile asks for: at each moment that an alarm of the built-in rules alone would be on, one at
/// least as severe is on.
TEST(ProfileAlarms, NeverWeakenWhatTheBuiltInRulesAloneWouldTell) {
  std::mt19937 random{20261127};
  const auto any = [&](int least, int most) { return std::uniform_int_distribution{least, most}(random); };
  int alarming = 0;
  for (int round = 0; round < 400; ++round) {
    const bool is_state = any(0, 1) == 1;
    std::vector<std::optional<PointAlarm>> alarms;
    for (int count = any(0, 3); count > 0; --count) {
      const auto severity = static_cast<Severity>(any(0, 3));
      PointAlarm alarm =
          is_state ? in_states({any(0, 4), any(0, 4)}, severity) : above(any(10, 35), severity);
      if (!is_state && any(0, 1) == 1) {
        alarm.raised = PointAlarm::Raised::below;
        alarm.clear_limit = alarm.limit + any(0, 3);
      }
      alarm.on_delay = std::chrono::seconds{any(0, 12)};
      alarm.off_delay = std::chrono::seconds{any(0, 6)};
      alarms.emplace_back(alarm);
    }
    const std::string point = is_state ? "leak.state" : "ambient.temperature";
    Played alone{built_in_rules(), point, {}};
    Played both{built_in_rules(), point, alarms};
    for (int step = 0; step < 60; ++step) {
      const double value = is_state ? any(0, 4) : any(8, 34);
      const bool is_lost = any(0, 9) == 0;
      for (Played* room : {&alone, &both}) {
        if (is_lost)
          room->take(room->engine.observe(room->point, {.quality = Quality::stale}, room->now));
        else
          room->reads(value);
      }
      if (any(0, 19) == 0) {
        alarms.emplace_back(above(any(10, 35), Severity::minor));
        both.take(both.engine.set_profile_alarms(both.point, alarms, both.now));
      }
      for (int second = any(1, 9); second > 0; --second) {
        alone.passes(1s);
        both.passes(1s);
        if (!alone.worst()) continue;
        ++alarming;
        ASSERT_TRUE(both.worst()) << "round " << round << ", step " << step;
        ASSERT_LE(*both.worst(), *alone.worst()) << "round " << round << ", step " << step;
      }
    }
  }
  EXPECT_GT(alarming, 10'000);
}

TEST(ProfileAlarms, CannotBeTakenAwayByAnIdThatIsNone) {
  const std::string file = ::testing::TempDir() + "profile_rules.toml";
  const auto problems_of = [&](std::string_view text) {
    std::ofstream{file} << text;
    Problems problems;
    AlarmSettings settings;
    settings.rules_file = file;
    (void)load_rules(settings, problems);
    return problems.str();
  };
  EXPECT_EQ(problems_of("[[rule]]\nid = \"profile:leak.state:1\"\nenabled = false\nsite = \"hq\"\n"), "");
  EXPECT_EQ(problems_of("[[rule]]\nid = \"profile:*\"\nenabled = false\ndevice = \"a\"\n"
                        "[[rule]]\nid = \"profile:*\"\nenabled = false\ndevice = \"b\"\n"),
            "");
  EXPECT_NE(problems_of("[[rule]]\nid = \"profiles:leak.state:1\"\nenabled = false\n").find("rule[0].id"),
            std::string::npos);
  EXPECT_NE(
      problems_of("[[rule]]\nid = \"profile:leak.state:1\"\nenabled = false\nsit = \"hq\"\n").find("sit"),
      std::string::npos);
  EXPECT_NE(problems_of("[[rule]]\nid = \"profile:leak.*\"\nkind = \"state\"\npoint = \"leak.state\"\n"
                        "raise_when = [1]\ntitle_zh = \"x\"\n")
                .find("an id without *"),
            std::string::npos);
}

}  // namespace
}  // namespace watchroom::aggregator
