// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/poller.hpp"

#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "agent/drivers/modbus/modbus_peer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Deed = ModbusPeer::Deed;

/// What a poller delivered, from whichever thread.
class Delivered {
 public:
  void take(PollResult result) {
    const std::lock_guard lock{mutex_};
    results_.push_back(std::move(result));
  }
  std::size_t count(std::size_t device, Communication communication) const {
    const std::lock_guard lock{mutex_};
    return static_cast<std::size_t>(std::count_if(
        results_.begin(), results_.end(),
        [&](const PollResult& one) { return one.device == device && one.communication == communication; }));
  }
  std::vector<PollResult> all() const {
    const std::lock_guard lock{mutex_};
    return results_;
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < deadline) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<PollResult> results_;
};

ConfiguredDevice sensor(const std::string& url, const std::string& id) {
  static const std::string profile_text = R"(schema = 1
maker = "T"
model = "T"
bus = "modbus"
source = "test"
confidence = "measured"
[[point]]
name = "ambient.temperature"
unit = "celsius"
register = { table = "input", address = 1, type = "i16", scale = 0.1 }
)";
  Problems problems;
  std::vector<AddressComplaint> complaints;
  ConfiguredDevice made;
  made.profile = std::make_shared<const Profile>(Profile::parse(profile_text, "t.toml", problems).value());
  made.address = parse_address(url, AddressOrigin::settings, complaints).value();
  made.description.id = id;
  made.description.poll_interval = 100ms;
  made.reply_timeout = 200ms;
  DevicePoints points = points_of(*made.profile, {});
  made.description.points = std::move(points.descriptions);
  made.sources = std::move(points.sources);
  return made;
}

TEST(Poller, DeliversEachDeviceAtItsPace) {
  ModbusPeer peer;
  peer.set_input(1, {231});
  AgentSettings settings;
  settings.devices = {sensor(peer.url(1), "a"), sensor(peer.url(2), "b")};
  const SystemClock clock;
  Delivered delivered;
  Poller poller{settings, clock, Log::quiet(), [&](PollResult result) { delivered.take(std::move(result)); }};
  poller.start();
  EXPECT_TRUE(Delivered::eventually([&] {
    return delivered.count(0, Communication::ok) >= 5 && delivered.count(1, Communication::ok) >= 5;
  }));
  poller.stop();
  const auto results = delivered.all();
  EXPECT_EQ(std::get<double>(*results.front().readings.front().value), 23.1);
  EXPECT_EQ(peer.connections(), 1);
  EXPECT_EQ(delivered.all().size(), results.size());  // nothing after stop
}

TEST(Poller, ADeadUnitDoesNotSlowTheOthersOfItsBus) {
  ModbusPeer peer;
  peer.behave([](const ModbusPeer::Asked& asked) {
    return asked.unit == 2 ? Deed{.kind = Deed::Kind::silence} : Deed{};
  });
  AgentSettings settings;
  settings.devices = {sensor(peer.url(1), "alive"), sensor(peer.url(2), "dead")};
  const SystemClock clock;
  Delivered delivered;
  Poller poller{settings, clock, Log::quiet(), [&](PollResult result) { delivered.take(std::move(result)); }};
  const auto began = std::chrono::steady_clock::now();
  poller.start();
  EXPECT_TRUE(Delivered::eventually([&] { return delivered.count(0, Communication::ok) >= 20; }));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);  // 2 s at its pace
  EXPECT_GE(delivered.count(1, Communication::no_answer), 1u);
  poller.stop();
}

TEST(Poller, ADeadBusDoesNotSlowAnother) {
  ModbusPeer dead, alive;
  dead.behave([](const ModbusPeer::Asked&) { return Deed{.kind = Deed::Kind::silence}; });
  AgentSettings settings;
  settings.devices = {sensor(dead.url(1), "dead"), sensor(alive.url(1), "alive")};
  const SystemClock clock;
  Delivered delivered;
  Poller poller{settings, clock, Log::quiet(), [&](PollResult result) { delivered.take(std::move(result)); }};
  poller.start();
  EXPECT_TRUE(Delivered::eventually([&] { return delivered.count(1, Communication::ok) >= 10; }));
  EXPECT_TRUE(Delivered::eventually([&] { return delivered.count(0, Communication::no_answer) >= 1; }));
  poller.stop();
}

