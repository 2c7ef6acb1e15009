// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Writing points of devices that a libmodbus server plays, well and badly behaved.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/modbus/frame.hpp"
#include "agent/drivers/modbus/modbus.hpp"
#include "agent/drivers/modbus/modbus_peer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Deed = ModbusPeer::Deed;
using Asked = ModbusPeer::Asked;
using testing::HasSubstr;

constexpr std::string_view text =
    "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"modbus\"\nsource = \"test\"\nconfidence = "
    "\"measured\"\n"
    "[[point]]\nname = \"relay[1].state\"\nunit = \"state\"\nwritable = true\n"
    "register = { table = \"coil\", address = 5 }\n"
    "states = { 0 = { zh = \"断开\", en = \"off\" }, 1 = { zh = \"吸合\", en = \"on\" } }\n"
    "[[point]]\nname = \"relay[2].state\"\nunit = \"state\"\nwritable = true\n"
    "write = { function = \"multiple\" }\nregister = { table = \"coil\", address = 6 }\n"
    "states = { 0 = { zh = \"断开\", en = \"off\" }, 1 = { zh = \"吸合\", en = \"on\" } }\n"
    "[[point]]\nname = \"cooling.temperature_set_point\"\nunit = \"celsius\"\nwritable = true\n"
    "plausible = { min = 16, max = 30 }\n"
    "register = { table = \"holding\", address = 10, type = \"i16\", decimals = 11 }\n"
    "[[point]]\nname = \"cooling.humidity_set_point\"\nunit = \"percent_rh\"\nwritable = true\n"
    "plausible = { min = 20, max = 80 }\n"
    "register = { table = \"holding\", address = 20, type = \"f32\", order = \"cdab\" }\n"
    "[[point]]\nname = \"ambient.temperature\"\nunit = \"celsius\"\n"
    "register = { table = \"holding\", address = 12, type = \"i16\" }\n";
enum : std::size_t { relay_single, relay_multiple, temperature, humidity, only_read };

class ModbusWrite : public testing::Test {
 protected:
  ConfiguredDevice device(const ModbusPeer& peer, int unit) {
    Problems problems;
    auto profile = Profile::parse(text, "test.toml", problems);
    EXPECT_TRUE(profile) << problems.str();
    std::vector<AddressComplaint> complaints;
    ConfiguredDevice made;
    made.address = parse_address(peer.url(unit), AddressOrigin::settings, complaints).value();
    made.reply_timeout = 150ms;
    DevicePoints points = points_of(*profile, {});
    made.description.points = std::move(points.descriptions);
    made.sources = std::move(points.sources);
    made.profile = std::make_shared<const Profile>(*std::move(profile));
    return made;
  }
  Result<WriteOutcome> write(const ModbusPeer& peer, std::size_t point, Value value, int unit = 3) {
    if (!bus_)
      bus_ = modbus.make({device(peer, unit)}, BusContext{clock, Log::quiet(), {}, stop.get_token()});
    return bus_->write(0, device(peer, unit).sources[point], value);
  }
  static std::vector<int> functions(const ModbusPeer& peer) {
    std::vector<int> all;
    for (const Asked& one : peer.asked()) all.push_back(one.function);
    return all;
  }
  static bool is_write(const Asked& asked) {
    return asked.function == 5 || asked.function == 6 || asked.function > 14;
  }

  SystemClock clock;
  std::stop_source stop;
  std::unique_ptr<Bus> bus_;
};

void expect_done(const Result<WriteOutcome>& outcome) {
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(outcome->doubt, "");
  EXPECT_TRUE(outcome->agrees);
}

TEST_F(ModbusWrite, SetsACoilAndReadsItBack) {
  ModbusPeer peer{3};
  expect_done(write(peer, relay_single, Value{std::int64_t{1}}));
  EXPECT_TRUE(peer.coil(5));
  expect_done(write(peer, relay_single, Value{std::int64_t{0}}));
  EXPECT_FALSE(peer.coil(5));
  EXPECT_THAT(functions(peer), testing::ElementsAre(5, 1, 5, 1));
}

