// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <gtest/gtest.h>

#include "tests/timelines/house.hpp"

namespace watchroom::timelines {
namespace {

using namespace std::chrono_literals;

/// Records 1 to the head without a gap, of one or several values each, that only grow.
void expect_whole(const House& house) {
  std::pair<std::uint64_t, std::int64_t> before{0, -1};
  for (const auto& reading : house.stored()) {
    ASSERT_LE(reading.first, before.first + 1);
    ASSERT_GT(reading.second, before.second) << "record " << reading.first;
    before = reading;
  }
  ASSERT_EQ(before.first, house.journal_head());
}

TEST(Journal, EveryRecordReachesTheStoreOnceThroughLossCutsAndCrashes) {
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    House house{seed};
    std::minstd_rand random{seed};
    const auto chance = [&](int of) { return std::uniform_int_distribution<int>{1, of}(random) == 1; };
    for (int round = 0; round < 200; ++round) {
      house.agent_side().loss = 0.3;
      house.polls();
      house.pass(std::chrono::milliseconds{50 * std::uniform_int_distribution<int>{1, 20}(random)});
      if (chance(25)) house.cut_agent();
      if (chance(25)) house.cut_centre();
      if (chance(40)) house.crash_agent();
      if (chance(40)) house.crash_centre();
      if (chance(8)) house.connect();
    }
    house.agent_side().loss = 0;
    house.connect();
    house.pass(40s);
    expect_whole(house);
    EXPECT_EQ(house.journal_oldest(), house.journal_head() + 1) << "everything is acknowledged and deleted";
  }
}

TEST(Journal, AfterAnOutageCurrentValuesComeBeforeTheBacklog) {
  House house{1};
  house.polls();
  house.pass(5s);
  house.cut_agent();
  for (int i = 0; i < 30; ++i) {
    house.polls();
    house.pass(1s);
  }
  house.connect();
  house.pass(50ms);
  const auto now = house.room().points(0, [](const auto& point) { return point.name == "device.counter"; });
  ASSERT_EQ(now.size(), 1u);
  EXPECT_EQ(now[0].value, Value{std::int64_t{31}});
  house.pass(10s);
  expect_whole(house);
}

TEST(Journal, WhatCameDuringAnOutageKeepsItsTime) {
  House house{1};
  house.polls();
  house.pass(5s);
  house.cut_centre();
  house.polls();
  house.pass(60s);
  house.connect();
  house.pass(20s);
  const auto samples = house.room().samples("hq/room1/th1/device.counter", from_ms(0), 10);
  ASSERT_TRUE(samples);
  ASSERT_EQ(samples->size(), 2u);
  EXPECT_EQ((*samples)[1].taken_at - (*samples)[0].taken_at, 5s);
}

constexpr std::string_view rules = R"(
[[rule]]
id = "hot"
kind = "high_limit"
point = "ambient.temperature"
unit = "celsius"
raise_above = 28.0
on_delay_s = 10
title_zh = "过热"
[[rule]]
id = "silent"
kind = "lost_data"
on_delay_s = 15
title_zh = "数据丢失"
)";

TEST(Alarms, AreRaisedOnceAndMailedOnceWhateverCrashes) {
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    House house{seed, rules};
    std::minstd_rand random{seed};
    const auto chance = [&](int of) { return std::uniform_int_distribution<int>{1, of}(random) == 1; };
    for (int round = 0; round < 60; ++round) {
      house.polls(35.0);
      house.pass(1s);
      if (chance(15)) house.crash_agent();
      if (chance(15)) house.crash_centre();
      if (chance(15)) house.cut_centre();
      house.connect();
    }
    house.pass(30s);
    std::set<std::string> ids;
    for (const auto& mail : house.mails()) ids.insert(mail.id);
    EXPECT_EQ(ids.size(), 1u) << "one alarm, one message";
    EXPECT_EQ(house.room().alarms(0).size(), 1u);
  }
}

TEST(Alarms, WhatCameAndWentDuringACutIsToldOnceAsPast) {
  House house{1, rules};
  house.polls(22.0);
  house.pass(5s);
  house.cut_agent();
  house.polls(35.0);
  house.pass(20s);
  house.polls(22.0);
  house.pass(5s);
  house.connect();
  house.pass(60s);
  const auto alarms = house.room().alarms(0);
  ASSERT_EQ(alarms.size(), 1u);
  EXPECT_FALSE(alarms[0].is_active);
  EXPECT_EQ(*alarms[0].cleared_at - alarms[0].raised_at, 10s);
  ASSERT_EQ(house.mails().size(), 1u);
  EXPECT_NE(house.mails()[0].subject.find("已恢复"), std::string::npos);
}

TEST(Alarms, ADeviceThatFallsSilentKeepsItsAlarmAndRaisesAnother) {
  House house{1, rules};
  house.polls(35.0);
  house.pass(15s);
  house.device_falls_silent();
  house.pass(30s);
  const auto alarms = house.room().alarms(0);
  ASSERT_EQ(alarms.size(), 2u);
  EXPECT_TRUE(alarms[0].is_active);
  EXPECT_EQ(alarms[1].rule, "silent");
  house.polls(22.0);
  house.pass(5s);
  for (const auto& alarm : house.room().alarms(0)) EXPECT_FALSE(alarm.is_active) << alarm.rule;
}

}  // namespace
}  // namespace watchroom::timelines
