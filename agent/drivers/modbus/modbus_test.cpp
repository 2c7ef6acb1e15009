// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/modbus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "agent/drivers/modbus/frame.hpp"
#include "agent/drivers/modbus/modbus_peer.hpp"
#include "agent/drivers/modbus/tested_unit.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Deed = ModbusPeer::Deed;
using Asked = ModbusPeer::Asked;

std::string point(const std::string& name, const std::string& unit, const std::string& where) {
  return "[[point]]\nname = \"" + name + "\"\nunit = \"" + unit + "\"\nregister = { " + where + " }\n";
}

std::shared_ptr<const Profile> climate() {
  return tested_profile(
      point("ambient.temperature", "celsius", "table = \"input\", address = 1, type = \"i16\", scale = 0.1") +
      point("ambient.humidity", "percent_rh", "table = \"input\", address = 0, type = \"u16\", scale = 0.1"));
}

ConfiguredDevice device(const ModbusPeer& peer, int unit, std::shared_ptr<const Profile> profile,
                        std::chrono::milliseconds timeout = 300ms) {
  return tested_unit(peer.url(unit), unit, std::move(profile), timeout);
}

class ModbusDriver : public testing::Test {
 protected:
  std::unique_ptr<Bus> bus(std::vector<ConfiguredDevice> devices) {
    return modbus.make(std::move(devices), BusContext{clock, Log::quiet(), {}, stop.get_token()});
  }
  static double number(const Reading& reading) {
    return reading.value ? std::get<double>(*reading.value) : -999.0;
  }

  SystemClock clock;
  std::stop_source stop;
};

TEST_F(ModbusDriver, ReadsADeviceOverTcp) {
  ModbusPeer peer;
  peer.set_input(0, {458, static_cast<std::uint16_t>(-101)});
  const auto line = bus({device(peer, 1, climate())});
  const Answer answer = line->read(0);
  EXPECT_EQ(answer.communication, Communication::ok);
  EXPECT_EQ(answer.text, "");
  EXPECT_EQ(number(answer.readings[0]), -10.1);
  EXPECT_EQ(number(answer.readings[1]), 45.8);
  EXPECT_EQ(peer.asked().size(), 1u);
}

TEST_F(ModbusDriver, ReadsADeviceOnASerialLine) {
  ModbusPeer peer{3};
  peer.set_input(0, {458, 231});
  const auto line = bus({device(peer, 3, climate())});
  const Answer answer = line->read(0);
  EXPECT_EQ(answer.communication, Communication::ok) << answer.text;
  EXPECT_EQ(number(answer.readings[0]), 23.1);
}

TEST_F(ModbusDriver, ReadsADeviceBehindASerialServer) {
  ModbusPeer peer{ModbusPeer::RtuOverTcp{3}};
  peer.set_input(0, {458, 231});
  const auto line = bus({device(peer, 3, climate())});
  const Answer answer = line->read(0);
  EXPECT_EQ(answer.communication, Communication::ok) << answer.text;
  EXPECT_EQ(number(answer.readings[0]), 23.1);
}

TEST_F(ModbusDriver, KeepsTheSilenceBetweenFramesOnASerialLine) {
  ModbusPeer peer{3};
  auto fast = device(peer, 3, climate());
  const auto line = bus({fast});
  for (int i = 0; i < 4; ++i) line->read(0);
  const auto asked = peer.asked();
  ASSERT_EQ(asked.size(), 4u);
  // 3.5 characters of 10 bits at 9600 baud; the peer notes its answer before we can have it.
  for (std::size_t i = 1; i < asked.size(); ++i)
    EXPECT_GE(asked[i].arrived - asked[i - 1].answered, 3645us) << i;
}

TEST_F(ModbusDriver, KeepsThePauseThatADeviceWants) {
  ModbusPeer peer;
  auto slow = device(peer, 1, climate());
  slow.gap = 60ms;
  const auto line = bus({slow});
  line->read(0);
  line->read(0);
  const auto asked = peer.asked();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_GE(asked[1].arrived - asked[0].answered, 60ms);
}

TEST_F(ModbusDriver, RecognisesAModelByItsRegisters) {
  ModbusPeer peer;
  peer.set_holding(0x10, {2101});
  const auto model = [](const std::string& probe) {
    return tested_profile(
        "[[modbus.probe]]\n" + probe +
        point("ambient.humidity", "percent_rh", "table = \"input\", address = 0, type = \"u16\""));
  };
  const auto right = model("table = \"holding\"\naddress = 16\ntype = \"u16\"\nvalues = [2101]\n");
  const auto other = model("table = \"holding\"\naddress = 16\ntype = \"u16\"\nvalues = [2102]\n");
  const auto known = [&](const std::vector<std::shared_ptr<const Profile>>& profiles) {
    return modbus.recognise(device(peer, 1, right).address, profiles, BusContext{clock, Log::quiet(), {}, {}},
                            Patience{});
  };
  const auto found = known({other, climate(), right});
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->front(), right);
  EXPECT_FALSE(known({other, climate()}));
  const auto twice = known({right, right});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().text, testing::HasSubstr("several profiles fit alike"));
}

