// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/model/point_alarm.hpp"

#include <gtest/gtest.h>

namespace watchroom {
namespace {

using namespace std::chrono_literals;

TEST(PointAlarm, ComesBackFromTheWireAsItWas) {
  PointAlarm low;
  low.raised = PointAlarm::Raised::below;
  low.severity = Severity::critical;
  low.limit = 2.25;
  low.clear_limit = 2.3;
  low.on_delay = 30s;
  low.off_delay = 1500ms;
  low.is_instead = true;
  low.title_zh = "气瓶压力低";
  low.title_en = "Cylinder pressure low";
  PointAlarm state;
  state.raised = PointAlarm::Raised::in_states;
  state.severity = Severity::minor;
  state.states = {3, -1, 4};
  state.title_zh = state.title_en = "x";
  const auto read = alarms_from_json(to_json({low, state}));
  EXPECT_EQ(read.trouble, "");
  ASSERT_EQ(read.alarms.size(), 2u);
  EXPECT_EQ(read.alarms[0], low);
  EXPECT_EQ(read.alarms[1], state);
  EXPECT_EQ(to_json(std::vector<PointAlarm>{}), "");
  EXPECT_TRUE(alarms_from_json("").alarms.empty());
}

TEST(PointAlarm, NonsenseIsToldAndKeepsNothingElseFromBeingRead) {
  const auto read = alarms_from_json(R"([7, {"severity":"major","above":60,"title":{"en":"Hot"}}])");
  EXPECT_EQ(read.trouble, "alarm 1: it is no object");
  ASSERT_EQ(read.alarms.size(), 2u);
  EXPECT_FALSE(read.alarms[0]);
  ASSERT_TRUE(read.alarms[1]);
  EXPECT_EQ(read.alarms[1]->clear_limit, 60.0);
  EXPECT_EQ(read.alarms[1]->title_zh, "Hot");
}

TEST(PointAlarm, WhatCannotBeAnAlarmIsNone) {
  const std::string title = R"("title":{"zh":"x"}})";
  for (const std::string& start :
       {std::string{R"({"severity":"loud","above":1,)"}, std::string{R"({"above":1,)"},
        std::string{R"({"severity":"major",)"}, std::string{R"({"severity":"major","above":1,"below":0,)"},
        std::string{R"({"severity":"major","above":"1",)"},
        std::string{R"({"severity":"major","above":1,"clear_below":2,)"},
        std::string{R"({"severity":"major","below":1,"clear_above":0,)"},
        std::string{R"({"severity":"major","above":1e999,)"},
        std::string{R"({"severity":"major","states":[],)"},
        std::string{R"({"severity":"major","states":[1.5],)"},
        std::string{R"({"severity":"major","states":["wet"],)"},
        std::string{R"({"severity":"major","above":1,"on_delay_s":-1,)"},
        std::string{R"({"severity":"major","above":1,"off_delay_s":1e6,)"}}) {
    const auto read = alarms_from_json("[" + start + title + "]");
    EXPECT_NE(read.trouble, "") << start;
    for (const auto& alarm : read.alarms) EXPECT_FALSE(alarm) << start;
  }
  EXPECT_NE(alarms_from_json(R"([{"severity":"major","above":1,"title":{}}])").trouble, "");
  EXPECT_NE(alarms_from_json("{").trouble, "");
  EXPECT_NE(alarms_from_json("{}").trouble, "");
  EXPECT_NE(alarms_from_json(std::string(100'000, '[')).trouble, "");
}

TEST(PointAlarm, TooManyAreCutOff) {
  std::string many = "[";
  for (int i = 0; i < 40; ++i) many += R"({"severity":"major","above":1,"title":{"zh":"x"}},)";
  many.back() = ']';
  const auto read = alarms_from_json(many);
  EXPECT_EQ(read.alarms.size(), most_point_alarms);
  EXPECT_EQ(read.trouble, "40 alarms, at most 16 are read");
}

}  // namespace
}  // namespace watchroom
