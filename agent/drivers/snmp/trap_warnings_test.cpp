// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_warnings.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

TEST(TrapWarnings, AStormOfStrangersHidesNoDeviceOfOurs) {
  TrapWarnings warnings;
  const Steady start{1000h};
  const auto ours = parse_ip_address("10.0.0.9"), another = parse_ip_address("10.0.0.10");
  int told_of_strangers = 0;
  for (int i = 0; i < 1000; ++i)
    told_of_strangers += warnings.may_tell({}, "it is no configured device", start + i * 1ms);
  EXPECT_EQ(told_of_strangers, 1);
  EXPECT_TRUE(warnings.may_tell(ours, "wrong community", start + 1s));
  EXPECT_TRUE(warnings.may_tell(another, "wrong community", start + 1s));
  EXPECT_TRUE(warnings.may_tell(ours, "wrong SNMPv3 passphrase", start + 1s));
  EXPECT_FALSE(warnings.may_tell(ours, "wrong community", start + 60s));
  EXPECT_TRUE(warnings.may_tell(ours, "wrong community", start + 61s));
}

}  // namespace
}  // namespace watchroom::agent
