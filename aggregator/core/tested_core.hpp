// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "aggregator/core/core.hpp"

/// For tests only.
namespace watchroom::aggregator {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

inline constexpr std::string_view core_test_rules = R"(
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
[[rule]]
id = "mail"
kind = "mail_undeliverable"
title_zh = "邮件无法送达"
[[rule]]
id = "audit"
kind = "audit_failing"
title_zh = "审计日志异常"
[[rule]]
id = "lost"
kind = "journal_loss"
title_zh = "采集记录丢失"
[[rule]]
id = "restored"
kind = "journal_restored"
title_zh = "日志倒退"
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
  void record(AuditEvent event) override { recorded.push_back(std::move(event)); }
  std::string audit_trouble() const override { return trouble_of_audit; }
  Refusals refusals() const override { return refused; }
  std::vector<AuditEvent> recorded;
  std::string trouble_of_audit;
  Refusals refused;
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
    if (rules.empty()) rules = read_rules(*SettingsTable::parse(core_test_rules, "rules.toml", problems));
    auto made = Core::make(settings, rules, *std::move(store), *room, outside, clock, Log::quiet());
    ASSERT_TRUE(made) << made.error().text;
    core = *std::move(made);
    be_connected(1, 1000);
  }
  /// The broker sends our STATE back, as a real one does.
  void be_connected(SessionNumber session, std::int64_t state_timestamp_ms) {
    happen(Connected{session, state_timestamp_ms});
    happen(Received{"spBv1.0/STATE/watchroom", HostState{true, state_timestamp_ms}.str()});
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
    node_is_born();
    device_is_born();
  }
  void node_is_born() {
    ++bd_seq;
    seq = 0;
    Payload node;
    node.seq = seq++;
    node.metrics = {{.name = "bdSeq", .value = bd_seq},
                    {.name = "Journal/Head", .value = static_cast<std::int64_t>(record)},
                    {.name = "Journal/Lost", .value = lost},
                    {.name = "Properties/Name", .value = "一号机房"}};
    receive("spBv1.0/hq/NBIRTH/room1", node);
  }
  void device_is_born() {
    Payload device;
    device.seq = seq++;
    device.metrics = {
        {.name = "Properties/Name", .value = "冷通道"},
        {.name = "Properties/Max Silence", .value = std::int64_t{30}},
        {.name = "communication.state", .at = clock.now(), .value = communication, .unit = "state"}};
    if (has_temperature)
      device.metrics.push_back(
          {.name = "ambient.temperature", .at = clock.now(), .value = celsius, .unit = "celsius"});
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
  std::vector<Rule> rules;
  FakeClock clock;
  Recorder outside;
  std::unique_ptr<PublishedRoom> room;
  std::unique_ptr<Core> core;
  std::int64_t bd_seq = 0, communication = 0, lost = 0;
  std::uint8_t seq = 0;
  std::uint64_t record = 0;
  double celsius = 22.0;
  bool has_temperature = true;
};

}  // namespace watchroom::aggregator
