// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/profiles/profile.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

const std::string head =
    "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"modbus\"\nsource = \"test\"\nconfidence = "
    "\"measured\"\n";

std::string temperature(const std::string& alarms) {
  return head +
         "[[point]]\nname = \"ambient.temperature\"\nunit = \"celsius\"\ndeadband = 0.5\n"
         "register = { table = \"input\", address = 0, type = \"i16\" }\n" +
         alarms + "\n";
}

std::string leak(const std::string& alarms) {
  return head +
         "[[point]]\nname = \"leak.state\"\nunit = \"state\"\n"
         "states = { 0 = { zh = \"干\", en = \"dry\" }, 3 = { zh = \"湿\", en = \"wet\" } }\n"
         "register = { table = \"input\", address = 0, type = \"u16\" }\n" +
         alarms + "\n";
}

const std::string title = ", title = { zh = \"热\", en = \"Hot\" } }";

std::vector<PointAlarm> alarms_of(const std::string& text) {
  Problems problems;
  const auto profile = Profile::parse(text, "p.toml", problems);
  EXPECT_TRUE(profile) << problems.str();
  return profile ? profile->points.at(0).traits->alarms : std::vector<PointAlarm>{};
}

std::string problems_of(const std::string& text) {
  Problems problems;
  EXPECT_FALSE(Profile::parse(text, "p.toml", problems)) << text;
  return problems.str();
}

TEST(ProfileAlarm, IsReadWithAllItsKeys) {
  const auto alarms =
      alarms_of(temperature("alarms = [\n  { severity = \"critical\", above = 60, clear_below = 55.5, "
                            "on_delay_s = 30, off_delay_s = 5, "
                            "instead = true" +
                            title + ",\n  { severity = \"minor\", below = 5.0" + title + ",\n]"));
  ASSERT_EQ(alarms.size(), 2u);
  EXPECT_EQ(alarms[0].raised, PointAlarm::Raised::above);
  EXPECT_EQ(alarms[0].severity, Severity::critical);
  EXPECT_EQ(alarms[0].limit, 60.0);
  EXPECT_EQ(alarms[0].clear_limit, 55.5);
  EXPECT_EQ(alarms[0].on_delay, 30s);
  EXPECT_EQ(alarms[0].off_delay, 5s);
  EXPECT_TRUE(alarms[0].is_instead);
  EXPECT_EQ(alarms[0].title_zh, "热");
  EXPECT_EQ(alarms[0].title_en, "Hot");
  EXPECT_EQ(alarms[1].raised, PointAlarm::Raised::below);
  EXPECT_EQ(alarms[1].clear_limit, 5.5) << "the deadband is more than 2 %";
  const auto states = alarms_of(leak("alarms = [ { severity = \"critical\", states = [3]" + title + " ]"));
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states[0].states, std::vector<std::int64_t>{3});
}

TEST(ProfileAlarm, IsRefusedWithItsPlaceWhenItContradictsItself) {
  const auto one = [](const std::string& keys) {
    return temperature("alarms = [ { severity = \"major\", " + keys + title + " ]");
  };
  const std::vector<std::pair<std::string, std::string>> all{
      {one("above = 60, clear_below = 61"), "p.toml:12: point[0].alarms[0].clear_below: 61"},
      {one("below = 6, clear_above = 5"), "point[0].alarms[0].clear_above"},
      {one("above = 60, clear_above = 61"), "point[0].alarms[0].clear_above: unknown key"},
      {one("above = 60, below = 5"), "needs one of above, below and states"},
      {one("on_delay_s = 5"), "needs one of above, below and states"},
      {one("states = [1]"), "point[0].alarms[0].states"},
      {one("above = 60, on_delay_s = 90000"), "point[0].alarms[0].on_delay_s"},
      {one("above = 60, colour = \"red\""), "point[0].alarms[0].colour: unknown key"},
      {one("above = \"hot\""), "point[0].alarms[0].above"},
      {temperature("alarms = [ { above = 1" + title + " ]"), "point[0].alarms[0].severity"},
      {temperature("alarms = [ { severity = \"loud\", above = 1" + title + " ]"), "\"loud\""},
      {temperature("alarms = [ { severity = \"major\", above = 1 } ]"), "title"},
      {temperature("alarms = [ { severity = \"major\", above = 1, title = { zh = \"x\" } } ]"), "title.en"},
      {leak("alarms = [ { severity = \"major\", states = [3, 4]" + title + " ]"),
       "4 is none of the point's states"},
      {leak("alarms = [ { severity = \"major\", states = []" + title + " ]"), "1 to 256 codes"},
      {leak("alarms = [ { severity = \"major\", above = 1" + title + " ]"), "no order"}};
  for (const auto& [text, words] : all) EXPECT_THAT(problems_of(text), testing::HasSubstr(words)) << text;
}

TEST(ProfileAlarm, OnACountClearsAtTheLimit) {
  const auto alarms = alarms_of(head +
                                "[[point]]\nname = \"device.alarm_count\"\nunit = \"count\"\n"
                                "register = { table = \"input\", address = 0, type = \"u16\" }\n"
                                "alarms = [ { severity = \"major\", above = 0" +
                                title + " ]\n");
  ASSERT_EQ(alarms.size(), 1u);
  EXPECT_EQ(alarms[0].clear_limit, 0.0);
}

}  // namespace
}  // namespace watchroom::agent
