// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/link/edge_node.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/tested_agent.hpp"

// Every message of these tests also passes WireChecker.
namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class EdgeNodeTest : public testing::Test, protected TestedAgent {
 protected:
  EdgeNodeTest() { start(); }
  /// Connected, both devices known, everything acknowledged, the host online.
  void settle() {
    polls(0, 20.0);
    polls(1, 20.0);
    run_for(1s);
    connect();
    host_says(true, 1000);
    run_for(3s);
    acknowledges(journal().head());
    take();
  }
};

TEST_F(EdgeNodeTest, SubscribesThenBirthsTheNodeAndEachDevice) {
  polls(0, 23.5, 1);
  connect();
  EXPECT_THAT(outlet.subscriptions,
              ElementsAre("spBv1.0/hq/NCMD/room1", "spBv1.0/hq/DCMD/room1/+", "spBv1.0/STATE/centre"));
  const auto sent = take();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].topic.str(), "spBv1.0/hq/NBIRTH/room1");
  EXPECT_EQ(sent[0].payload.find(metric_names::name)->value, Value{"一号机房"});
  EXPECT_EQ(sent[0].payload.find(metric_names::heartbeat)->value, Value{std::int64_t{30}});
  EXPECT_EQ(sent[1].topic.str(), "spBv1.0/hq/DBIRTH/room1/th1");
  const Metric* temperature = sent[1].payload.find("ambient.temperature");
  EXPECT_EQ(temperature->value, Value{23.5});
  EXPECT_EQ(temperature->quality, Quality::good);
  EXPECT_EQ(temperature->unit, "celsius");
  EXPECT_EQ(sent[1].payload.find("leak.state")->states,
            R"({"0":{"zh":"正常","en":"dry"},"1":{"zh":"有水","en":"wet"}})");
  EXPECT_EQ(sent[1].payload.find(metric_names::max_silence)->value, Value{std::int64_t{60}});
  EXPECT_EQ(sent[1].payload.find(metric_names::resource_class)->value, Value{"general"});
  // The second was not asked yet: known by name, without a value.
  const Metric* unknown = sent[2].payload.find("ambient.temperature");
  EXPECT_EQ(unknown->value, std::nullopt);
  EXPECT_EQ(unknown->quality, Quality::stale);
  EXPECT_EQ(sent[2].payload.find(metric_names::communication_state)->value, Value{std::int64_t{6}});
}

TEST_F(EdgeNodeTest, StepsBdSeqOncePerConnectThatWasSentAndKeepsItOverARestart) {
  connect();
  EXPECT_EQ(take()[0].payload.find(metric_names::bd_seq)->value, Value{std::int64_t{0}});
  disconnect();
  for (int i = 0; i < 3; ++i) fail_to_connect();
  connect();
  EXPECT_EQ(take()[0].payload.find(metric_names::bd_seq)->value, Value{std::int64_t{1}});
  restart_with({test_device("th1")});
  connect();
  EXPECT_EQ(take()[0].payload.find(metric_names::bd_seq)->value, Value{std::int64_t{2}});
}

TEST_F(EdgeNodeTest, SendsALiveRecordOnlyOnceItIsOnDisk) {
  settle();
  polls(0, 20.0, 1);
  EXPECT_THAT(story(), IsEmpty());
  run_for(199ms);
  EXPECT_THAT(story(), IsEmpty());
  run_for(1ms);
  const auto sent = take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].topic.str(), "spBv1.0/hq/DDATA/room1/th1");
  EXPECT_EQ(sent[0].payload.journal, (JournalStamp{journal().id(), 3, 3}));
  ASSERT_EQ(sent[0].payload.metrics.size(), 1u);
  EXPECT_EQ(sent[0].payload.metrics[0].value, Value{std::int64_t{1}});
}

TEST_F(EdgeNodeTest, CountsSeqOverAllTopicsAndThrough255) {
  settle();
  for (int i = 0; i < 300; ++i) {  // WireChecker follows the numbers
    polls(i % 2, 20.0, i / 2 % 2 + 1);
    run_for(200ms);
    if (i % 40 == 39) acknowledges(journal().head());
  }
  EXPECT_GT(take().size(), 300u);
}

TEST_F(EdgeNodeTest, ARebirthRepeatsBdSeqAndComesAtMostOnceASecond) {
  settle();
  ask_for_rebirth();
  const auto births = take();
  ASSERT_EQ(births.size(), 3u);
  EXPECT_EQ(births[0].payload.find(metric_names::bd_seq)->value, Value{std::int64_t{0}});
  for (int i = 0; i < 50; ++i) ask_for_rebirth();
  EXPECT_THAT(story(), IsEmpty());
  run_for(999ms);
  EXPECT_THAT(story(), IsEmpty());
  run_for(1ms);
  EXPECT_THAT(story(), ElementsAre("NBIRTH", "DBIRTH th1", "DBIRTH th2"));
  run_for(5s);
  EXPECT_THAT(story(), IsEmpty());
}

