// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/tested_core.hpp"

namespace watchroom::aggregator {
namespace {

class Classes : public CoreTest {
 protected:
  Classes() {
    node_is_born();
    device_is_born_as("general");
    outside.published.clear();
  }
  void device_is_born_as(const std::string& its_class, bool is_changeable = true) {
    Payload device;
    device.seq = seq++;
    device.metrics = {{.name = "Properties/Name", .value = "冷通道"},
                      {.name = "Properties/Class", .value = its_class},
                      {.name = "Properties/Max Silence", .value = std::int64_t{60}},
                      {.name = "ambient.temperature", .at = clock.now(), .value = 22.0, .unit = "celsius"}};
    if (is_changeable) {
      device.metrics.push_back({.name = "Properties/Class Configured", .value = "general"});
      device.metrics.push_back({.name = "Properties/Poll Interval", .value = std::int64_t{10'000}});
    }
    receive("spBv1.0/hq/DBIRTH/room1/th1", device);
  }
  Result<DeviceView> ask(const std::string& wanted, const DevicePlace& place = {"hq", "room1", "th1"}) {
    auto answer = std::make_unique<std::promise<Result<DeviceView>>>();
    auto future = answer->get_future();
    happen(AskForClass{place, wanted, "li", std::move(answer)});
    return future.get();
  }
  /// What was asked of the agent since the last look.
  std::vector<std::string> commands() {
    std::vector<std::string> wanted;
    for (const MqttMessage& message : std::exchange(outside.published, {})) {
      if (message.topic.find("/DCMD/") == std::string::npos) continue;
      EXPECT_EQ(message.topic, "spBv1.0/hq/DCMD/room1/th1");
      EXPECT_EQ(message.qos, Qos::at_most_once);
      EXPECT_FALSE(message.retain);
      const auto payload = decode(message.payload);
      EXPECT_TRUE(payload->at && *payload->at <= clock.now());
      EXPECT_FALSE(payload->seq);
      const Metric* metric = payload->find("Properties/Class");
      wanted.push_back(metric ? std::get<std::string>(*metric->value) : "?");
    }
    return wanted;
  }
  DeviceView device() const { return room->agents(0).at(0).devices.at(0); }
};

TEST_F(Classes, AreAskedForUntilTheBirthShowsThem) {
  const auto asked = ask("core");
  ASSERT_TRUE(asked) << asked.error().text;
  EXPECT_EQ(asked->class_wanted, "core");
  EXPECT_EQ(asked->resource_class, "general");
  EXPECT_EQ(device().class_request, ClassRequest::pending);
  EXPECT_THAT(commands(), ::testing::ElementsAre("core"));
  pass(11s);
  EXPECT_THAT(commands(), ::testing::ElementsAre("core", "core")) << "a command may be lost";
  device_is_born_as("core");
  EXPECT_EQ(device().class_request, ClassRequest::none);
  EXPECT_EQ(device().resource_class, "core");
  EXPECT_EQ(device().class_configured, "general");
  EXPECT_EQ(device().poll_interval, 10s);
  pass(70s);
  EXPECT_TRUE(commands().empty());
}

TEST_F(Classes, ThatTheAgentDoesNotTakeAreGivenUpAndShownSo) {
  ASSERT_TRUE(ask("core"));
  pass(59s);
  EXPECT_EQ(device().class_request, ClassRequest::pending);
  device_is_born_as("general");
  pass(2s);
  EXPECT_EQ(device().class_request, ClassRequest::not_carried_out);
  EXPECT_EQ(device().class_wanted, "core");
  (void)commands();
  pass(30s);
  EXPECT_TRUE(commands().empty());
  device_is_born_as("core");
  EXPECT_EQ(device().class_request, ClassRequest::none) << "late is not never";
}

TEST_F(Classes, TheLastWishCounts) {
  ASSERT_TRUE(ask("core"));
  ASSERT_TRUE(ask("key"));
  device_is_born_as("core");
  EXPECT_EQ(device().class_wanted, "key");
  ASSERT_TRUE(ask("general"));
  (void)commands();
  pass(6s);
  EXPECT_THAT(commands(), ::testing::ElementsAre("general"));
  device_is_born_as("general");
  EXPECT_EQ(device().class_request, ClassRequest::none);
}

TEST_F(Classes, ThatAreSoAlreadyNeedNoAsking) {
  const auto asked = ask("general");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->class_request, ClassRequest::none);
  EXPECT_TRUE(commands().empty());
}

TEST_F(Classes, OfUnknownDevicesCannotBeChanged) {
  for (const DevicePlace& place : {DevicePlace{"hq", "room1", "th2"}, DevicePlace{"hq", "room2", "th1"},
                                   DevicePlace{"hq", "room1", ""}}) {
    const auto asked = ask("core", place);
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().code, Errc::not_found);
  }
}

TEST_F(Classes, CannotBeAskedOfAnAgentThatIsGoneOrKnowsNothingOfIt) {
  device_is_born_as("general", false);
  EXPECT_EQ(ask("core").error().code, Errc::conflict) << "an agent of before";
  device_is_born_as("general");
  Payload death;
  death.metrics = {{.name = "bdSeq", .value = bd_seq}};
  receive("spBv1.0/hq/NDEATH/room1", death);
  EXPECT_EQ(ask("core").error().code, Errc::conflict);
  be_born();
  device_is_born_as("general");
  happen(Disconnected{"gone"});
  EXPECT_EQ(ask("core").error().code, Errc::conflict);
}

TEST_F(Classes, AreKnownAfterARestart) {
  restart();
  EXPECT_EQ(device().class_configured, "general");
  EXPECT_EQ(device().poll_interval, 10s);
  EXPECT_EQ(device().class_request, ClassRequest::none);
}

TEST_F(Classes, TheAgentItselfIsNoDeviceOfTheRoom) {
  EXPECT_FALSE(device().is_self);
  Payload self;
  self.seq = seq++;
  self.metrics = {{.name = "Properties/Maker", .value = "Watchroom"},
                  {.name = "Properties/Model", .value = "agent"}};
  receive("spBv1.0/hq/DBIRTH/room1/self", self);
  EXPECT_TRUE(room->agents(0).at(0).devices.at(0).is_self);
}

}  // namespace
}  // namespace watchroom::aggregator
