// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/modbus/modbus_peer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Deed = ModbusPeer::Deed;
using Asked = ModbusPeer::Asked;
using Clock = ModbusPeer::Clock;

constexpr ReadRequest two_input{RegisterTable::input, 0, 2};
constexpr ExchangeTiming patient{.reply_timeout = 300ms, .gap = 0ms};

ModbusAddress address_of(const std::string& url) {
  std::vector<AddressComplaint> complaints;
  return parse_address(url, AddressOrigin::probe, complaints).value().where.as<ModbusAddress>();
}

std::string at_baud(const ModbusPeer& peer, int baud) {
  return "modbus-rtu://" + peer.path() + "?baud=" + std::to_string(baud) + "&parity=N&unit=3";
}

TEST(Line, KnowsTheTimeOfACharacterAndOfASilence) {
  EXPECT_EQ(character_time({"", 9600, 'N', 8, 1}), 1041667ns);
  EXPECT_EQ(character_time({"", 9600, 'E', 8, 1}), 1145834ns);
  EXPECT_EQ(frame_silence({"", 9600, 'N', 8, 1}), 3645834ns);
  EXPECT_EQ(frame_silence({"", 19'200, 'E', 8, 1}), 2005209ns);
  EXPECT_EQ(frame_silence({"", 115'200, 'N', 8, 1}), 1750us);
}

// At 300 baud the request alone takes 267 ms.
TEST(Line, ADevicesTimeToAnswerBeginsWhenItHasTheRequest) {
  ModbusPeer peer{3};
  peer.behave([](const Asked& asked) {
    const auto until = asked.arrived + 200ms;
    while (Clock::now() < until) std::this_thread::yield();
    return Deed{};
  });
  Line line{address_of(at_baud(peer, 300)), {}};
  const auto reply = line.ask(3, two_input, {.reply_timeout = 100ms, .gap = 0ms});
  EXPECT_TRUE(reply) << reply.error().text;
}

TEST(Line, TheSilenceBeginsAtTheEndOfOurOwnRequest) {
  ModbusPeer peer{3};
  peer.behave([](const Asked&) { return Deed{.kind = Deed::Kind::silence}; });
  Line line{address_of(at_baud(peer, 1200)), {}};
  // Eight characters and 3.5 of silence at 1200 baud are 96 ms; the time-out is shorter than the request.
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(line.ask(3, two_input, {.reply_timeout = 20ms, .gap = 0ms}));
  const auto asked = peer.asked();
  ASSERT_EQ(asked.size(), 3u);
  for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_GE(asked[i].arrived - asked[i - 1].arrived, 95ms);
}

TEST(Line, APauseThatOneUnitWantsHoldsUpNoOther) {
  ModbusPeer peer;
  Line line{address_of(peer.url(1)), {}};
  const ExchangeTiming slow{.reply_timeout = 300ms, .gap = 400ms};
  ASSERT_TRUE(line.ask(1, two_input, slow));
  ASSERT_TRUE(line.ask(2, two_input, patient));
  ASSERT_TRUE(line.ask(1, two_input, slow));
  const auto asked = peer.asked();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_LT(asked[1].arrived - asked[0].answered, 300ms);
  EXPECT_GE(asked[2].arrived - asked[0].answered, 400ms);
}

TEST(Line, WhatArrivesUnaskedProlongsTheSilence) {
  ModbusPeer peer{3};
  peer.set_input(0, {458, 231});
  Line line{address_of(at_baud(peer, 9600)), {}};
  ASSERT_TRUE(line.ask(3, two_input, patient));
  peer.send(std::vector<std::uint8_t>{3, 4, 4, 0x7f, 0xff});
  const auto reply = line.ask(3, two_input, patient);
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_THAT(reply->words, testing::ElementsAre(458, 231));
}

TEST(Line, OneProgramALine) {
  ModbusPeer peer{3};
  Line first{address_of(at_baud(peer, 9600)), {}};
  ASSERT_TRUE(first.ask(3, two_input, patient));
  Line second{address_of(at_baud(peer, 9600)), {}};
  const auto refused = second.ask(3, two_input, patient);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::not_connected);
  EXPECT_THAT(refused.error().text, testing::HasSubstr("in use by another program"));
  EXPECT_TRUE(first.ask(3, two_input, patient));
}

}  // namespace
}  // namespace watchroom::agent