TEST_F(EdgeNodeTest, StopsDataWhileARebirthWaitsAndLosesNoRecordByIt) {
  settle();
  ask_for_rebirth();
  ask_for_rebirth();
  take();
  polls(0, 30.0, 1);
  run_for(500ms);
  EXPECT_EQ(journal().head(), 3u);  // on disk, but DATA must wait
  EXPECT_THAT(story(), IsEmpty());
  run_for(1s);
  EXPECT_THAT(story(), ElementsAre("NBIRTH", "DBIRTH th1", "DBIRTH th2", "DDATA* th1 #3"));
}

TEST_F(EdgeNodeTest, ARecordThatIsNotYetOnDiskAtABirthFollowsByReplay) {
  settle();
  polls(0, 30.0, 1);
  ask_for_rebirth();
  const auto births = take();
  EXPECT_EQ(births[1].payload.find("leak.state")->value, Value{std::int64_t{1}});  // already told
  run_for(1s);
  EXPECT_THAT(story(), ElementsAre("DDATA* th1 #3"));
}

TEST_F(EdgeNodeTest, BeatsEvery30Seconds) {
  settle();
  run_for(26s);
  EXPECT_THAT(story(), IsEmpty());
  run_for(1s);
  const auto sent = take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].topic.str(), "spBv1.0/hq/NDATA/room1");
  EXPECT_EQ(sent[0].payload.find(metric_names::journal_head)->value, Value{std::int64_t{2}});
  EXPECT_EQ(sent[0].payload.find(metric_names::journal_oldest)->value, Value{std::int64_t{3}});
  EXPECT_EQ(sent[0].payload.find(metric_names::journal_lost)->value, Value{std::int64_t{0}});
  EXPECT_FALSE(sent[0].payload.journal);
  run_for(60s);
  EXPECT_EQ(take().size(), 2u);
}

TEST_F(EdgeNodeTest, AfterAnOutageCurrentValuesThenLiveThenTheBacklogOldestFirst) {
  settle();
  disconnect();
  for (int i = 0; i < 5; ++i) {
    polls(0, 21.0 + i);
    run_for(2s);
  }
  connect();
  EXPECT_EQ(take()[1].payload.find("ambient.temperature")->value, Value{25.0});
  polls(0, 25.0, 1);
  run_for(200ms);
  EXPECT_THAT(story(), ElementsAre("DDATA th1 #8"));  // the host has not shown itself: no replay
  host_says(true, 1000);
  run_for(1s);
  const auto sent = take();
  ASSERT_EQ(sent.size(), 5u);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].payload.journal->record, 3 + i);
    EXPECT_EQ(sent[i].payload.metrics[0].value, Value{21.0 + static_cast<double>(i)});
    EXPECT_LT(*sent[i].payload.metrics[0].at, clock.now() - 1s);  // its own time
  }
}

TEST_F(EdgeNodeTest, ReplaysAtTheConfiguredRateWithABoundedNumberOnTheWay) {
  settings.replay_records_per_s = 20;
  restart_with({test_device("th1")});
  for (int i = 0; i < 500; ++i) {
    polls(0, i % 2 ? 20.0 : 30.0);
    journal().seal();
    clock.advance(10ms);
  }
  run_for(3s);
  connect();
  take();
  host_says(true, 1000);
  run_for(2s);
  const auto first = take_replayed();
  EXPECT_NEAR(static_cast<double>(first.size()), 40.0, 2.0);
  run_for(5s);
  EXPECT_EQ(first.size() + take_replayed().size(), 120u);  // the window of 6 s is full, nobody acknowledged
  acknowledges(100);
  run_for(1s);
  const auto more = take_replayed();
  EXPECT_NEAR(static_cast<double>(more.size()), 20.0, 2.0);
  EXPECT_EQ(more.front(), 121u);
  for (int i = 0; i < 40; ++i) {
    run_for(1s);
    acknowledges(journal().head());
  }
  EXPECT_EQ(journal().oldest(), journal().head() + 1);
}