TEST_F(ModbusWrite, SetsACoilWithFunctionFifteen) {
  ModbusPeer peer;
  peer.set_coil(7, true);
  expect_done(write(peer, relay_multiple, Value{std::int64_t{1}}));
  EXPECT_TRUE(peer.coil(6));
  EXPECT_TRUE(peer.coil(7));  // the neighbour stays as it was
  EXPECT_THAT(functions(peer), testing::ElementsAre(15, 1));
}

TEST_F(ModbusWrite, SetsARegisterInTheDecimalsThatTheDeviceTells) {
  ModbusPeer peer{ModbusPeer::RtuOverTcp{3}};
  peer.set_holding(10, {200, 1});
  expect_done(write(peer, temperature, Value{23.5}));
  EXPECT_EQ(peer.holding(10), 235);
  peer.set_holding(10, {2000, 2});
  expect_done(write(peer, temperature, Value{23.5}));
  EXPECT_EQ(peer.holding(10), 2350);
  EXPECT_THAT(functions(peer), testing::Contains(6));
}

TEST_F(ModbusWrite, SetsSeveralRegistersAtOnce) {
  ModbusPeer peer;
  expect_done(write(peer, humidity, Value{45.5}));
  EXPECT_EQ(peer.holding(20), 0);  // 45.5 is 42 36 00 00, words swapped
  EXPECT_EQ(peer.holding(21), 0x4236);
  EXPECT_EQ(functions(peer).front(), 16);
}

TEST_F(ModbusWrite, SendsNothingThatIsOutOfRange) {
  ModbusPeer peer;
  peer.set_holding(10, {200, 1});
  for (const auto& [point, value] :
       std::vector<std::pair<std::size_t, Value>>{{temperature, Value{31.0}},
                                                  {temperature, Value{23.55}},
                                                  {humidity, Value{-1.0}},
                                                  {relay_single, Value{std::int64_t{2}}},
                                                  {only_read, Value{20.0}}}) {
    const auto outcome = write(peer, point, value);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Errc::invalid) << outcome.error().text;
  }
  EXPECT_THAT(peer.asked(), testing::Each(testing::Truly([](const Asked& one) { return !is_write(one); })));
}

TEST_F(ModbusWrite, TellsThatTheDeviceRefuses) {
  ModbusPeer peer;
  peer.behave([](const Asked& asked) {
    return is_write(asked) ? Deed{.kind = Deed::Kind::exception, .exception = 3} : Deed{};
  });
  const auto outcome = write(peer, relay_single, Value{std::int64_t{1}});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::refused);
  EXPECT_THAT(outcome.error().text, HasSubstr("illegal data value"));
  EXPECT_THAT(functions(peer), testing::ElementsAre(5));
}

TEST_F(ModbusWrite, AnUnansweredWriteIsNotRepeatedButReadBack) {
  for (const bool was_done : {true, false}) {
    ModbusPeer peer{3};
    peer.behave([&](const Asked& asked) {
      if (!is_write(asked)) return Deed{};
      return Deed{.kind = was_done ? Deed::Kind::do_but_say_nothing : Deed::Kind::silence};
    });
    bus_.reset();
    const auto outcome = write(peer, relay_single, Value{std::int64_t{1}});
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_THAT(outcome->doubt, HasSubstr("no answer within 150 ms"));
    EXPECT_EQ(outcome->agrees, was_done);
    EXPECT_EQ(outcome->read_back.value, (Value{std::int64_t{was_done}}));
    const auto asked = peer.asked();
    EXPECT_EQ(std::ranges::count_if(asked, is_write), 1);
  }
}

