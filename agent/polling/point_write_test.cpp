// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/point_write.hpp"

#include <future>

#include <gtest/gtest.h>

#include "agent/drivers/modbus/modbus_peer.hpp"
#include "agent/drivers/snmp/snmpd_peer.hpp"
#include "agent/polling/poller.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Deed = ModbusPeer::Deed;

const std::string head =
    "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nsource = \"test\"\nconfidence = \"measured\"\n";
const std::string switches =
    "unit = \"state\"\nwritable = true\n"
    "states = { 0 = { zh = \"断开\", en = \"off\" }, 1 = { zh = \"吸合\", en = \"on\" } }\n";

ConfiguredDevice device(const std::string& profile, const std::string& url, const std::string& id,
                        std::chrono::milliseconds interval) {
  Problems problems;
  std::vector<AddressComplaint> complaints;
  ConfiguredDevice made;
  auto parsed = Profile::parse(head + profile, "t.toml", problems);
  EXPECT_TRUE(parsed) << problems.str();
  made.profile = std::make_shared<const Profile>(*std::move(parsed));
  made.address = parse_address(url, AddressOrigin::probe, complaints).value();
  made.description.id = id;
  made.description.poll_interval = interval;
  made.reply_timeout = 500ms;
  PointLists lists;
  set_points(made, {}, lists);
  return made;
}

ConfiguredDevice relay(const std::string& url, const std::string& id) {
  return device(
      "bus = \"modbus\"\n[[point]]\nname = \"relay[1].state\"\nregister = { table = \"coil\", address = 2 "
      "}\n" +
          switches +
          "[[point]]\nname = \"relay[2].state\"\noptional = true\nregister = { table = \"coil\", address = 3 "
          "}\n" +
          switches,
      url, id, 1h);
}

/// A poller and the outcome of one write.
class Writing {
 public:
  explicit Writing(std::vector<ConfiguredDevice> devices) {
    settings_.devices = std::move(devices);
    poller_.emplace(settings_, clock_, Log::quiet(), board_, [this](const PollResult& polled) {
      if (polled.communication == Communication::ok) ++answers_;
    });
    poller_->start();
  }
  std::future<Result<WriteOutcome>> write(std::size_t device, const std::string& point, std::int64_t code,
                                          std::optional<Steady> not_after = std::nullopt) {
    auto promise = std::make_shared<std::promise<Result<WriteOutcome>>>();
    poller_->write({device, point, Value{code}, not_after,
                    [promise](Result<WriteOutcome> outcome) { promise->set_value(std::move(outcome)); }});
    return promise->get_future();
  }
  bool has_answers(int count) const {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (answers_ < count && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return answers_ >= count;
  }

 private:
  SystemClock clock_;
  BusBoard board_;
  AgentSettings settings_;
  std::atomic<int> answers_ = 0;
  std::optional<Poller> poller_;
};

TEST(PointWrite, IsReadBackAndItsDeviceIsAskedAgain) {
  ModbusPeer peer;
  Writing poller{{relay(peer.url(1), "io")}};
  ASSERT_TRUE(poller.has_answers(1));
  const auto outcome = poller.write(0, "relay[1].state", 1).get();
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_TRUE(outcome->agrees);
  EXPECT_TRUE(peer.coil(2));
  EXPECT_TRUE(poller.has_answers(2)) << "what was set is to be seen before its hour";
}

TEST(PointWrite, AnOptionalPointIsWrittenWhereItsProfileSaysThoughItWasNeverFound) {
  ModbusPeer peer;
  Writing poller{{relay(peer.url(1), "io")}};
  const auto outcome = poller.write(0, "relay[2].state", 1).get();
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_TRUE(peer.coil(3));
}

TEST(PointWrite, WhatIsToBeWrittenByATimeIsNotWrittenLater) {
  ModbusPeer peer;
  Writing poller{{relay(peer.url(1), "io")}};
  ASSERT_TRUE(poller.has_answers(1));
  const Steady now = SystemClock{}.steady();
  EXPECT_EQ(poller.write(0, "relay[1].state", 1, now - 1ms).get().error().code, Errc::cancelled);
  EXPECT_FALSE(peer.coil(2));
  EXPECT_TRUE(poller.write(0, "relay[1].state", 1, now + 1min).get());
  EXPECT_TRUE(peer.coil(2));
}

TEST(PointWrite, APointThatIsNotThereIsAnError) {
  ModbusPeer peer;
  Writing poller{{relay(peer.url(1), "io")}};
  EXPECT_EQ(poller.write(0, "relay[9].state", 1).get().error().code, Errc::not_found);
  EXPECT_EQ(poller.write(7, "relay[1].state", 1).get().error().code, Errc::not_found);
}

TEST(PointWrite, DoesNotWaitBehindADeadUnitForLongerThanItsTimeOut) {
  ModbusPeer peer;
  peer.behave([](const ModbusPeer::Asked& asked) {
    return asked.unit == 1 ? Deed{} : Deed{.kind = Deed::Kind::silence};
  });
  std::vector<ConfiguredDevice> devices{relay(peer.url(1), "io")};
  for (int unit = 2; unit < 8; ++unit)
    devices.push_back(relay(peer.url(unit), "dead" + std::to_string(unit)));
  Writing poller{std::move(devices)};
  ASSERT_TRUE(poller.has_answers(1));
  for (const std::int64_t code : {1, 0, 1}) {
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(poller.write(0, "relay[1].state", code).get());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
  }
}

TEST(PointWrite, DoesNotWaitForAPoolWhoseDevicesAreSilent) {
  const std::string outlet =
      "bus = \"snmp\"\n[[point]]\nname = \"outlet[1].state\"\noid = \"1.3.6.1.4.1.99999.2.1.0\"\n" + switches;
  const std::vector<std::string> lines{"rwcommunity master 127.0.0.1",
                                       "override -rw .1.3.6.1.4.1.99999.2.1.0 integer 0"};
  SnmpdPeer living{{}, lines}, dead{{}, lines};
  driver_named("snmp")->prepare(living.folder());
  const auto url = [](const SnmpdPeer& peer) {
    return "snmp://127.0.0.1:" + std::to_string(peer.port()) + "?community=master";
  };
  std::vector<ConfiguredDevice> devices{device(outlet, url(living), "pdu", 200ms)};
  for (int i = 0; i < 8; ++i) devices.push_back(device(outlet, url(dead), "dead" + std::to_string(i), 200ms));
  for (ConfiguredDevice& one : devices) one.reply_timeout = 3s;
  Writing poller{std::move(devices)};
  ASSERT_TRUE(poller.has_answers(9));
  dead.freeze();
  for (const std::int64_t code : {1, 0, 1}) {
    const auto began = std::chrono::steady_clock::now();
    const auto outcome = poller.write(0, "outlet[1].state", code).get();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_TRUE(outcome->agrees);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
  }
  dead.thaw();
}

}  // namespace
}  // namespace watchroom::agent