TEST(Poller, TellsWhenADeviceIsBack) {
  ModbusPeer peer;
  std::atomic<bool> is_silent = true;
  peer.behave(
      [&](const ModbusPeer::Asked&) { return is_silent ? Deed{.kind = Deed::Kind::silence} : Deed{}; });
  AgentSettings settings;
  settings.devices = {sensor(peer.url(1), "a")};
  const SystemClock clock;
  Delivered delivered;
  Poller poller{settings, clock, Log::quiet(), [&](PollResult result) { delivered.take(std::move(result)); }};
  poller.start();
  EXPECT_TRUE(Delivered::eventually([&] { return delivered.count(0, Communication::no_answer) >= 1; }));
  is_silent = false;
  EXPECT_TRUE(Delivered::eventually([&] { return delivered.count(0, Communication::ok) >= 1; }));
  poller.stop();
}

TEST(Poller, AHurriedDeviceIsAskedLongBeforeItIsDue) {
  ModbusPeer peer;
  AgentSettings settings;
  settings.devices = {sensor(peer.url(1), "a"), sensor(peer.url(2), "b")};
  for (ConfiguredDevice& device : settings.devices) device.description.poll_interval = 10min;
  const SystemClock clock;
  Delivered delivered;
  Poller poller{settings, clock, Log::quiet(), [&](PollResult result) { delivered.take(std::move(result)); }};
  poller.start();
  ASSERT_TRUE(Delivered::eventually([&] {
    return delivered.count(0, Communication::ok) == 1 && delivered.count(1, Communication::ok) == 1;
  }));
  for (int i = 0; i < 1000; ++i) poller.hurry(1);
  poller.hurry(7);  // nobody
  EXPECT_TRUE(Delivered::eventually([&] { return delivered.count(1, Communication::ok) >= 2; }));
  poller.stop();
  EXPECT_EQ(delivered.count(0, Communication::ok), 1u);
  EXPECT_LE(delivered.count(1, Communication::ok), 3u);
}

TEST(Poller, ADeviceIsPutIntoAnotherClassWhileItRuns) {
  ModbusPeer peer;
  AgentSettings settings;
  settings.devices = {sensor(peer.url(1), "a")};
  settings.devices[0].description.poll_interval = 10min;
  settings.classes[static_cast<std::size_t>(ResourceClass::core)] = {100ms, 1s, PointChoice::essential};
  const SystemClock clock;
  Delivered delivered;
  std::mutex mutex;
  std::shared_ptr<const DeviceDescription> described;
  Poller poller{settings, clock, Log::quiet(), [&](PollResult result) {
                  {
                    const std::lock_guard lock{mutex};
                    if (result.description) described = result.description;
                  }
                  delivered.take(std::move(result));
                }};
  poller.start();
  ASSERT_TRUE(Delivered::eventually([&] { return delivered.count(0, Communication::ok) == 1; }));
  poller.put_into_class(0, ResourceClass::core);
  poller.put_into_class(7, ResourceClass::core);  // nobody
  EXPECT_TRUE(Delivered::eventually([&] { return delivered.count(0, Communication::ok) >= 5; }));
  poller.stop();
  ASSERT_TRUE(described);
  EXPECT_EQ(described->resource_class, ResourceClass::core);
  EXPECT_EQ(described->configured_class, ResourceClass::general);
  EXPECT_EQ(described->poll_interval, 100ms);
}

TEST(Poller, StopsWithinAboutAReplyTimeOut) {
  ModbusPeer peer;
  peer.behave([](const ModbusPeer::Asked&) { return Deed{.kind = Deed::Kind::silence}; });
  AgentSettings settings;
  settings.devices = {sensor(peer.url(1), "a")};
  const SystemClock clock;
  Poller poller{settings, clock, Log::quiet(), [](const PollResult&) {}};
  poller.start();
  ASSERT_TRUE(Delivered::eventually([&] { return !peer.asked().empty(); }));
  const auto began = std::chrono::steady_clock::now();
  poller.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
}

}  // namespace
}  // namespace watchroom::agent
