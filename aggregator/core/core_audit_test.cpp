// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/tested_core.hpp"

namespace watchroom::aggregator {
namespace {

/// What the audit log is told of alarms, and what becomes of its own trouble.
class Audited : public CoreTest {
 protected:
  std::vector<std::string> steps() const {
    std::vector<std::string> all;
    for (const AuditEvent& event : outside.recorded)
      all.push_back(fmt::format("{} {} {}", event.who, event.action, event.object));
    return all;
  }
};

TEST_F(Audited, EachStepOfAnAlarmIsToldOnceInOrder) {
  be_born();
  reads(31.0);
  pass(30s);
  ASSERT_TRUE(acknowledge(1));
  reads(22.0);
  EXPECT_THAT(steps(), ::testing::ElementsAre("system alarm.raised alarm 1", "li alarm.acknowledged alarm 1",
                                              "system alarm.cleared alarm 1"));
  EXPECT_THAT(outside.recorded[0].detail, HasSubstr("hot hq/room1/th1/ambient.temperature"));
  EXPECT_EQ(
      outside.recorded[1].detail.substr(outside.recorded[1].detail.size() - std::string{"正在处理"}.size()),
      "正在处理");
  restart();
  be_born();
  EXPECT_EQ(outside.recorded.size(), 3u) << "a restart repeats nothing";
}

TEST_F(Audited, AStepIsToldOnlyOnceItIsOnTheDisk) {
  be_born();
  const auto other = Database::open(folder / "watchroom.db", Durability::power_cut);
  ASSERT_TRUE(other);
  ASSERT_TRUE(
      other->execute("CREATE TRIGGER full BEFORE INSERT ON alarm BEGIN SELECT RAISE(ABORT, 'full'); END"));
  reads(31.0);
  pass(40s);
  EXPECT_EQ(room->alarms(0).size(), 1u) << "raised all the same";
  EXPECT_TRUE(steps().empty());
  ASSERT_TRUE(other->execute("DROP TRIGGER full"));
  pass(2s);
  EXPECT_THAT(steps(), ::testing::ElementsAre("system alarm.raised alarm 1"));
}

TEST_F(Audited, AnAuditLogInTroubleIsAnAlarmOfTheCentreUntilItIsWell) {
  be_born();
  pass(2s);
  EXPECT_TRUE(room->alarms(0).empty());
  outside.trouble_of_audit = "disk full";
  pass(2s);
  ASSERT_EQ(room->alarms(0).size(), 1u);
  const AlarmView alarm = room->alarms(0)[0];
  EXPECT_EQ(alarm.rule, "audit");
  EXPECT_EQ(alarm.site, "");
  EXPECT_THAT(alarm.text_en, HasSubstr("disk full"));
  outside.trouble_of_audit = "";
  pass(2s);
  EXPECT_FALSE(room->alarms(0)[0].is_active);
}

}  // namespace
}  // namespace watchroom::aggregator