TEST_F(ModbusDriver, ReadsAgainSoonWhatWasRefusedWhileTheDeviceStarted) {
  ModbusPeer peer;
  peer.set_input(0, {458, 231});
  std::atomic<bool> is_starting = true;
  peer.behave([&](const Asked&) {
    return is_starting ? Deed{.kind = Deed::Kind::exception, .exception = 2} : Deed{};
  });
  const auto line = bus({device(peer, 1, climate())});
  EXPECT_EQ(line->read(0).communication, Communication::refused);
  is_starting = false;
  EXPECT_EQ(line->read(0).communication, Communication::ok);
}

TEST_F(ModbusDriver, SharesOneConnectionBetweenTheUnitsOfAGateway) {
  ModbusPeer peer;
  const auto line = bus({device(peer, 1, climate()), device(peer, 2, climate())});
  EXPECT_EQ(line->read(0).communication, Communication::ok);
  EXPECT_EQ(line->read(1).communication, Communication::ok);
  EXPECT_EQ(peer.connections(), 1);
}

TEST_F(ModbusDriver, ASilentDeviceGivesStaleReadingsAndASentence) {
  ModbusPeer peer;
  peer.behave([](const Asked&) { return Deed{.kind = Deed::Kind::silence}; });
  const auto line = bus({device(peer, 1, climate(), 50ms)});
  const Answer answer = line->read(0);
  EXPECT_EQ(answer.communication, Communication::no_answer);
  EXPECT_THAT(answer.text, testing::HasSubstr("no answer within 50 ms"));
  ASSERT_EQ(answer.readings.size(), 2u);
  EXPECT_EQ(answer.readings[0].quality, Quality::stale);
  EXPECT_FALSE(answer.readings[0].value);
  EXPECT_EQ(peer.asked().size(), 1u);  // nothing known to be alive: no second time-out
}

TEST_F(ModbusDriver, AsksALivingDeviceASecondTimeWhenAFrameIsLost) {
  ModbusPeer peer;
  const auto line = bus({device(peer, 1, climate(), 100ms)});
  line->read(0);
  peer.behave(
      [lost = 1](const Asked&) mutable { return lost-- > 0 ? Deed{.kind = Deed::Kind::silence} : Deed{}; });
  EXPECT_EQ(line->read(0).communication, Communication::ok);
}

TEST_F(ModbusDriver, ARefusedConnectionIsNotConnected) {
  int port = 0;
  { port = ModbusPeer{}.port(); }
  ModbusPeer unused;
  auto gone = device(unused, 1, climate());
  gone.address.where = ModbusAddress{.line = TcpPeer{"127.0.0.1", port}};
  const Answer answer = bus({gone})->read(0);
  EXPECT_EQ(answer.communication, Communication::not_connected);
  EXPECT_THAT(answer.text, testing::HasSubstr("Connection refused"));
}

TEST_F(ModbusDriver, ConnectsAgainAfterTheGatewayClosedTheConnection) {
  ModbusPeer peer;
  const auto line = bus({device(peer, 1, climate())});
  line->read(0);
  peer.behave([n = 0](const Asked&) mutable {
    return n++ == 0 ? Deed{.kind = Deed::Kind::raw, .bytes = {0}} : Deed{};
  });
  EXPECT_EQ(line->read(0).communication, Communication::ok);  // the second try, on a new connection
  EXPECT_EQ(peer.connections(), 2);
}

TEST_F(ModbusDriver, RefusesTheAnswerOfAnotherUnit) {
  ModbusPeer peer{3};
  const auto line = bus({device(peer, 3, climate(), 80ms)});
  peer.behave([](const Asked&) {
    std::vector<std::uint8_t> frame{4, 4, 4, 0, 1, 0, 2};
    const std::uint16_t crc = crc16(frame);
    frame.push_back(static_cast<std::uint8_t>(crc & 0xff));
    frame.push_back(static_cast<std::uint8_t>(crc >> 8));
    return Deed{.kind = Deed::Kind::raw, .bytes = frame};
  });
  const Answer answer = line->read(0);
  EXPECT_EQ(answer.communication, Communication::corrupt);
  EXPECT_THAT(answer.text, testing::HasSubstr("unit 4 answered for unit 3"));
}