TEST_F(ModbusWrite, AnEchoOfSomethingElseIsDoubted) {
  for (const auto& echo : std::vector<std::vector<std::uint8_t>>{{5, 0, 5, 0, 0},     // the other state
                                                                 {5, 0, 4, 0xff, 0},  // another coil
                                                                 {6, 0, 5, 0xff, 0},  // another function
                                                                 {1, 1, 1}}) {  // the late answer of a read
    ModbusPeer peer{3};
    peer.behave([&](const Asked& asked) {
      if (!is_write(asked)) return Deed{};
      return Deed{.kind = Deed::Kind::raw, .bytes = framed(ModbusFraming::rtu, 3, echo, 0)};
    });
    bus_.reset();
    const auto outcome = write(peer, relay_single, Value{std::int64_t{1}});
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_NE(outcome->doubt, "");
    EXPECT_FALSE(outcome->agrees);
    const auto asked = peer.asked();
    EXPECT_EQ(std::ranges::count_if(asked, is_write), 1);
  }
}

TEST_F(ModbusWrite, ALateEchoIsNotTakenForWhatIsReadBack) {
  ModbusPeer peer{3};
  peer.set_coil(5, true);
  std::thread late;
  peer.behave([&](const Asked& asked) {
    if (!is_write(asked)) return Deed{};
    late = std::thread{[&peer] {
      std::this_thread::sleep_until(ModbusPeer::Clock::now() + 200ms);  // past the 150 ms it is given
      peer.send(framed(ModbusFraming::rtu, 3, std::vector<std::uint8_t>{5, 0, 5, 0, 0}, 0));
    }};
    return Deed{.kind = Deed::Kind::silence};
  });
  const auto outcome = write(peer, relay_single, Value{std::int64_t{0}});
  ASSERT_FALSE(peer.asked().empty());
  late.join();
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(outcome->read_back.value, (Value{std::int64_t{1}}));
  EXPECT_FALSE(outcome->agrees);
}

TEST_F(ModbusWrite, AConnectionThatBreaksAfterAWriteLeavesDoubt) {
  ModbusPeer peer;
  peer.behave([](const Asked& asked) {
    return is_write(asked) ? Deed{.kind = Deed::Kind::raw, .bytes = {0}}
                           : Deed{};  // half a frame, then nothing
  });
  const auto outcome = write(peer, relay_single, Value{std::int64_t{1}});
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_NE(outcome->doubt, "");
  EXPECT_EQ(outcome->read_back.quality, Quality::good);  // over a new connection
  EXPECT_FALSE(outcome->agrees);
}

TEST_F(ModbusWrite, WaitsALittleForARelayThatIsSlow) {
  ModbusPeer peer{3};
  peer.behave([&, reads = 0](const Asked& asked) mutable {
    if (is_write(asked)) return Deed{};
    if (++reads < 3)
      return Deed{.kind = Deed::Kind::raw,
                  .bytes = framed(ModbusFraming::rtu, 3, std::vector<std::uint8_t>{1, 1, 0}, 0)};
    return Deed{};
  });
  expect_done(write(peer, relay_single, Value{std::int64_t{1}}));
  EXPECT_THAT(functions(peer), testing::ElementsAre(5, 1, 1, 1));
}

TEST_F(ModbusWrite, NothingIsWrittenWhereNobodyListens) {
  int port = 0;
  { port = ModbusPeer{}.port(); }
  ModbusPeer unused;
  ConfiguredDevice gone = device(unused, 1);
  ModbusAddress elsewhere = gone.address.where.as<ModbusAddress>();
  std::get<TcpPeer>(elsewhere.line).port = port;
  gone.address.where = elsewhere;
  const auto bus = modbus.make({gone}, BusContext{clock, Log::quiet(), {}, {}});
  const auto outcome = bus->write(0, gone.sources[relay_single], Value{std::int64_t{1}});
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().text, HasSubstr("nothing was written"));
}

}  // namespace
}  // namespace watchroom::agent