TEST_F(EdgeNodeTest, ResendsWhatIsNotAcknowledgedIn10Seconds) {
  settle();
  polls(0, 20.0, 1);
  run_for(200ms);
  polls(1, 20.0, 1);
  run_for(200ms);
  EXPECT_THAT(story(), ElementsAre("DDATA th1 #3", "DDATA th2 #4"));
  acknowledges(2, {{4, 4}});
  run_for(9s);
  EXPECT_THAT(story(), IsEmpty());
  run_for(1s);
  const auto again = take();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].payload.journal, (JournalStamp{journal().id(), 3, 3}));
  EXPECT_TRUE(again[0].payload.metrics[0].is_historical);
  run_for(10s);
  EXPECT_THAT(story(), ElementsAre("DDATA* th1 #3"));
  acknowledges(4);
  run_for(9s);
  EXPECT_THAT(story(), Not(Contains("DDATA* th1 #3")));
}

TEST_F(EdgeNodeTest, ReplayWaitsWhileTheHostIsOfflineButLiveDataDoesNot) {
  settle();
  host_says(false, 1000);
  polls(0, 20.0, 1);
  run_for(25s);
  EXPECT_THAT(story(), ElementsAre("DDATA th1 #3"));  // not sent again into the void
  EXPECT_TRUE(agent().edge_node().is_online());       // never disconnects
  host_says(true, 2000);
  run_for(6s);
  const auto after = story();
  EXPECT_THAT(after, Contains("DDATA* th1 #3"));
  EXPECT_EQ(std::count(after.begin(), after.end(), "NBIRTH"), 1);  // the voluntary rebirth, within its jitter
}

TEST_F(EdgeNodeTest, NoVoluntaryRebirthForAHostThatWasThereAllTheTime) {
  settle();
  host_says(true, 1000);
  host_says(true, 3000);
  run_for(6s);
  EXPECT_THAT(story(), IsEmpty());
}

TEST_F(EdgeNodeTest, IgnoresAStateThatIsOlderThanTheLastOne) {
  settle();
  host_says(true, 5000);
  host_says(false, 4999);
  disconnect();
  polls(0, 20.0, 1);
  run_for(1s);
  connect();
  take();
  host_says(true, 5000);
  host_says(false, 4999);  // a late will of the host's session before
  run_for(1s);
  EXPECT_THAT(story(), ElementsAre("DDATA* th1 #3"));
}

TEST_F(EdgeNodeTest, RefusesForeignAndImpossibleAcknowledgements) {
  settle();
  polls(0, 20.0, 1);
  run_for(1s);
  const std::uint64_t before = journal().oldest();
  acknowledges(3, {}, "stranger");
  acknowledges(4);
  acknowledges(2, {{3, 9}});
  JournalId other = journal().id();
  other[0] ^= 1;
  command("Node Control/Journal Ack", JournalAck{other, "centre", 3, {}}.str());
  command("Node Control/Journal Ack", std::string{"nonsense"});
  command("Node Control/Journal Ack", std::int64_t{7});
  EXPECT_EQ(journal().oldest(), before);
  EXPECT_EQ(agent().edge_node().refused_acknowledgements(), 6u);
  acknowledges(3);
  EXPECT_EQ(journal().oldest(), 4u);
}

TEST_F(EdgeNodeTest, CopesWithCommandsItNeverAnnounced) {
  settle();
  command("Outputs/Valve", true);
  command("Node Control/Rebirth", false);
  step({Arrived{1, "spBv1.0/hq/NCMD/room1", "\xff\xff not protobuf"}});
  step({Arrived{1, "spBv1.0/hq/NCMD/another", ""}});
  step({Arrived{1, "spBv1.0/STATE/stranger", "{}"}});
  step({Arrived{1, "spBv1.0/STATE/centre", "offline"}});
  EXPECT_THAT(story(), IsEmpty());
}

TEST_F(EdgeNodeTest, ADeviceDiesAfterTheRecordThatSaysSo) {
  settle();
  is_silent(0);
  EXPECT_THAT(story(), IsEmpty());
  run_for(200ms);
  EXPECT_THAT(story(), ElementsAre("DDATA th1 #3", "DDEATH th1"));
  acknowledges(3);
  is_silent(0);
  run_for(20s);
  EXPECT_THAT(story(), IsEmpty());  // told once
  polls(0, 22.0);
  run_for(200ms);
  EXPECT_THAT(story(), ElementsAre("DBIRTH th1", "DDATA th1 #4"));
}

