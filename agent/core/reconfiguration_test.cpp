// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/tested_agent.hpp"
#include "agent/journal/noise.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Not;
using testing::Pair;

class ReconfigurationTest : public testing::Test, protected TestedAgent {
 protected:
  ReconfigurationTest() { start(); }
  void device_command(const std::string& device, const std::string& name, Value value) {
    Payload payload;
    payload.at = clock.now();
    payload.metrics = {{.name = name, .at = clock.now(), .value = std::move(value)}};
    step({Arrived{outlet.current, "spBv1.0/hq/DCMD/room1/" + device, encode(payload, WithDatatypes::yes)}});
  }
  void settle() {
    connect();
    host_says(true, 1000);
    polls(0, 20.0);
    polls(1, 21.0);
    run_for(3s);
    acknowledges(journal().head());
    run_for(35s);
    take();
  }
};

TEST_F(ReconfigurationTest, TheCentreChangesAClassAndItSurvivesARestart) {
  settle();
  EXPECT_THAT(outlet.subscriptions, Contains("spBv1.0/hq/DCMD/room1/+"));
  device_command("th2", "Properties/Class", std::string{"core"});
  EXPECT_THAT(field.asked, ElementsAre(Pair("th2", ResourceClass::core)));
  EXPECT_THAT(journal().classes(), ElementsAre(Pair("th2", "core")));
  restart_with({test_device("th1"), test_device("th2")});
  EXPECT_THAT(journal().classes(), ElementsAre(Pair("th2", "core")));
  connect();
  device_command("th2", "Properties/Class", std::string{"general"});  // as the settings say
  EXPECT_THAT(journal().classes(), ElementsAre());
}

TEST_F(ReconfigurationTest, AClassSurvivesADamagedJournal) {
  settle();
  device_command("th2", "Properties/Class", std::string{"core"});
  Payload large;
  for (int i = 1; i <= 20'000; ++i) {
    large.metrics = {{.name = "communication.text",
                      .at = clock.now(),
                      .value = noise_of(static_cast<std::uint64_t>(i), 500)}};
    journal().append("th1", encode(large, WithDatatypes::no), Urgency::urgent);
    if (i % 2000 == 0) run_for(3s);
  }
  damage_journal();
  disconnect();
  connect();
  host_says(true, 2000);
  run_for(3s);
  ASSERT_EQ(journal().moved_aside(), 1);
  EXPECT_THAT(journal().classes(), ElementsAre(Pair("th2", "core")));
}

TEST_F(ReconfigurationTest, WhatIsNoClassOrNoDeviceOfOursIsRefused) {
  settle();
  device_command("th2", "Properties/Class", std::string{"vital"});
  device_command("th2", "Properties/Class", 1.0);
  device_command("th9", "Properties/Class", std::string{"core"});
  device_command("th2", "Properties/Maker", std::string{"core"});
  step({Arrived{outlet.current, "spBv1.0/hq/DCMD/room2/th2", "rubbish"}});
  step({Arrived{outlet.current, "spBv1.0/hq/DCMD/room1/th2", "rubbish"}});
  EXPECT_THAT(field.asked, ElementsAre());
  EXPECT_THAT(journal().classes(), ElementsAre());
}

TEST_F(ReconfigurationTest, ABirthTellsBothClassesAndThePace) {
  auto device = test_device("th1");
  device.resource_class = ResourceClass::core;
  device.configured_class = ResourceClass::key;
  device.poll_interval = 2500ms;
  restart_with({device});
  connect();
  const auto birth = take()[1].payload;
  EXPECT_EQ(birth.find("Properties/Class")->value, Value{std::string{"core"}});
  EXPECT_EQ(birth.find("Properties/Class Configured")->value, Value{std::string{"key"}});
  EXPECT_EQ(birth.find("Properties/Poll Interval")->value, Value{std::int64_t{2500}});
}

TEST_F(ReconfigurationTest, OtherDevicesAreBornWithoutLosingAReading) {
  settle();
  polls(0, 30.0, 1);  // not yet on disk when the settings change
  step({Reconfigured{listed({test_device("th3"), test_device("th1")})}});
  polls(1, 31.0, 1);
  polls(0, 10.0);
  run_for(5s);
  const auto lines = story();
  EXPECT_THAT(lines, IsSupersetOf({"NBIRTH", "DBIRTH th3", "DBIRTH th1"}));
  EXPECT_EQ(journal().head(), 5u);
  EXPECT_EQ(journal().lost(), 0u);
}

TEST_F(ReconfigurationTest, ADeviceThatStaysAsItWasIsNotReportedAnew) {
  settle();
  polls(0, 20.0);
  polls(1, 21.0);
  const std::uint64_t before = journal().last_appended();
  auto slower = test_device("th2");
  slower.poll_interval = 20s;
  step({Reconfigured{listed({slower, test_device("th1")})}});
  polls(1, 20.0);
  EXPECT_EQ(journal().last_appended(), before);
  polls(0, 21.0);
  EXPECT_EQ(journal().last_appended(), before + 1);
}

TEST_F(ReconfigurationTest, EventsAreCountedOnAtTheDeviceThatToldThem) {
  auto ups = test_device("ups1");
  auto pdu = test_device("pdu1");
  ups.tells_events = pdu.tells_events = true;
  restart_with({ups, pdu});
  connect();
  host_says(true, 2000);
  tells(0, "one");
  tells(0, "two");
  step({Reconfigured{listed({pdu, ups})}});
  run_for(1s);
  take();
  tells(0, "of the other");
  tells(1, "three");
  run_for(1s);
  const auto sent = take();
  const auto count_of = [&](const std::string& device) -> std::optional<Value> {
    for (const SentMessage& message : sent)
      if (message.topic.device == device)
        if (const Metric* count = message.payload.find("event.count")) return count->value;
    return std::nullopt;
  };
  EXPECT_EQ(count_of("pdu1"), Value{std::int64_t{1}});
  EXPECT_EQ(count_of("ups1"), Value{std::int64_t{3}});
}

TEST_F(ReconfigurationTest, ADeviceThatIsTakenAwayDiesOnceItsRecordsAreThere) {
  settle();
  disconnect();
  polls(1, 35.0, 1);
  run_for(3s);
  step({Reconfigured{listed({test_device("th1")})}});
  connect();
  host_says(true, 2000);
  run_for(3s);
  const auto lines = story();
  EXPECT_THAT(lines, IsSupersetOf({"DBIRTH th2", "DDATA* th2 #3", "DDEATH th2"}));
  acknowledges(journal().head());
  run_for(40s);
  ask_for_rebirth();
  run_for(2s);
  EXPECT_THAT(story(), Not(Contains("DBIRTH th2")));
}

}  // namespace
}  // namespace watchroom::agent
