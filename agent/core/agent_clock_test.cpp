// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/tested_agent.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

class AgentClockTest : public testing::Test, protected TestedAgent {
 protected:
  AgentClockTest() { is_synchronised = false; }
  /// The last reading of the temperature that went out, live or as replayed.
  std::optional<Metric> sent_temperature(bool is_historical = false) {
    std::optional<Metric> found;
    for (const SentMessage& message : take())
      if (message.topic.verb == Verb::ddata)
        if (const Metric* metric = message.payload.find("ambient.temperature");
            metric && metric->is_historical == is_historical)
          found = *metric;
    return found;
  }
  /// What the centre's acknowledgement says of the time.
  void centre_acknowledges_at(Timestamp centre_time) {
    Payload payload;
    payload.at = centre_time;
    payload.metrics = {{.name = std::string{metric_names::journal_ack},
                        .at = centre_time,
                        .value = JournalAck{journal().id(), "centre", 0, {}}.str()}};
    step({Arrived{outlet.current, "spBv1.0/hq/NCMD/room1", encode(payload, WithDatatypes::yes)}});
  }
};

TEST_F(AgentClockTest, ReadingsOfAClockThatWasNeverSetSaySoAndAreGood) {
  clock.jump_wall(from_ms(60'000) - clock.now());
  start();
  connect();
  polls(0, 20.0);
  run_for(3s);
  const auto reading = sent_temperature();
  ASSERT_TRUE(reading);
  EXPECT_TRUE(reading->is_clock_unsure);
  EXPECT_EQ(reading->quality, Quality::good);
  EXPECT_EQ(reading->value, Value{20.0});
}

TEST_F(AgentClockTest, WhatWasReadBeforeTheTimeWasKnownIsReplayedWithItsTrueTime) {
  const Timestamp true_start = clock.now();
  clock.jump_wall(from_ms(60'000) - clock.now());
  start();
  polls(0, 20.0);  // a minute before the connection
  run_for(60s);
  connect();
  centre_acknowledges_at(true_start + 60s);
  host_says(true, 1000);
  run_for(3s);
  const auto reading = sent_temperature(true);
  ASSERT_TRUE(reading);
  EXPECT_FALSE(reading->is_clock_unsure);
  EXPECT_EQ(reading->at, true_start);
  polls(0, 25.0);
  run_for(3s);
  EXPECT_EQ(sent_temperature()->at, true_start + 63s);
}

TEST_F(AgentClockTest, TrueTimesSurviveARestartInTheSameBoot) {
  const Timestamp true_start = clock.now();
  clock.jump_wall(from_ms(60'000) - clock.now());
  start();
  polls(0, 20.0);
  run_for(10s);
  restart_with({test_device("th1"), test_device("th2")});
  connect();
  host_says(true, 1000);
  run_for(800ms);  // its time comes a little later; nothing goes before it
  EXPECT_FALSE(sent_temperature(true));
  centre_acknowledges_at(true_start + 10s + 800ms);
  run_for(3s);
  EXPECT_EQ(sent_temperature(true)->at, true_start);
}

TEST_F(AgentClockTest, AHostThatTellsNoTimeIsServedAllTheSame) {
  start();
  polls(0, 20.0);
  run_for(10s);
  connect();
  host_says(true, 1000);
  run_for(9s);
  EXPECT_FALSE(sent_temperature(true));
  run_for(3s);
  EXPECT_TRUE(sent_temperature(true));
}

TEST_F(AgentClockTest, RecordsOfAClockThatWasNotSetAreNotTooOld) {
  clock.jump_wall(-24h * 400);
  built = clock.now() + 24h;
  start();
  for (int i = 0; i < 5; ++i) {
    polls(0, 20.0 + 5 * (i % 2));
    run_for(10s);
  }
  const std::uint64_t head = journal().head();
  clock.jump_wall(24h * 400);
  is_synchronised = true;
  for (int i = 0; i < 5; ++i) {
    polls(0, 20.0 + 5 * (i % 2));
    run_for(40s);
  }
  EXPECT_GT(journal().head(), head);
  EXPECT_EQ(journal().lost(), 0u);
}

TEST_F(AgentClockTest, AfterARebootOldTimesStayUnsure) {
  clock.jump_wall(from_ms(60'000) - clock.now());
  start();
  polls(0, 20.0);
  run_for(10s);
  boot = "boot 2";
  restart_with({test_device("th1"), test_device("th2")});
  connect();
  centre_acknowledges_at(from_ms(1'800'000'000'000));
  host_says(true, 1000);
  run_for(3s);
  const auto reading = sent_temperature(true);
  ASSERT_TRUE(reading);
  EXPECT_TRUE(reading->is_clock_unsure);
  EXPECT_EQ(reading->at, from_ms(60'000));
}

TEST_F(AgentClockTest, AJumpMarksWhatFollowsUntilTheCentreAgrees) {
  start();
  connect();
  host_says(true, 1000);
  polls(0, 20.0);
  run_for(3s);
  EXPECT_FALSE(sent_temperature()->is_clock_unsure);
  const Timestamp before = clock.now();
  clock.jump_wall(5h);
  run_for(2s);
  polls(0, 25.0);
  run_for(3s);
  EXPECT_TRUE(sent_temperature()->is_clock_unsure);
  centre_acknowledges_at(before + 5s);
  polls(0, 30.0);
  run_for(3s);
  const auto reading = sent_temperature();
  EXPECT_FALSE(reading->is_clock_unsure);
  EXPECT_EQ(reading->at, before + 5s);
}

TEST_F(AgentClockTest, APollThatWasUnderWayWhenTheClockWasMovedIsCorrected) {
  is_synchronised = true;
  start();
  connect();
  PollResult under_way{0, Communication::ok, "", agent_clock().now(), {}};
  under_way.readings = {{20.0, Quality::good, agent_clock().now()},
                        {std::int64_t{0}, Quality::good, agent_clock().now()}};
  const Timestamp then = clock.now();
  clock.jump_wall(1h);
  run_for(2s);
  take();
  step({under_way});
  run_for(3s);
  EXPECT_EQ(sent_temperature()->at, then + 1h);
}

TEST_F(AgentClockTest, ATimeThatWasRightOnceIsTheLeastForTheNextStart) {
  is_synchronised = true;
  start();
  connect();
  polls(0, 20.0);
  run_for(3s);
  acknowledges(1);
  run_for(60s);
  is_synchronised = false;
  clock.jump_wall(-10h);  // the battery is empty
  restart_with({test_device("th1"), test_device("th2")});
  EXPECT_EQ(agent().figures().clock_trust, ClockTrust::unsure);
}

}  // namespace
}  // namespace watchroom::agent
