// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/core.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::string_view rules_text = R"(
[[rule]]
id = "hot"
kind = "high_limit"
point = "ambient.temperature"
unit = "celsius"
raise_above = 28.0
clear_below = 26.0
on_delay_s = 30
title_zh = "过热"
[[rule]]
id = "silent"
kind = "lost_data"
on_delay_s = 15
title_zh = "数据丢失"
[[rule]]
id = "gone"
kind = "agent_offline"
on_delay_s = 20
title_zh = "采集代理离线"
[[rule]]
id = "broker"
kind = "broker_unreachable"
on_delay_s = 10
title_zh = "消息服务器无法连接"
)";

/// What the core asked for, in order.
class Recorder final : public Outside {
 public:
  void subscribe(SessionNumber, const std::vector<std::string>& topics) override { subscribed = topics; }
  void publish(SessionNumber, const MqttMessage& message) override { published.push_back(message); }
  bool hand_over(std::int64_t mail, Notice notice) override {
    mails.emplace_back(mail, std::move(notice));
    return true;
  }
  std::vector<std::string> subscribed;
  std::vector<MqttMessage> published;
  std::vector<std::pair<std::int64_t, Notice>> mails;
};

/// A centre on a fake clock with a real store; `restart` is a crash and a new start.
class CoreTest : public ::testing::Test {
 protected:
  CoreTest() {
    std::string name = ::testing::TempDir() + "core-XXXXXX";
    folder = ::mkdtemp(name.data());
    restart();
  }
  ~CoreTest() override {
    core.reset();
    room.reset();
    std::filesystem::remove_all(folder);
  }

  void restart() {
    core.reset();
    room.reset();
    auto store = Store::open(folder);
    ASSERT_TRUE(store) << store.error().text;
    room = std::make_unique<PublishedRoom>(*StoreReader::open(folder), nullptr);
    Problems problems;
    CoreSettings settings;
    settings.intake.host_id = "watchroom";
    settings.email.emplace();
    settings.email->to = {"li@example.com"};
    auto made = Core::make(settings, read_rules(*SettingsTable::parse(rules_text, "rules.toml", problems)),
                           *std::move(store), *room, outside, clock, Log::quiet());
    ASSERT_TRUE(made) << made.error().text;
    core = *std::move(made);
    happen(Connected{1, 1000});
  }
  void happen(CoreEvent event) {
    std::vector<CoreEvent> events;
    events.push_back(std::move(event));
    core->step(std::move(events));
  }
  void pass(std::chrono::seconds time) {
    for (auto passed = 0s; passed < time; ++passed) {
      clock.advance(1s);
      core->step({});
    }
  }
  void receive(const std::string& topic, const Payload& payload) {
    happen(Received{topic, encode(payload, WithDatatypes::yes)});
  }
  void be_born() {
    ++bd_seq;
    seq = 0;
    Payload node;
    node.seq = seq++;
    node.metrics = {{.name = "bdSeq", .value = bd_seq},
                    {.name = "Journal/Head", .value = static_cast<std::int64_t>(record)},
                    {.name = "Properties/Name", .value = "一号机房"}};
    receive("spBv1.0/hq/NBIRTH/room1", node);
    Payload device;
    device.seq = seq++;
    device.metrics = {
        {.name = "Properties/Name", .value = "冷通道"},
        {.name = "Properties/Max Silence", .value = std::int64_t{30}},
        {.name = "communication.state", .at = clock.now(), .value = communication, .unit = "state"},
        {.name = "ambient.temperature", .at = clock.now(), .value = celsius, .unit = "celsius"}};
    receive("spBv1.0/hq/DBIRTH/room1/th1", device);
  }
  void reads(double value, bool is_historical = false) {
    if (!is_historical) celsius = value;
    Payload payload;
    payload.seq = seq++;
    payload.metrics = {{.name = "ambient.temperature",
                        .at = is_historical ? clock.now() - 1h : clock.now(),
                        .value = value,
                        .is_historical = is_historical}};
    payload.journal = JournalStamp{{9}, ++record, 1};
    receive("spBv1.0/hq/DDATA/room1/th1", payload);
  }
  /// What an agent sends whose disk is full: no journal stamp, to be told again when there is room.
  void reads_unstamped(double value) {
    Payload payload;
    payload.seq = seq++;
    payload.metrics = {{.name = "ambient.temperature", .at = clock.now(), .value = value}};
    receive("spBv1.0/hq/DDATA/room1/th1", payload);
  }
  void replays(double value, Timestamp taken_at) {
    Payload payload;
    payload.seq = seq++;
    payload.metrics = {
        {.name = "ambient.temperature", .at = taken_at, .value = value, .is_historical = true}};
    payload.journal = JournalStamp{{9}, ++record, 1};
    receive("spBv1.0/hq/DDATA/room1/th1", payload);
  }
  Result<AlarmView> acknowledge(std::int64_t alarm) {
    auto answer = std::make_unique<std::promise<Result<AlarmView>>>();
    auto future = answer->get_future();
    happen(Acknowledge{alarm, "li", "正在处理", std::move(answer)});
    return future.get();
  }
  void falls_silent() {
    Payload payload;
    payload.seq = seq++;
    payload.metrics = {{.name = "communication.state", .at = clock.now(), .value = std::int64_t{1}},
                       {.name = "communication.text", .at = clock.now(), .value = "no answer"},
                       {.name = "ambient.temperature", .at = clock.now(), .quality = Quality::stale}};
    payload.journal = JournalStamp{{9}, ++record, 1};
    receive("spBv1.0/hq/DDATA/room1/th1", payload);
  }
  PointView temperature() const {
    return room->points(0, [](const PointView& point) { return point.name == "ambient.temperature"; }).at(0);
  }
  std::vector<std::string> subjects() const {
    std::vector<std::string> all;
    for (const auto& [id, notice] : outside.mails) all.push_back(notice.subject);
    return all;
  }

  std::filesystem::path folder;
  FakeClock clock;
  Recorder outside;
  std::unique_ptr<PublishedRoom> room;
  std::unique_ptr<Core> core;
  std::int64_t bd_seq = 0, communication = 0;
  std::uint8_t seq = 0;
  std::uint64_t record = 0;
  double celsius = 22.0;
};

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
  const std::uint64_t lost = ++record;
  clock.jump_wall(-24h);
  reads(31.0);
  EXPECT_EQ(temperature().value, Value{31.0});
  pass(31s);
  EXPECT_EQ(subjects(), std::vector<std::string>{"[重要] 冷通道 过热 — hq/room1"});
  record = lost - 1;
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
  EXPECT_EQ(temperature().value, Value{31.0});
  ASSERT_TRUE(blocker->execute("COMMIT"));
  --record;  // the agent sends it again
  --seq;
  reads(31.0);
  EXPECT_FALSE(room->status().store_is_failing);
  EXPECT_EQ(room->samples("hq/room1/th1/ambient.temperature", from_ms(0), 10)->size(), 2u);
}

}  // namespace
}  // namespace watchroom::aggregator
