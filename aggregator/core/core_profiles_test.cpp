// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/tested_core.hpp"

namespace watchroom::aggregator {
namespace {

/// A device whose profile asks for alarms, before the built-in rules.
class Profiles : public CoreTest {
 protected:
  Profiles() {
    Problems problems;
    rules = load_rules({}, problems);
    restart();
    node_is_born();
  }
  static std::string below(double limit, const std::string& severity = "critical") {
    return fmt::format(
        R"([{{"severity":"{}","below":{},"clear_above":{},"title":{{"zh":"气瓶压力低","en":"Low"}}}}])",
        severity, limit, limit + 0.1);
  }
  void cylinder_is_born(double pressure, const std::string& alarms, bool has_pressure = true) {
    Payload device;
    device.seq = seq++;
    device.metrics = {
        {.name = "Properties/Name", .value = "钢瓶"},
        {.name = "gas_cylinder.temperature", .at = clock.now(), .value = 21.0, .unit = "celsius"}};
    if (has_pressure)
      device.metrics.push_back({.name = "gas_cylinder.pressure",
                                .at = clock.now(),
                                .value = pressure,
                                .unit = "megapascal",
                                .alarms = alarms});
    receive("spBv1.0/hq/DBIRTH/room1/gas1", device);
  }
  std::vector<std::string> alarms() const {
    std::vector<std::string> ids;
    for (const AlarmView& alarm : room->alarms(0))
      if (alarm.is_active) ids.push_back(alarm.rule);
    return ids;
  }
  std::string pressure_quality() const {
    return room->points(0, [](const PointView& point) { return point.name == "gas_cylinder.pressure"; })
        .at(0)
        .quality;
  }
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(Profiles, AskForAlarmsOfTheirOwn) {
  cylinder_is_born(3.5, below(3.78));
  EXPECT_THAT(alarms(), ElementsAre("profile:gas_cylinder.pressure:1"));
  EXPECT_THAT(outside.mails.at(0).second.subject, HasSubstr("气瓶压力低"));
  EXPECT_THAT(outside.mails.at(0).second.body, HasSubstr("设备模板"));
  cylinder_is_born(2.0, below(3.78));
  pass(60s);
  EXPECT_THAT(alarms(), ElementsAre("profile:gas_cylinder.pressure:1")) << "the built-in rule says no more";
}

TEST_F(Profiles, WhoseAlarmsMakeNoSenseLeaveTheBuiltInRulesInForce) {
  for (const std::string& nonsense : {std::string{"{"}, std::string{"[1,2]"}, std::string(100'000, '['),
                                      std::string{R"([{"severity":"major","above":"hot"}])"}}) {
    cylinder_is_born(2.0, nonsense);
    pass(31s);
    EXPECT_THAT(alarms(), ElementsAre("gas-cylinder-pressure-low")) << nonsense.substr(0, 40);
    EXPECT_EQ(pressure_quality(), "good");
  }
}

TEST_F(Profiles, AreKnownBeforeTheNextBirth) {
  cylinder_is_born(3.5, below(3.78));
  restart();
  EXPECT_THAT(alarms(), ElementsAre("profile:gas_cylinder.pressure:1"));
  const std::size_t mails = outside.mails.size();
  node_is_born();
  cylinder_is_born(3.5, below(3.78));
  EXPECT_THAT(alarms(), ElementsAre("profile:gas_cylinder.pressure:1"));
  pass(60s);
  EXPECT_EQ(outside.mails.size(), mails) << "nothing is told twice but what waited before";
  cylinder_is_born(4.2, below(3.78));
  EXPECT_THAT(alarms(), IsEmpty());
}

TEST_F(Profiles, ThatAskForLessWithdrawWhatTheyAskedFor) {
  cylinder_is_born(3.5, below(3.78));
  cylinder_is_born(3.5, "");
  EXPECT_THAT(alarms(), IsEmpty());
  ASSERT_EQ(outside.mails.size(), 2u);
  EXPECT_THAT(outside.mails[1].second.subject, HasSubstr("[撤销]"));
  cylinder_is_born(3.5, below(3.78));
  EXPECT_THAT(alarms(), ElementsAre("profile:gas_cylinder.pressure:1"));
}

TEST_F(Profiles, OfAPointThatVanishesFromTheBirthAreWithdrawn) {
  cylinder_is_born(3.5, below(3.78));
  cylinder_is_born(3.5, "", false);
  EXPECT_THAT(alarms(), IsEmpty());
  EXPECT_THAT(outside.mails.at(1).second.body, HasSubstr("采集代理不再上报此测点"));
  pass(120s);
  EXPECT_THAT(alarms(), IsEmpty());
}

}  // namespace
}  // namespace watchroom::aggregator
