// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/bus_figures.hpp"

#include <gtest/gtest.h>

#include "proto/model/point_name.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

TEST(BusFigures, CountALostDeviceOnceAndForgetItWhenItIsBack) {
  BusFigures bus{"/dev/ttyS1", "ttyS1", 3, 1};
  bus.asked(Communication::unknown, Communication::ok);
  bus.was_busy(10ms);
  bus.asked(Communication::unknown, Communication::no_answer);
  bus.was_busy(500ms);
  bus.asked(Communication::no_answer, Communication::corrupt);
  bus.was_busy(20ms);  // lost before, lost now
  BusSnapshot now = bus.take();
  EXPECT_EQ(now.devices, 3);
  EXPECT_EQ(now.living, 1);
  EXPECT_EQ(now.lost, 1);
  EXPECT_EQ(now.busy, 530ms);
  EXPECT_EQ(now.polls[static_cast<std::size_t>(Communication::corrupt)], 1u);
  bus.asked(Communication::corrupt, Communication::ok);
  bus.was_busy(10ms);
  now = bus.take();
  EXPECT_EQ(now.living, 2);
  EXPECT_EQ(now.lost, 0);
}

TEST(BusFigures, TellTheWidestLatenessOfEachLook) {
  BusFigures bus{"snmp", "snmp", 1, 2};
  bus.was_late(20ms);
  bus.was_late(300ms);
  bus.was_late(40ms);
  EXPECT_EQ(bus.take().lateness, 300ms);
  EXPECT_EQ(bus.take().lateness, 0ms);
}

TEST(BusFigures, ExpectTheThreadThatIsDueFirst) {
  BusFigures bus{"snmp", "snmp", 1, 2};
  EXPECT_EQ(bus.take().back_by, Steady::max());
  bus.comes_by(0, Steady{70s});
  bus.comes_by(1, Steady{60s});
  EXPECT_EQ(bus.take().back_by, Steady{60s});
  bus.leaves(1);
  EXPECT_EQ(bus.take().back_by, Steady{70s});
}

TEST(BusBoard, ShowsABusAsLongAsItIsThere) {
  BusBoard board;
  auto line = board.add("/dev/ttyS1", 1, 1);
  const auto snmp = board.add("snmp", 2, 2);
  ASSERT_EQ(board.take().size(), 2u);
  EXPECT_EQ(board.take().front().instance, "ttyS1");
  line.reset();
  ASSERT_EQ(board.take().size(), 1u);
  EXPECT_EQ(board.take().front().name, "snmp");
}

TEST(BusBoard, TellsTwoBusesApartWhoseNamesLookAlike) {
  BusBoard board;
  const auto a = board.add("/dev/tty.S1", 1, 1);
  const auto b = board.add("/dev/tty:S1", 1, 1);
  const auto all = board.take();
  EXPECT_NE(all[0].instance, all[1].instance);
  const auto again = board.add("/dev/tty.S1", 1, 1);  // a reload: the old one still ends
  EXPECT_EQ(again->take().instance, "tty-S1");
}

TEST(BusBoard, MakesInstancesThatAPointMayHave) {
  EXPECT_EQ(instance_of_bus("/dev/ttyS1"), "ttyS1");
  EXPECT_EQ(instance_of_bus("modbus-tcp 10.0.0.5:502"), "modbus-tcp-10-0-0-5-502");
  for (const char* name :
       {"/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A9T0-if00-port0", "/dev/", "总线",
        "modbus-rtu-tcp 2001:db8:1:2:3:4:5:6:502", "modbus-rtu-tcp 2001:db8:1:2:3:4:5:7:502"}) {
    const std::string instance = instance_of_bus(name);
    EXPECT_TRUE(PointName::parse("outlet[" + instance + "].current")) << name << " gave " << instance;
  }
  EXPECT_NE(instance_of_bus("modbus-rtu-tcp 2001:db8:1:2:3:4:5:6:502"),
            instance_of_bus("modbus-rtu-tcp 2001:db8:1:2:3:4:5:7:502"));
}

}  // namespace
}  // namespace watchroom::agent