TEST_F(ModbusDriver, DrainsALateAnswerBeforeTheNextRequest) {
  ModbusPeer peer{3};
  peer.set_input(0, {458, 231});
  const auto line = bus({device(peer, 3, climate(), 100ms)});
  std::vector<std::uint8_t> late{3, 4, 4, 0x7f, 0xff, 0x7f, 0xff};
  const std::uint16_t crc = crc16(late);
  late.push_back(static_cast<std::uint8_t>(crc & 0xff));
  late.push_back(static_cast<std::uint8_t>(crc >> 8));
  // The right answer and, right behind it, one that nobody asked for.
  peer.behave([late, n = 0](const Asked&) mutable {
    if (n++ > 0) return Deed{};
    std::vector<std::uint8_t> both = late;
    both.insert(both.end(), late.begin(), late.end());
    return Deed{.kind = Deed::Kind::raw, .bytes = both};
  });
  line->read(0);
  const Answer answer = line->read(0);
  EXPECT_EQ(number(answer.readings[0]), 23.1);
}

TEST_F(ModbusDriver, BisectsARefusedBlockAndRemembersTheHole) {
  ModbusPeer peer;
  peer.set_input(0, {11, 22, 0, 44});
  // Register 2 is a hole; asking over it is refused, as many devices do.
  peer.behave([](const Asked& asked) {
    const bool over_hole = asked.address <= 2 && asked.address + asked.count > 2;
    return over_hole ? Deed{.kind = Deed::Kind::exception, .exception = 2} : Deed{};
  });
  std::string body;
  for (int i = 0; i < 4; ++i)
    body += point("contact[" + std::to_string(i) + "].state", "state",
                  "table = \"input\", type = \"u16\", address = " + std::to_string(i)) +
            "states = { 0 = { zh = \"a\", en = \"a\" } }\n";
  const auto line = bus({device(peer, 1, tested_profile(body))});
  const Answer answer = line->read(0);
  EXPECT_EQ(answer.communication, Communication::ok);
  EXPECT_EQ(answer.readings[0].value, (Value{std::int64_t{11}}));
  EXPECT_EQ(answer.readings[1].value, (Value{std::int64_t{22}}));
  EXPECT_EQ(answer.readings[2].quality, Quality::bad);
  EXPECT_EQ(answer.readings[3].value, (Value{std::int64_t{44}}));
  peer.forget();
  line->read(0);
  for (const Asked& asked : peer.asked()) EXPECT_FALSE(asked.address <= 2 && asked.address + asked.count > 2);
  EXPECT_EQ(peer.asked().size(), 2u);
}

TEST_F(ModbusDriver, ADeviceThatRefusesEverythingIsRefused) {
  ModbusPeer peer;
  peer.behave([](const Asked&) { return Deed{.kind = Deed::Kind::exception, .exception = 1}; });
  const Answer answer = bus({device(peer, 1, climate())})->read(0);
  EXPECT_EQ(answer.communication, Communication::refused);
  EXPECT_THAT(answer.text, testing::HasSubstr("illegal function (exception 1)"));
}

TEST_F(ModbusDriver, ASilentUnitBehindAGatewayIsNoAnswer) {
  ModbusPeer peer;
  peer.behave([](const Asked&) { return Deed{.kind = Deed::Kind::exception, .exception = 11}; });
  EXPECT_EQ(bus({device(peer, 1, climate())})->read(0).communication, Communication::no_answer);
}

TEST_F(ModbusDriver, FindsTheOptionalPointsThatADeviceHas) {
  ModbusPeer peer;
  peer.behave([](const Asked& asked) {
    return asked.address >= 100 ? Deed{.kind = Deed::Kind::exception, .exception = 2} : Deed{};
  });
  const std::string optional = "optional = true\n";
  const auto profile = tested_profile(
      point("ambient.temperature", "celsius", "table = \"input\", address = 1, type = \"i16\"") +
      point("ambient.humidity", "percent_rh", "table = \"input\", address = 2, type = \"u16\"") + optional +
      point("ambient.dew_point", "celsius", "table = \"input\", address = 100, type = \"i16\"") + optional);
  const auto found = bus({device(peer, 1, profile)})->discover(0);
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, testing::ElementsAre(FoundPoint{"ambient.humidity", {}}));
}