TEST_F(EdgeNodeTest, ADeadDeviceIsBornAgainForItsReplayAndDiesWhenThatIsOver) {
  settle();
  disconnect();
  polls(0, 25.0);
  run_for(3s);
  is_silent(0);
  run_for(3s);
  connect();
  EXPECT_THAT(story(), ElementsAre("NBIRTH", "DBIRTH th1", "DBIRTH th2", "DDEATH th1"));
  host_says(true, 1000);
  run_for(1s);
  const auto sent = take();
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(sent[0].topic.verb, Verb::dbirth);
  EXPECT_EQ(sent[0].payload.find("ambient.temperature")->quality, Quality::stale);
  EXPECT_EQ(sent[1].payload.journal->record, 3u);
  EXPECT_EQ(sent[2].payload.journal->record, 4u);
  EXPECT_EQ(sent[3].topic.verb, Verb::ddeath);
}

TEST_F(EdgeNodeTest, WhatWasRemovedFromTheConfigurationIsAnnouncedUntilItsRecordsAreGone) {
  settle();
  disconnect();
  polls(1, 25.0);
  run_for(3s);
  auto without_leak = test_device("th1");
  without_leak.points = {without_leak.points[0]};
  polls(0, 20.0, 1);
  run_for(3s);
  restart_with({without_leak});
  connect();
  auto births = take();
  ASSERT_EQ(births.size(), 4u);
  EXPECT_EQ(births[1].payload.find("leak.state")->unit, "state");
  EXPECT_EQ(births[2].topic.device, "th2");
  EXPECT_EQ(births[2].payload.find("ambient.temperature")->unit, "celsius");
  EXPECT_EQ(births[3].topic.verb, Verb::ddeath);
  host_says(true, 1000);
  run_for(1s);
  EXPECT_THAT(story(), ElementsAre("DBIRTH th2", "DDATA* th2 #3", "DDATA* th1 #4", "DDEATH th2"));
  acknowledges(4);
  ask_for_rebirth();
  births = take();
  ASSERT_EQ(births.size(), 2u);
  EXPECT_EQ(births[1].payload.find("leak.state"), nullptr);
}

TEST_F(EdgeNodeTest, WithoutHostsARecordIsDoneWithOncePublished) {
  settings.ack_hosts = {};
  restart_with({test_device("th1")});
  polls(0, 20.0);
  run_for(3s);
  connect();
  EXPECT_THAT(outlet.subscriptions, ElementsAre("spBv1.0/hq/NCMD/room1", "spBv1.0/hq/DCMD/room1/+"));
  run_for(1s);
  EXPECT_THAT(story(), ElementsAre("NBIRTH", "DBIRTH th1", "DDATA* th1 #1"));
  polls(0, 20.0, 1);
  run_for(20s);
  EXPECT_THAT(story(), ElementsAre("DDATA th1 #2"));
  EXPECT_EQ(journal().oldest(), 3u);
}

TEST_F(EdgeNodeTest, WithTwoHostsOnlyWhoIsThereIsServed) {
  settings.ack_hosts = {"centre", "archive"};
  restart_with({test_device("th1")});
  polls(0, 20.0);
  run_for(3s);
  connect();
  host_says(true, 1000);
  host_says(false, 1000, "archive");
  run_for(1s);
  EXPECT_THAT(story(), Contains("DDATA* th1 #1"));
  acknowledges(1);
  run_for(25s);
  EXPECT_THAT(story(), Not(Contains("DDATA* th1 #1")));  // centre has it, archive is not there
  host_says(true, 2000, "archive");
  run_for(6s);
  EXPECT_THAT(story(), Contains("DDATA* th1 #1"));
  acknowledges(1, {}, "archive");
  EXPECT_EQ(journal().oldest(), 2u);
}

TEST_F(EdgeNodeTest, AHostThatRestoredItsDiskGetsWhatIsStillThere) {
  settle();
  polls(0, 20.0, 1);
  run_for(1s);
  acknowledges(3);
  acknowledges(1);  // what it has lost is gone here as well
  run_for(20s);
  EXPECT_EQ(journal().oldest(), 4u);
}

TEST_F(EdgeNodeTest, EndsWithAnNdeathAfterTheLastRecord) {
  settle();
  polls(0, 20.0, 1);
  agent().finish();
  EXPECT_THAT(story(), ElementsAre("DDATA th1 #3", "NDEATH"));
}

TEST_F(EdgeNodeTest, ASessionThatEndsWhileSendingLosesNothing) {
  settle();
  outlet.current = 0;  // gone, and the core has not been told
  polls(0, 20.0, 1);
  run_for(300ms);
  EXPECT_THAT(story(), IsEmpty());
  disconnect();
  connect();
  take();
  host_says(true, 1000);
  run_for(1s);
  EXPECT_THAT(story(), ElementsAre("DDATA* th1 #3"));
}

}  // namespace
}  // namespace watchroom::agent
