// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/tested_core.hpp"

namespace watchroom::aggregator {
namespace {

/// What an agent tells late, after a cut.
class History : public CoreTest {
 protected:
  void node_dies() {
    Payload death;
    death.metrics = {{.name = "bdSeq", .value = bd_seq}};
    receive("spBv1.0/hq/NDEATH/room1", death);
  }
  static constexpr auto raised = "[重要] 冷通道 过热 — hq/room1";
  static constexpr auto past = "[重要·已恢复] 冷通道 过热 — hq/room1";
};

TEST_F(History, IsNotSettledWhileTheAgentIsAway) {
  be_born();
  reads(22.0);
  clock.advance(1h);
  restart();
  replays(35.0, clock.now() - 600s);
  replays(36.0, clock.now() - 500s);
  celsius = 36.0;
  pass(19s);  // longer than a backlog may pause
  EXPECT_TRUE(outside.mails.empty()) << subjects().back();
  be_born();
  pass(1s);
  EXPECT_EQ(subjects(), std::vector<std::string>{raised});
  EXPECT_TRUE(room->alarms(0).at(0).is_active);
}

TEST_F(History, IsNotSettledBeforeTheDeviceIsBorn) {
  be_born();
  reads(22.0);
  node_dies();
  node_is_born();
  replays(35.0, clock.now() - 600s);
  replays(36.0, clock.now() - 500s);
  pass(30s);
  EXPECT_TRUE(outside.mails.empty()) << subjects().back();
  celsius = 36.0;
  device_is_born();
  pass(1s);
  EXPECT_EQ(subjects(), std::vector<std::string>{raised});
}

TEST_F(History, WhatBeganDuringACutIsRaisedWhenTheBacklogIsThroughNotADelayLater) {
  be_born();
  node_dies();
  clock.advance(20min);
  celsius = 35.0;
  be_born();
  replays(35.0, clock.now() - 19min);
  pass(17s);
  EXPECT_EQ(subjects(), std::vector<std::string>{raised});
}

TEST_F(History, ACrashBetweenItsRecordsForgetsNothing) {
  be_born();
  replays(35.0, clock.now() - 600s);
  replays(36.0, clock.now() - 500s);
  restart();  // what was stored is acknowledged and will not come again
  be_born();
  replays(22.0, clock.now() - 400s);
  pass(20s);
  EXPECT_EQ(subjects(), std::vector<std::string>{past});
  restart();
  be_born();
  pass(20s);
  EXPECT_EQ(room->alarms(0).size(), 1u) << "and it is told once";
}

TEST_F(History, ACrashBeforeItsEndIsSettledAfterwards) {
  be_born();
  replays(35.0, clock.now() - 600s);
  restart();
  be_born();
  pass(20s);
  EXPECT_EQ(subjects(), std::vector<std::string>{past});
}

TEST_F(CoreTest, OfARecordThatWasLostAndSentAgainTheLastValueIsTheNewest) {
  be_born();
  reads(22.0);
  clock.advance(10s);
  Payload payload;
  payload.seq = seq++;
  for (const int second : {1, 2, 3})
    payload.metrics.push_back({.name = "ambient.temperature",
                               .at = clock.now() - 5s + std::chrono::seconds{second},
                               .value = 22.0 + second,
                               .is_historical = true});
  payload.journal = JournalStamp{{9}, ++record, 1};
  receive("spBv1.0/hq/DDATA/room1/th1", payload);
  EXPECT_EQ(temperature().value, Value{25.0});
  receive("spBv1.0/hq/DDATA/room1/th1", payload);  // once more: nothing new
  EXPECT_EQ(temperature().value, Value{25.0});
}

TEST_F(CoreTest, AnAlarmThatCameAndWentWithinOneMessageIsTold) {
  for (Rule& rule : rules)
    if (rule.id == "hot") rule.delays = {};
  restart();
  be_born();
  Payload payload;
  payload.seq = seq++;
  for (const double value : {22.0, 40.0, 22.0})
    payload.metrics.push_back({.name = "ambient.temperature", .at = clock.now(), .value = value});
  payload.journal = JournalStamp{{9}, ++record, 1};
  receive("spBv1.0/hq/DDATA/room1/th1", payload);
  pass(60s);
  ASSERT_FALSE(outside.mails.empty());
  EXPECT_THAT(subjects()[0], HasSubstr("过热"));
  EXPECT_EQ(temperature().value, Value{22.0});
  EXPECT_EQ(room->samples("hq/room1/th1/ambient.temperature", from_ms(0), 10)->size(), 3u);
}

}  // namespace
}  // namespace watchroom::aggregator
