// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/tested_core.hpp"

namespace watchroom::aggregator {
namespace {

TEST_F(CoreTest, SubscribesThenAnnouncesItself) {
  EXPECT_EQ(outside.subscribed.size(), 7u);
  ASSERT_FALSE(outside.published.empty());
  EXPECT_EQ(outside.published[0].topic, "spBv1.0/STATE/watchroom");
  EXPECT_TRUE(outside.published[0].retain);
}

TEST_F(CoreTest, AReadingIsSeenStoredAndAcknowledged) {
  be_born();
  reads(23.5);
  EXPECT_EQ(temperature().value, Value{23.5});
  EXPECT_EQ(temperature().quality, "good");
  const auto samples = room->samples("hq/room1/th1/ambient.temperature", from_ms(0), 10);
  ASSERT_TRUE(samples);
  ASSERT_EQ(samples->size(), 1u);
  EXPECT_EQ((*samples)[0].record, 1u);
  const auto ack = decode(outside.published.back().payload);
  EXPECT_EQ(to_text(*ack->metrics[0].value), (JournalAck{JournalId{9}, "watchroom", 1}.str()));
}

TEST_F(CoreTest, OneReadingAboveTheLimitThenSilenceFromALiveDeviceIsMailed) {
  be_born();
  reads(31.0);
  pass(29s);
  EXPECT_TRUE(outside.mails.empty());
  pass(1s);
  ASSERT_EQ(outside.mails.size(), 1u);
  EXPECT_EQ(subjects()[0], "[重要] 冷通道 过热 — hq/room1");
}

TEST_F(CoreTest, ACrashBetweenHandOverAndResultRepeatsTheSameMessage) {
  be_born();
  reads(31.0);
  pass(30s);
  ASSERT_EQ(outside.mails.size(), 1u);
  restart();
  ASSERT_EQ(outside.mails.size(), 2u);
  EXPECT_EQ(outside.mails[0].second.id, outside.mails[1].second.id);
  happen(Delivered{outside.mails[1].first, {}});
  restart();
  EXPECT_EQ(outside.mails.size(), 2u);
}

TEST_F(CoreTest, ARestartNeitherForgetsNorRepeatsAnAlarm) {
  be_born();
  reads(31.0);
  pass(30s);
  happen(Delivered{outside.mails[0].first, {}});
  restart();
  be_born();
  pass(60s);
  EXPECT_EQ(outside.mails.size(), 1u);
  ASSERT_EQ(room->alarms(0).size(), 1u);
  reads(25.0);
  EXPECT_EQ(subjects().back(), "[恢复] 冷通道 过热 — hq/room1");
}

TEST_F(CoreTest, AMailThatFailsIsTriedAgainLater) {
  be_born();
  reads(31.0);
  pass(30s);
  happen(Delivered{outside.mails[0].first, fail(Errc::no_answer, Retry::later, "slow")});
  pass(9s);
  EXPECT_EQ(outside.mails.size(), 1u);
  pass(2s);
  EXPECT_EQ(outside.mails.size(), 2u);
}

TEST_F(CoreTest, ASilentDeviceIsStaleRaisesItsOwnAlarmAndClearsNothing) {
  be_born();
  reads(31.0);
  pass(30s);
  falls_silent();
  EXPECT_EQ(temperature().quality, "stale");
  EXPECT_FALSE(temperature().value);
  EXPECT_EQ(temperature().last_value, Value{31.0});
  EXPECT_THAT(temperature().quality_reason_zh, HasSubstr("设备无应答"));
  pass(20s);
  ASSERT_EQ(room->alarms(0).size(), 2u);
  EXPECT_TRUE(room->alarms(0)[0].is_active);
  EXPECT_EQ(room->alarms(0)[1].rule, "silent");
}

TEST_F(CoreTest, ADeviceThatReportsNothingForTooLongIsNotBelieved) {
  be_born();
  reads(22.0);
  pass(94s);
  EXPECT_EQ(temperature().quality, "good");
  pass(3s);
  EXPECT_EQ(temperature().quality, "stale");
  EXPECT_EQ(room->agents(0).at(0).devices.at(0).communication, "no_answer");
}

TEST_F(CoreTest, LosingTheBrokerIsOneAlarmAndItsAgentsAreUnknown) {
  be_born();
  reads(22.0);
  happen(Disconnected{"refused"});
  EXPECT_EQ(temperature().quality, "unknown");
  EXPECT_EQ(room->agents(0)[0].state, "unknown");
  pass(120s);
  EXPECT_EQ(subjects(), std::vector<std::string>{"[重要] 消息服务器无法连接"});
}

TEST_F(CoreTest, AnAgentThatDiesIsToldAfterItsDelayAndItsDevicesAreNot) {
  be_born();
  reads(22.0);
  Payload death;
  death.metrics = {{.name = "bdSeq", .value = bd_seq}};
  receive("spBv1.0/hq/NDEATH/room1", death);
  EXPECT_EQ(temperature().quality, "stale");
  pass(19s);
  EXPECT_TRUE(outside.mails.empty());
  pass(60s);
  EXPECT_EQ(subjects(), std::vector<std::string>{"[重要] 采集代理离线 — hq/room1"});
}

TEST_F(CoreTest, HistoryIsStoredNotShownAsNowAndToldAsPast) {
  be_born();
  reads(22.0);
  reads(40.0, true);
  pass(60s);
  EXPECT_EQ(temperature().value, Value{22.0});
  EXPECT_EQ(subjects(), std::vector<std::string>{"[重要·已恢复] 冷通道 过热 — hq/room1"});
  EXPECT_EQ(room->samples("hq/room1/th1/ambient.temperature", from_ms(0), 10)->size(), 2u);
}

TEST_F(CoreTest, AReplayThatIsQuickerThanTheBirthIsToldAsPast) {
  be_born();
  reads(22.0);
  clock.advance(2h);
  restart();
  for (const double value : {40.0, 40.0, 22.0}) {
    reads(value, true);
    pass(1s);
    clock.advance(20s);
  }
  be_born();
  pass(60s);
  EXPECT_EQ(temperature().value, Value{22.0});
  EXPECT_EQ(subjects(), std::vector<std::string>{"[重要·已恢复] 冷通道 过热 — hq/room1"});
}

TEST_F(CoreTest, WhatAnAgentWithAFullDiskSendsIsJudgedLiveAndItsReplayIsNotToldAgain) {
  be_born();
  reads(22.0);
  const Timestamp hot_at = clock.now();
  reads_unstamped(31.0);
  EXPECT_EQ(temperature().value, Value{31.0});
  pass(31s);
  EXPECT_EQ(subjects(), std::vector<std::string>{"[重要] 冷通道 过热 — hq/room1"});
  const Timestamp cool_at = clock.now();
  reads_unstamped(22.0);
  ASSERT_EQ(subjects().size(), 2u);
  ASSERT_TRUE(acknowledge(1));
  replays(31.0, hot_at);
  replays(22.0, cool_at);
  pass(60s);
  EXPECT_EQ(subjects().size(), 2u) << subjects().back();
  EXPECT_EQ(room->samples("hq/room1/th1/ambient.temperature", from_ms(0), 10)->size(), 3u);
}

TEST_F(CoreTest, AnAgentWhoseClockIsSetBackADayIsStillBelieved) {
  be_born();
  reads(22.0);
  const Timestamp tomorrow = clock.now();
  const std::uint64_t missed = ++record;
  clock.jump_wall(-24h);
  reads(31.0);
  EXPECT_EQ(temperature().value, Value{31.0});
  pass(31s);
  EXPECT_EQ(subjects(), std::vector<std::string>{"[重要] 冷通道 过热 — hq/room1"});
  record = missed - 1;
  replays(22.0, tomorrow);  // its number says that it is not the newest, whatever its time
  EXPECT_EQ(temperature().value, Value{31.0});
}

TEST_F(CoreTest, AfterARestartTooABirthCountsWhateverItsClockSays) {
  be_born();
  reads(22.0);
  clock.jump_wall(-24h);
  restart();
  celsius = 31.0;
  be_born();
  EXPECT_EQ(temperature().value, Value{31.0});
  pass(31s);
  EXPECT_EQ(subjects(), std::vector<std::string>{"[重要] 冷通道 过热 — hq/room1"});
}

TEST_F(CoreTest, TotalsSurviveARestart) {
  be_born();
  reads(22.0);
  reads(23.0);
  restart();
  pass(2s);
  EXPECT_EQ(room->status().readings, 2u);
  EXPECT_EQ(room->status().records, 2u);
}

TEST_F(CoreTest, OldSamplesGoAsFastAsTheyCome) {
  be_born();
  for (int i = 0; i < 3; ++i) {
    Payload many;
    many.seq = seq++;
    for (int at = 0; at < 15'000; ++at)
      many.metrics.push_back(
          {.name = "ambient.temperature", .at = clock.now() - 1s * at, .value = 20.0, .is_historical = true});
    many.journal = JournalStamp{{9}, ++record, 1};
    receive("spBv1.0/hq/DDATA/room1/th1", many);
  }
  reads(22.0);
  clock.advance(72h);
  pass(3s);
  EXPECT_LT(room->samples("hq/room1/th1/ambient.temperature", from_ms(0), 100'000)->size(), 10u);
}

TEST_F(CoreTest, AfterTheClockWasSetRightAlarmsBearTheRightTimeAndDelaysAreAsLong) {
  be_born();
  reads(31.0);
  pass(10s);
  clock.jump_wall(24h * 365);
  pass(19s);
  EXPECT_TRUE(outside.mails.empty());
  pass(1s);
  EXPECT_EQ(outside.mails.size(), 1u);
  EXPECT_EQ(room->alarms(0).at(0).raised_at, clock.now());
  clock.jump_wall(-24h);
  reads(20.0);
  EXPECT_EQ(room->alarms(0).at(0).cleared_at, clock.now());
}

TEST_F(CoreTest, APointIsCalledWhatItsBirthSays) {
  be_born();
  EXPECT_EQ(temperature().label_zh, "温度");
  Payload birth;
  birth.seq = seq++;
  birth.metrics = {{.name = "ambient.temperature",
                    .at = clock.now(),
                    .value = 22.0,
                    .unit = "celsius",
                    .label = R"({"zh":"回风","en":"Return air"})"}};
  receive("spBv1.0/hq/DBIRTH/room1/th1", birth);
  EXPECT_EQ(temperature().label_zh, "回风");
  birth.seq = seq++;
  birth.metrics[0].label = "not json";
  receive("spBv1.0/hq/DBIRTH/room1/th1", birth);
  EXPECT_EQ(temperature().label_zh, "温度");
}

TEST_F(CoreTest, ADuplicateRecordIsStoredOnce) {
  be_born();
  reads(22.0);
  --record;
  reads(22.0);
  EXPECT_EQ(room->samples("hq/room1/th1/ambient.temperature", from_ms(0), 10)->size(), 1u);
  EXPECT_EQ(room->agents(0)[0].duplicates, 1u);
}

TEST_F(CoreTest, AcknowledgingIsOnDiskWhenItReturns) {
  be_born();
  reads(31.0);
  pass(30s);
  const auto alarm = acknowledge(1);
  ASSERT_TRUE(alarm);
  EXPECT_EQ(alarm->state, AlarmLifeCycle::acknowledged);
  restart();
  EXPECT_EQ(room->alarms(0)[0].comment, "正在处理");
}

TEST_F(CoreTest, WhileTheDiskRefusesAlarmsGoOnAndNothingIsAcknowledged) {
  be_born();
  reads(22.0);
  pass(2s);
  // Another writer holds the database for longer than the store is patient.
  auto blocker = Database::open(folder / "watchroom.db", Durability::power_cut, 0ms);
  ASSERT_TRUE(blocker);
  ASSERT_TRUE(blocker->execute("BEGIN IMMEDIATE"));
  const auto before = outside.published.size();
  reads(31.0);
  for (std::size_t i = before; i < outside.published.size(); ++i)
    EXPECT_THAT(to_text(*decode(outside.published[i].payload)->metrics[0].value), HasSubstr(" watchroom 1"));
  EXPECT_TRUE(room->status().store_is_failing);
  EXPECT_EQ(room->status().published_at, clock.steady());
  EXPECT_EQ(temperature().value, Value{31.0});
  ASSERT_TRUE(blocker->execute("COMMIT"));
  --record;  // the agent sends it again
  --seq;
  reads(31.0);
  EXPECT_FALSE(room->status().store_is_failing);
  EXPECT_EQ(room->samples("hq/room1/th1/ambient.temperature", from_ms(0), 10)->size(), 2u);
}

/// A disk that refuses for as long as it lives: another writer holds the database.
class RefusingDisk {
 public:
  explicit RefusingDisk(const std::filesystem::path& folder)
      : blocker_{*Database::open(folder / "watchroom.db", Durability::power_cut, 0ms)} {
    EXPECT_TRUE(blocker_.execute("BEGIN IMMEDIATE"));
  }
  void relent() const { EXPECT_TRUE(blocker_.execute("COMMIT")); }

 private:
  Database blocker_;
};

TEST_F(CoreTest, AnAlarmWhileTheDiskRefusesIsMailedOnce) {
  be_born();
  reads(31.0);
  pass(29s);
  const RefusingDisk disk{folder};
  pass(2s);
  ASSERT_EQ(outside.mails.size(), 1u);
  happen(Delivered{outside.mails[0].first, {}});
  disk.relent();
  pass(2s);
  restart();
  be_born();
  pass(2s);
  EXPECT_EQ(outside.mails.size(), 1u);
  EXPECT_EQ(room->alarms(0).at(0).mail, "sent");
}

TEST_F(CoreTest, AMailThatFailsWhileTheDiskRefusesIsTriedAgain) {
  be_born();
  reads(31.0);
  pass(29s);
  const RefusingDisk disk{folder};
  pass(2s);
  ASSERT_EQ(outside.mails.size(), 1u);
  happen(Delivered{outside.mails[0].first, fail(Errc::no_answer, Retry::later, "slow")});
  clock.advance(10s);
  pass(1s);
  EXPECT_EQ(outside.mails.size(), 2u);
  disk.relent();
}

TEST_F(CoreTest, AMailIsTriedAgainThoughTheClockIsSetBack) {
  be_born();
  reads(31.0);
  pass(30s);
  happen(Delivered{outside.mails.at(0).first, fail(Errc::no_answer, Retry::later, "slow")});
  clock.jump_wall(-24h);
  pass(11s);
  EXPECT_EQ(outside.mails.size(), 2u);
}

}  // namespace
}  // namespace watchroom::aggregator
