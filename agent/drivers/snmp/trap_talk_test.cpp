// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_talk.hpp"

#include <gtest/gtest.h>

#include "agent/drivers/snmp/trap_header.hpp"
#include "agent/drivers/snmp/trap_text.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

TEST(TrapTalk, WhatCameTwiceIsRememberedForAWhileAndInBounds) {
  const Steady start{1000h};
  TrapTalk talk;
  EXPECT_FALSE(talk.is_repeated(7, start));
  talk.told(7, start);
  EXPECT_TRUE(talk.is_repeated(7, start + 4min));
  EXPECT_FALSE(talk.is_repeated(8, start + 4min));
  EXPECT_FALSE(talk.is_repeated(7, start + 6min));
  for (std::uint64_t i = 100; i < 1000; ++i) talk.told(i, start + 6min);
  EXPECT_FALSE(talk.is_repeated(100, start + 6min));
  EXPECT_TRUE(talk.is_repeated(999, start + 6min));
}

TEST(TrapTalk, AStormIsToldInPartAndSummedUpAfterwardsOrNowAndThen) {
  const Steady start{1000h};
  TrapTalk talk;
  int told = 0;
  for (int i = 0; i < 1000; ++i) {
    const Steady now = start + i * 1ms;
    if (talk.may_tell(now))
      ++told;
    else
      talk.could_not_tell(now);
    EXPECT_EQ(talk.take_untold(now), 0u);
  }
  EXPECT_NEAR(told, 62, 2);
  EXPECT_EQ(talk.take_untold(start + 10s), 1000u - static_cast<unsigned>(told));
  EXPECT_EQ(talk.take_untold(start + 11s), 0u);

  std::uint64_t summed = 0;
  for (int second = 20; second < 120; ++second)
    for (int i = 0; i < 100; ++i) {
      const Steady now = start + second * 1s + i * 10ms;
      if (!talk.may_tell(now)) talk.could_not_tell(now);
      summed += talk.take_untold(now);
    }
  EXPECT_GT(summed, 5000u);  // though it never stopped
}

TEST(TrapHeader, ReadsVersionEngineAndUserAndNothingElse) {
  const std::vector<std::uint8_t> v2{0x30, 0x0d, 0x02, 0x01, 0x01, 0x04, 0x05, 'w',
                                     'a',  't',  'c',  'h',  0xa7, 0x01, 0x00};
  ASSERT_TRUE(read_trap_header(v2));
  EXPECT_EQ(read_trap_header(v2)->version, 1);
  const std::vector<std::uint8_t> v3{0x30, 0x2e, 0x02, 0x01, 0x03,  // version 3
                                     0x30, 0x0d, 0x02, 0x01, 0x01, 0x02, 0x02, 0x05, 0xdc, 0x04,
                                     0x01, 0x07, 0x02, 0x01, 0x03,  // global data
                                     0x04, 0x1a, 0x30, 0x18, 0x04, 0x05, 0x80, 0x00, 0x00, 0x00,
                                     0x01, 0x02, 0x01, 0x07, 0x02, 0x01, 0x09, 0x04, 0x05, 'w',
                                     'a',  't',  'c',  'h',  0x04, 0x00, 0x04, 0x00};
  const auto header = read_trap_header(v3);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->version, 3);
  EXPECT_EQ(header->engine_id, std::string("\x80\0\0\0\1", 5));
  EXPECT_EQ(header->user, "watch");
  for (std::size_t length = 0; length < v3.size(); ++length)
    EXPECT_FALSE(read_trap_header(std::span{v3}.first(length))) << length;
}

TEST(TrapText, IsBoundedAndKeepsWholeCharacters) {
  Profile profile;
  profile.traits = SnmpTraits{};
  std::vector<Varbind> bindings;
  for (std::uint32_t i = 0; i < 50; ++i) {
    std::string text;
    for (int n = 0; n < 100; ++n) text += "电";
    bindings.push_back({{1, 3, 6, 1, 4, 1, 9, i}, text});
  }
  const std::string text = trap_text(profile, {1, 3, 6, 1, 4, 1, 9, 0, 1}, bindings);
  EXPECT_LE(text.size(), longest_trap_text);
  EXPECT_NE(text.find(" …+"), std::string::npos);
  EXPECT_EQ(readable_text(text).find('?'), std::string::npos);
}

TEST(TrapText, NamesTheStandardTraps) {
  Profile profile;
  profile.traits = SnmpTraits{};
  EXPECT_EQ(trap_text(profile, notification_of({1, 3, 6, 1, 4, 1, 9}, 2, 0),
                      {{{1, 3, 6, 1, 2, 1, 2, 2, 1, 2, 3}, std::string{"eth2"}}}),
            "链路断开 Link down: 接口名 interface name = eth2");
  EXPECT_TRUE(is_start(notification_of({1, 3, 6, 1, 4, 1, 9}, 1, 0)));
  EXPECT_FALSE(is_start(notification_of({1, 3, 6, 1, 4, 1, 9}, 6, 1)));
  EXPECT_EQ(oid_text(notification_of({1, 3, 6, 1, 4, 1, 9}, 6, 12)), "1.3.6.1.4.1.9.0.12");
}

}  // namespace
}  // namespace watchroom::agent