TEST_F(ModbusDriver, ReadsTextsOnceAndAgainWhenTheDeviceIsBack) {
  ModbusPeer peer;
  peer.set_holding(100, {0x4142, 0x4300});
  const auto profile = tested_profile(
      point("ambient.temperature", "celsius", "table = \"input\", address = 1, type = \"i16\"") +
      point("device.serial", "text", "table = \"holding\", address = 100, type = \"text\", length = 2"));
  const auto line = bus({device(peer, 1, profile, 100ms)});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(line->read(0).readings[1].value, Value{"ABC"});
  EXPECT_EQ(peer.asked().size(), 4u);
  peer.behave([](const Asked&) { return Deed{.kind = Deed::Kind::silence}; });
  EXPECT_EQ(line->read(0).readings[1].quality, Quality::stale);
  peer.behave({});
  peer.set_holding(100, {0x5859, 0});
  EXPECT_EQ(line->read(0).readings[1].value, Value{"XY"});
}

TEST_F(ModbusDriver, ADeviceThatRefusesItsTextsIsReadAllTheSame) {
  ModbusPeer peer;
  peer.behave([](const Asked& asked) {
    return asked.function == 3 ? Deed{.kind = Deed::Kind::exception, .exception = 2} : Deed{};
  });
  const auto profile = tested_profile(
      point("ambient.temperature", "celsius", "table = \"input\", address = 1, type = \"i16\"") +
      point("device.serial", "text", "table = \"holding\", address = 100, type = \"text\", length = 2"));
  const Answer answer = bus({device(peer, 1, profile)})->read(0);
  EXPECT_EQ(answer.communication, Communication::ok) << answer.text;
  EXPECT_EQ(answer.readings[0].quality, Quality::good);
  EXPECT_EQ(answer.readings[1].quality, Quality::bad);
}

TEST_F(ModbusDriver, TextsThatAreNeverAnsweredAreLeftOut) {
  ModbusPeer peer;
  peer.behave([](const Asked& asked) {
    return Deed{.kind = asked.function == 3 ? Deed::Kind::silence : Deed::Kind::answer};
  });
  const auto profile = tested_profile(
      point("ambient.temperature", "celsius", "table = \"input\", address = 1, type = \"i16\"") +
      point("device.serial", "text", "table = \"holding\", address = 100, type = \"text\", length = 2"));
  const auto line = bus({device(peer, 1, profile, 50ms)});
  for (int i = 0; i < 5; ++i) {
    const Answer answer = line->read(0);
    EXPECT_EQ(answer.communication, Communication::ok) << answer.text;
    EXPECT_EQ(answer.readings[0].quality, Quality::good);
    EXPECT_EQ(answer.readings[1].quality, Quality::bad);
  }
  const auto asked = peer.asked();
  EXPECT_EQ(std::ranges::count(asked, 3, &Asked::function), 2);
}

TEST_F(ModbusDriver, RegistersThatAGatewayGetsNoAnswerForAreLeftOut) {
  ModbusPeer peer;
  peer.set_input(1, {231});
  peer.behave([](const Asked& asked) {
    return asked.function == 3 ? Deed{.kind = Deed::Kind::exception, .exception = 11} : Deed{};
  });
  const auto profile = tested_profile(
      point("ambient.temperature", "celsius", "table = \"input\", address = 1, type = \"i16\"") +
      point("ambient.humidity", "percent_rh", "table = \"holding\", address = 1, type = \"i16\""));
  const auto line = bus({device(peer, 1, profile)});
  line->read(0);
  const Answer answer = line->read(0);
  EXPECT_EQ(answer.communication, Communication::ok) << answer.text;
  EXPECT_EQ(number(answer.readings[0]), 231.0);
  EXPECT_EQ(answer.readings[1].quality, Quality::bad);
}

TEST_F(ModbusDriver, AStopEndsAWaitForAGap) {
  ModbusPeer peer;
  auto slow = device(peer, 1, climate());
  slow.gap = 60s;
  const auto line = bus({slow});
  line->read(0);
  std::thread stopper{[&] { stop.request_stop(); }};
  const auto began = std::chrono::steady_clock::now();
  line->read(0);
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(ModbusDriver, RefusesADescriptorThatLibmodbusCannotWaitFor) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 2048);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_GT(limit.rlim_cur, 1100u);
  ModbusPeer peer;
  std::vector<int> taken;
  for (int fd = ::dup(0); fd >= 0 && fd < 1030; fd = ::dup(0)) taken.push_back(fd);
  const Answer answer = bus({device(peer, 1, climate())})->read(0);
  for (const int fd : taken) ::close(fd);
  EXPECT_EQ(answer.communication, Communication::not_connected);
  EXPECT_THAT(answer.text, testing::HasSubstr("descriptor"));
}

}  // namespace
}  // namespace watchroom::agent
